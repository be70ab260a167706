"""The description of a process: what ran, how columns are computed, and what Purview's lineage does not show.

A description is part of an upload, so it contains nothing that changes from run to run: constant columns
are named without their values, and filters are shown without their literals (``day = …``). A notebook that runs
daily for another day then has the same description, and costs no call.
"""

import re
from collections.abc import Iterable, Iterator

from core.lineage_model import Lineage, Note
from purview.limits import cut, size

#: Limits of one expression, and of one list; LineageDetails has all of them.
TEXT_BYTES = 200
_PART_BYTES = 1_200
_LITERAL = re.compile(
    r"`(?:[^`]|``)*`"  # a quoted name, which is kept
    r"|((?:\b(?:DATE|TIMESTAMP\w*|INTERVAL|X) ?)?'(?:[^']|'')*'(?: (?:DAY|YEAR|MONTH|HOUR|MINUTE|SECOND|TO)\b)*"
    r"|(?<![\w.])-?\d[\d.]*(?:E[+-]?\d+)?\b)"
)


def description(lineage: Lineage, notes: Iterable[Note]) -> str:
    """A few lines for people, at most 4 KB."""
    application = lineage.application
    operation = f"{lineage.operation} by" if lineage.operation else "Written by"
    lines = [f"{operation} {application.shown} ({application.namespace}), as told by Spark's OpenLineage events."]
    lines += [application.link] if application.link else []
    texts = sorted({note.text for note in notes})
    lines += ["", "What to know:", *(f"- {text}" for text in texts)] if texts else []
    lines += _part("Computed columns", _computed(lineage))
    constants = [column.name for column in lineage.columns if column.constant]
    lines += _part("Constant columns", [", ".join(constants)] if constants else [])
    lines += _part("Joins and filters", dict.fromkeys(_condition(text) for text in lineage.conditions))
    return cut("\n".join(lines))


def _computed(lineage: Lineage) -> Iterator[str]:
    for column in lineage.columns:
        if column.expression and not column.constant:
            yield f"{column.name} = {column.expression}"


def _condition(text: str) -> str:
    return _LITERAL.sub(lambda found: "…" if found[1] else found[0], text) if text.startswith("WHERE: ") else text


def _part(title: str, texts: Iterable[str]) -> Iterator[str]:
    """A heading and a list, cut at the limit; nothing for an empty list."""
    listed = [f"- {cut(text, TEXT_BYTES)}" for text in texts]
    if not listed:
        return
    yield from ("", f"{title}:")
    left = _PART_BYTES
    for number, line in enumerate(listed):
        left -= size(line)
        if left < 0:
            yield f"- … and {len(listed) - number} more"
            return
        yield line
