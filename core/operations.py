"""Which Spark operations carry lineage, and how a job name is read.

The lists are data, in ``operations.json``: groups of job-name nodes (the names of physical plan nodes, in snake
case) and of logical plan classes (simple class names, of Spark 3.1 up to 4.0), each with a verdict. A ``*`` in a
node or class stands for any characters.
"""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from core.memo import remembers_short

# Segments of a job name that are looked at; the rest is one suffix. Real names have a dozen.
_MOST_SEGMENTS = 200

_DATA: dict[str, Any] = json.loads(Path(__file__).with_name("operations.json").read_text("utf-8"))


class Verdict(Enum):
    """What an operation does, the strongest claim first.

    CARRIES writes data; DDL changes a table or view without writing data, so it makes no process; NONE only reads,
    or sets something: if its run names an output, though, it was part of a write; UNKNOWN is on no list.
    """

    CARRIES = "carries"
    DDL = "ddl"
    NONE = "none"
    UNKNOWN = "unknown"


_STRENGTH = {verdict: strength for strength, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Operation:
    """What kind of operation it is (``insert``, ``create table as select``, …; "" if unknown), and its verdict."""

    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class JobName:
    """The parts of ``application.node.suffix``; node and suffix are "" where a name has none."""

    application: str
    node: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """Exact names, and patterns in the order of the file: one expression with a group for each operation."""

    exact: dict[str, Operation]
    patterns: re.Pattern[str]
    operations: tuple[Operation, ...]

    def find(self, name: str) -> Operation | None:
        found = self.exact.get(name)
        if found or not name:
            return found
        match = self.patterns.fullmatch(name)
        return self.operations[match.lastindex - 1] if match and match.lastindex else None


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """An expression for names that match a pattern; the last group of a match is that of the first such pattern."""
    return re.compile("|".join(f"({re.escape(pattern).replace(re.escape('*'), '.*')})" for pattern in patterns), re.S)


UNKNOWN = Operation("", Verdict.UNKNOWN)


def classify(node: str, plan_class: str, extra: Collection[str] = ()) -> Operation:
    """The operation of a job whose name has ``node`` and whose plan has a root of ``plan_class`` ("" for none).

    ``extra`` are nodes, classes or patterns that the settings add; they carry lineage. Where node and class
    disagree, the stronger claim wins (the order is that of ``Verdict``), since each of them can only miss a write,
    never make one up: START may show a reading root under a node that writes, a planned write hides its node
    behind ``adaptive_spark_plan`` while the class names it, and eager commands end as ``local_table_scan``. Where
    both are equally strong, the node names the operation: it is what was executed, the class of an old agent's
    COMPLETE is only what was parsed (``CreateTable`` for a saveAsTable).
    """
    for name in (node, plan_class):
        if name and extra and _is_added(name, extra):
            return Operation(name, Verdict.CARRIES)
    by_node, by_class = _node_operation(node), _class_operation(plan_class)
    return by_class if _STRENGTH[by_class.verdict] < _STRENGTH[by_node.verdict] else by_node


def split_job_name(job_name: str) -> JobName:
    """Take ``application.node.suffix`` apart; a name without a dot is an application's.

    The application may contain dots, and so may the suffix. The node is the first segment behind the first dot that
    is spelled exactly as a known node; else the first with the shape of one; else the one behind the first dot.
    Known nodes without an underscore go last, because applications may have parts called ``project`` or ``sort``.
    """
    segments = job_name.split(".", _MOST_SEGMENTS)
    if len(segments) == 1:
        return JobName(job_name)
    doubts = [_doubt(segment) for segment in segments[1:]]
    at = 1 + doubts.index(min(doubts))
    return JobName(".".join(segments[:at]), segments[at], ".".join(segments[at + 1 :]))


@remembers_short(1024)
def _node_operation(node: str) -> Operation:
    return _NODES.find(node) or UNKNOWN


@remembers_short(1024)
def _class_operation(plan_class: str) -> Operation:
    return _CLASSES.find(plan_class) or UNKNOWN


def _is_added(name: str, words: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), word.lower()) for word in words)


@remembers_short(4096)
def _doubt(segment: str) -> int:
    """How doubtful it is that a segment is a node: from 0 for an exact name to 3 for a text of another shape."""
    if segment in _NODES.exact:
        return 0 if "_" in segment else 2
    return 1 if _NODES.find(segment) or _SHAPES.fullmatch(segment) else 3


def _catalogue(key: str) -> _Catalogue:
    pairs = [
        (name, Operation(group["name"], Verdict(group["verdict"]))) for group in _DATA["groups"] for name in group[key]
    ]
    exact = {name: operation for name, operation in pairs if "*" not in name}
    patterns = {name: operation for name, operation in pairs if "*" in name}
    return _Catalogue(exact, _any_of(patterns), tuple(patterns.values()))


_NODES = _catalogue("nodes")
_CLASSES = _catalogue("classes")
_SHAPES = _any_of(_DATA["node_shapes"])
