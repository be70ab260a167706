"""Blob path patterns: `runs/{run}/{name}.json`, where a parameter spans slashes and `{{` is a brace."""

import re

_PART = re.compile(r"\{\{|\}\}|\{(\w+)\}|[^{}]+")


def path_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression for the whole blob name; an empty pattern fits every name.

    :raises ValueError: when braces are not closed.
    """
    if not pattern:
        return re.compile(r".*", re.DOTALL)
    pieces: list[str] = []
    end = 0
    for part in _PART.finditer(pattern):
        if part.start() != end:
            break
        end = part.end()
        pieces.append(_piece(part))
    if end != len(pattern):
        raise ValueError(f"{pattern}: the braces at {end} don't fit")
    return re.compile("".join(pieces), re.DOTALL)


def _piece(part: re.Match[str]) -> str:
    if part.group(1):
        return f"(?P<{part.group(1)}>.+)"
    return re.escape(part.group(0).replace("{{", "{").replace("}}", "}"))
