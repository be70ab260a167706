"""What a process shows: the union of its runs, kept so that every order of events ends in the same picture.

A process stands for all runs of one application that fill one sink. Equal lineages are one contribution, which
remembers its newest runs: enough to take one back. The texts of expressions and conditions make no difference to
that: literals in them change from run to run (a date to load, ``current_date()``), so those of the newest run that
counts are shown. A run that failed is remembered too, because it also takes back
the run around it: a table created by CTAS fails in an inner run only, while the outer run of the same write ends
with a plain COMPLETE.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec

from core.model import ColumnRef, Dataset, DatasetId, IndirectUse, Lineage, RunRef, SinkColumn
from parser.notes import missing

OUTER_OPERATIONS = ("create table as select", "replace table as select")
KEPT_RUNS = 100
KEPT_WORDINGS = 10
KEPT_FAILURES = 200
KEPT_OUTSIDE_WINDOW = 50


@dataclass(frozen=True, slots=True)
class ExpressionTexts:
    """The texts of a lineage, and the newest runs that had them: expressions by column, and conditions."""

    expressions: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    runs: tuple[RunRef, ...] = ()


@dataclass(frozen=True, slots=True)
class LineageVersion:
    """One lineage without its texts, and the newest of the runs that had it, the newest first, at most ``KEPT_RUNS``.

    ``wordings`` are the texts of the newest ``KEPT_WORDINGS`` of these runs.
    """

    lineage: Lineage
    runs: tuple[RunRef, ...]
    wordings: tuple[ExpressionTexts, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a process' runs; contributions and failures are sorted, the newest first."""

    contributions: tuple[LineageVersion, ...] = ()
    failures: tuple[RunRef, ...] = ()


def with_run(history: History, lineage: Lineage, run: RunRef) -> History:
    """The history in which ``run`` had ``lineage``, whatever was thought of that run before."""
    bare, wording = _told_apart(lineage, run)
    by_content = {_content(item.lineage): item for item in without_run(history, run.run_key).contributions}
    own = by_content.get(_content(bare), LineageVersion(bare, ()))
    runs = _newest({*own.runs, run}, KEPT_RUNS)
    wordings = _worded((*own.wordings, wording), runs[:KEPT_WORDINGS])
    by_content[_content(bare)] = replace(own, runs=runs, wordings=wordings)
    return replace(history, contributions=_sorted(by_content.values()), failures=_without(history.failures, run))


def with_failure(history: History, run: RunRef) -> History:
    """The history in which ``run`` failed."""
    rest = without_run(history, run.run_key)
    failures = _newest({*rest.failures, run}, len(rest.failures) + 1)
    runs = [kept for item in rest.contributions for kept in item.runs]
    needed = tuple(old for old in failures[KEPT_FAILURES:] if any(_encloses(kept, old) for kept in runs))
    return replace(rest, failures=failures[:KEPT_FAILURES] + needed)


def without_run(history: History, run_key: str) -> History:
    """The history as if the run had never been seen."""
    contributions = (
        _of_runs(item, (run for run in item.runs if run.run_key != run_key)) for item in history.contributions
    )
    failures = tuple(run for run in history.failures if run.run_key != run_key)
    return History(_sorted(item for item in contributions if item.runs), failures)


def shown(history: History, window: timedelta) -> Lineage | None:
    """The lineage that the process shows, or None if no run counts.

    ``window`` is the span before the newest run that counts; 0 means: the newest application run only.
    """
    counting = in_view(history, window)
    if not counting:
        return None
    union = united([_in_words(item) for item in counting])
    return replace(union, notes=(*missing(union), *union.notes))


def shown_runs(history: History, window: timedelta) -> tuple[RunRef, ...]:
    """The runs behind ``shown``, the newest first; of many equal ones the newest alone are known."""
    return tuple(sorted((run for item in in_view(history, window) for run in item.runs), reverse=True))


def pruned(history: History, window: timedelta) -> History:
    """The history without contributions so far outside the window that they will hardly be shown again."""
    counting = _counting(history)
    if not counting:
        return history
    newest = counting[0].runs[0]
    outside = [item for item in history.contributions if not _in_window(item, newest, window)]
    dropped = {id(item) for item in outside[KEPT_OUTSIDE_WINDOW:]}
    return replace(history, contributions=tuple(i for i in history.contributions if id(i) not in dropped))


def encode(history: History) -> bytes:
    """The history as JSON."""
    return msgspec.json.encode(history)


def decode(data: bytes) -> History:
    """The history that ``encode`` made; empty bytes are an empty history."""
    return _decoder.decode(data) if data else History()


_decoder = msgspec.json.Decoder(History)


def _content(lineage: Lineage) -> str:
    return hashlib.sha256(msgspec.json.encode(lineage)).hexdigest()


def _told_apart(lineage: Lineage, run: RunRef) -> tuple[Lineage, ExpressionTexts]:
    """The lineage without its texts, and these."""
    expressions = {column.name: column.expression for column in lineage.columns if column.expression is not None}
    columns = tuple(replace(column, expression=None) for column in lineage.columns)
    return replace(lineage, columns=columns, conditions=()), ExpressionTexts(expressions, lineage.conditions, (run,))


