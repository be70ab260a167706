"""Names in the environment that look like settings of the app but are not: former and misspelled ones."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

#: Settings of earlier versions that were renamed or removed, each with what to do now. There are none yet.
FORMER: Mapping[str, str] = {}
#: Other names that are read, or their beginnings.
OTHERS = ("LINEAGE_STORAGE__", "EVENT_HUB_CONNECTION", "SPARKLIN_")

_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_ALIKE = 0.9


def name_warnings(
    names: Iterable[str], known: Collection[str], others: Collection[str] = OTHERS, former: Mapping[str, str] = FORMER
) -> Iterator[str]:
    """A sentence for each name that looks like a setting but is not read.

    :param known: the names of all settings.
    :param others: names that the app or its commands also read, or their beginnings.
    """
    for name in sorted(set(names) - set(known)):
        if name in former:
            yield f"{name} is no longer a setting: {former[name]}"
        elif _SHAPE.fullmatch(name) and not name.startswith(tuple(others)):
            for meant in get_close_matches(name, known, 1, _ALIKE):
                yield f"{name} is not a setting; did you mean {meant}?"
