"""Reads the description of a process in the catalogue (purview.description): how columns are computed, conditions.

A description has at most a few kilobytes, so it may be cut. A person may also have changed it: what cannot be read is
ignored.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from purview.description import TEXT_BYTES
from purview.limits import is_cut

_FIRST = re.compile(r"(?:Written by|(?P<operation>.+?) by) (?P<application>.+) \([^()]*\), as told by Spark's .*")
_MORE = re.compile(r"… and \d+ more")
_HEADINGS = ("What to know:", "Computed columns:", "Constant columns:", "Joins and filters:")
_NOTES, _COMPUTED, _CONSTANT, _CONDITIONS = _HEADINGS


@dataclass(frozen=True, slots=True)
class ProcessDescription:
    """The content of a description; ``is_cut`` is true if it lacks expressions or conditions of the process."""

    application: str = ""
    operation: str = ""
    link: str = ""
    expressions: Mapping[str, str] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_cut: bool = False


def read_description(text: str, columns: Collection[str]) -> ProcessDescription:
    """Read a description; ``columns`` are the names of the sink's columns, to which its expressions belong."""
    head, parts, is_shortened = _parts(text)
    first = _FIRST.fullmatch(head[0]) if head else None
    if first is None:
        return ProcessDescription()
    listed = set(", ".join(parts[_CONSTANT]).split(", "))
    return ProcessDescription(
        application=first["application"],
        operation=first["operation"] or "",
        link=next((line for line in head[1:] if line.startswith("https://")), ""),
        expressions=dict(found for item in parts[_COMPUTED] if (found := _expression(item, columns))),
        constants=frozenset(name for name in columns if name in listed),
        conditions=tuple(parts[_CONDITIONS]),
        notes=tuple(parts[_NOTES]),
        is_cut=is_shortened or is_cut(text),
    )


def _parts(text: str) -> tuple[list[str], dict[str, list[str]], bool]:
    """The lines before the first heading, the items below each heading, and whether any list or item is shortened."""
    head: list[str] = []
    parts: dict[str, list[str]] = {heading: [] for heading in _HEADINGS}
    items, is_shortened = head, False
    for line in text.split("\n"):
        if line in parts:
            items = parts[line]
        elif items is head:
            head.append(line)
        elif _MORE.fullmatch(line.removeprefix("- ")):
            is_shortened = True
        elif line.startswith("- "):
            items.append(line[2:])
        elif line and items:
            items[-1] += f"\n{line}"
    listed = (item for heading in (_COMPUTED, _CONSTANT, _CONDITIONS) for item in parts[heading])
    return head, parts, is_shortened or any(is_cut(item, TEXT_BYTES) for item in listed)


def _expression(item: str, columns: Collection[str]) -> tuple[str, str] | None:
    """A column and its expression. A name may contain ``=``, so the longest one that fits is taken."""
    fitting = [name for name in columns if item.startswith(f"{name} = ")]
    if not fitting:
        return None
    name = max(fitting, key=len)
    return name, item[len(name) + 3 :]