def _worded(wordings: Iterable[ExpressionTexts], runs: Sequence[RunRef]) -> tuple[ExpressionTexts, ...]:
    """The wordings that these runs had, each once, the newest first."""
    by_text: dict[bytes, ExpressionTexts] = {}
    for wording in wordings:
        text = msgspec.json.encode(replace(wording, runs=()), order="sorted")
        known = by_text.get(text, replace(wording, runs=()))
        kept = tuple(sorted({*known.runs, *wording.runs} & set(runs), reverse=True))
        if kept:
            by_text[text] = replace(known, runs=kept)
    return tuple(sorted(by_text.values(), key=lambda wording: wording.runs, reverse=True))


def _of_runs(item: LineageVersion, runs: Iterable[RunRef]) -> LineageVersion:
    kept = tuple(runs)
    return item if kept == item.runs else replace(item, runs=kept, wordings=_worded(item.wordings, kept))


def _in_words(item: LineageVersion) -> Lineage:
    """The lineage with the newest of its texts."""
    if not item.wordings:
        return item.lineage
    told = item.wordings[0]
    columns = tuple(replace(column, expression=told.expressions.get(column.name)) for column in item.lineage.columns)
    return replace(item.lineage, columns=columns, conditions=told.conditions)


def _newest(runs: Iterable[RunRef], most: int) -> tuple[RunRef, ...]:
    return tuple(sorted(runs, reverse=True)[:most])


def _sorted(contributions: Iterable[LineageVersion]) -> tuple[LineageVersion, ...]:
    return tuple(sorted(contributions, key=lambda item: (item.runs[0], _content(item.lineage)), reverse=True))


def _without(runs: tuple[RunRef, ...], run: RunRef) -> tuple[RunRef, ...]:
    return tuple(other for other in runs if other.run_key != run.run_key)


def _counting(history: History) -> list[LineageVersion]:
    """The contributions without the runs that enclose a failed one, the newest first."""
    kept = (
        _of_runs(item, (run for run in item.runs if not _failed_inside(run, item.lineage, history.failures)))
        for item in history.contributions
    )
    return list(_sorted(item for item in kept if item.runs))


def in_view(history: History, window: timedelta) -> list[LineageVersion]:
    """The contributions behind ``shown``, the newest first."""
    counting = _counting(history)
    return [item for item in counting if _in_window(item, counting[0].runs[0], window)]


def _failed_inside(run: RunRef, lineage: Lineage, failures: Iterable[RunRef]) -> bool:
    """Whether the run is the outer one of a write whose inner run failed; only tables made from a query have both."""
    return lineage.operation in OUTER_OPERATIONS and any(_encloses(run, failure) for failure in failures)


def _encloses(run: RunRef, failure: RunRef) -> bool:
    same = failure.application_run == run.application_run != ""
    return same and run.started <= failure.started and failure.ended <= run.ended


def _in_window(item: LineageVersion, newest: RunRef, window: timedelta) -> bool:
    if window:
        return newest.ended - item.runs[0].ended <= window
    same = newest.application_run or newest.run_key
    return any((run.application_run or run.run_key) == same for run in item.runs)


def united(lineages: Sequence[Lineage]) -> Lineage:
    """One lineage of several of one sink: what only one can say, such as the order of columns, the first says."""
    newest = lineages[0]
    # The outer run of a table made from a query may list no inputs: then its texts don't name them either.
    worded = [lineage for lineage in lineages if lineage.inputs] or lineages
    inputs = _merged_datasets(dataset for lineage in lineages for dataset in lineage.inputs)
    return replace(
        newest,
        sink=_merged_datasets(lineage.sink for lineage in lineages)[newest.sink.id],
        inputs=tuple(inputs[key] for key in sorted(inputs)),
        columns=tuple(_merged_columns(lineages, {c.name: c.expression for w in worded[::-1] for c in w.columns})),
        indirect=tuple(sorted({use for lineage in lineages for use in lineage.indirect})),
        conditions=tuple(dict.fromkeys(text for lineage in worded for text in lineage.conditions)),
        notes=tuple(dict.fromkeys(note for lineage in lineages for note in lineage.notes)),
        mount_points=tuple(sorted({pair for lineage in lineages for pair in lineage.mount_points})),
    )


def _merged_datasets(datasets: Iterable[Dataset]) -> dict[DatasetId, Dataset]:
    """One entry per dataset: the first one's, with the columns that only others have behind its own."""
    merged: dict[DatasetId, Dataset] = {}
    for dataset in datasets:
        first = merged.setdefault(dataset.id, dataset)
        known = {field.name for field in first.fields}
        more = tuple(field for field in dataset.fields if field.name not in known)
        merged[dataset.id] = replace(
            first,
            fields=first.fields + more,
            symlinks=first.symlinks or dataset.symlinks,
            storage_layer=first.storage_layer or dataset.storage_layer,
            is_folder=first.is_folder or dataset.is_folder,
        )
    return merged


def _merged_columns(lineages: Iterable[Lineage], texts: Mapping[str, str | None]) -> Iterator[SinkColumn]:
    merged: dict[str, SinkColumn] = {}
    for column in (column for lineage in lineages for column in lineage.columns):
        first = merged.setdefault(column.name, column)
        sources: set[ColumnRef] = {*first.sources, *column.sources}
        indirect: set[IndirectUse] = {*first.indirect, *column.indirect}
        merged[column.name] = replace(
            first,
            sources=tuple(sorted(sources)),
            indirect=tuple(sorted(indirect)),
            expression=texts.get(column.name) or first.expression or column.expression,
            constant=first.constant and column.constant,
        )
    yield from merged.values()
