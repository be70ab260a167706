"""What a process shows: the union of its runs, stored so that any order of events gives the same lineage.

A process stands for all runs of one application that write to one sink. Equal lineages are one contribution, which
contains its newest runs: enough to retract one. The texts of expressions and conditions do not matter for that:
literals in them change from run to run (a date to load, ``current_date()``), so those of the newest run that counts are
shown. A failed run is stored too, because it also retracts the run around it: a table created by CTAS fails in
an inner run only, while the outer run of the same write ends with a plain COMPLETE.

Only the newest contributions are shown, by the time of their newest run and not by their arrival: at most
``SHOWN_VERSIONS``, and no more than it takes to reach ``SHOWN_ELEMENTS``. As many older ones are kept, so that after a
retraction the process shows what it would show without the retracted run. The lineage depends on the order of events
only if more than that are retracted after older ones were dropped.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from core.errors import UnreadableHistory
from core.lineage_model import Lineage, Note, RunRef
from core.replacing import replace
from parser.lineage_union import united
from parser.notes import missing

OUTER_OPERATIONS = ("create table as select", "replace table as select")
KEPT_RUNS = 100
KEPT_WORDINGS = 10
KEPT_FAILURES = 200
KEPT_OUTSIDE_WINDOW = 50
#: How many contributions a process shows, and how many inputs, schema fields and column edges they may have together.
SHOWN_VERSIONS = 1_000
SHOWN_ELEMENTS = 75_000

_CUT = Note(
    "history-cut",
    "The runs of this process have more different lineages within its window than are shown; the newest are shown.",
)


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
    """All that is stored of a process' runs; contributions and failures are sorted, the newest first."""

    contributions: tuple[LineageVersion, ...] = ()
    failures: tuple[RunRef, ...] = ()


def with_run(history: History, lineage: Lineage, run: RunRef) -> History:
    """The history in which ``run`` has ``lineage``, whatever was stored of that run before."""
    return with_runs(history, lineage, (run,))


def with_runs(history: History, lineage: Lineage, added: Sequence[RunRef]) -> History:
    """The history in which each of some runs, at least one, has ``lineage``."""
    bare, wording = _split_texts(lineage, added)
    rest = _without_runs(history, {run.run_key for run in added})
    others = list(rest.contributions)
    at = next((at for at, item in enumerate(others) if _is_same(item.lineage, bare)), None)
    own = LineageVersion(bare, ()) if at is None else others.pop(at)
    runs = tuple(sorted({*own.runs, *added}, reverse=True)[:KEPT_RUNS])
    wordings = _worded((*own.wordings, wording), runs[:KEPT_WORDINGS])
    others.append(LineageVersion(own.lineage, runs, wordings))
    return replace(rest, contributions=_sorted(others))


def with_failure(history: History, run: RunRef) -> History:
    """The history in which ``run`` failed."""
    rest = without_run(history, run.run_key)
    failures = tuple(sorted({*rest.failures, run}, reverse=True))
    kept, older = failures[:KEPT_FAILURES], failures[KEPT_FAILURES:]
    if older:
        runs = _by_application_run(run for item in rest.contributions for run in item.runs)
        older = tuple(old for old in older if any(_encloses(each, old) for each in runs.get(old.application_run, ())))
    return replace(rest, failures=kept + older)


def without_run(history: History, run_key: str) -> History:
    """The history as if the run had never been seen."""
    return _without_runs(history, {run_key})


def _without_runs(history: History, keys: Container[str]) -> History:
    contributions = [
        _of_runs(item, tuple(run for run in item.runs if run.run_key not in keys))
        if any(run.run_key in keys for run in item.runs)
        else item
        for item in history.contributions
    ]
    failures = tuple(run for run in history.failures if run.run_key not in keys)
    return History(_sorted(item for item in contributions if item.runs), failures)


def shown(history: History, window: timedelta) -> Lineage | None:
    """The lineage that the process shows, or None if no run counts.

    ``window`` is the span before the newest run that counts; 0 means: the newest application run only.
    """
    candidates = in_window(history, window)
    if not candidates:
        return None
    visible = candidates[: _room(candidates)]
    union = united([in_words(item) for item in visible])
    cut = (_CUT,) if len(visible) < len(candidates) else ()
    return replace(union, notes=(*missing(union), *union.notes, *cut))


def shown_runs(history: History, window: timedelta) -> tuple[RunRef, ...]:
    """The runs behind ``shown``, the newest first; of many equal ones only the newest are stored."""
    return tuple(sorted((run for item in in_view(history, window) for run in item.runs), reverse=True))


def in_view(history: History, window: timedelta) -> list[LineageVersion]:
    """The contributions behind ``shown``, the newest first."""
    candidates = in_window(history, window)
    return candidates[: _room(candidates)]


def in_window(history: History, window: timedelta) -> list[LineageVersion]:
    """The contributions in the window, the newest first, also those above the limits of what is shown."""
    return _in_window(_counting(history), window)


def is_newest(history: History, lineage: Lineage, window: timedelta) -> bool:
    """Whether a run with this lineage, and its texts, would join the newest contribution."""
    view = in_window(history, window)[:1]
    return view == list(history.contributions[:1]) != [] and in_words(view[0]) == lineage


def pruned(history: History, window: timedelta) -> History:
    """The history without contributions that will hardly be shown again.

    Kept are those that are shown, as many behind them, a few outside the window, and a few that a failure retracts.
    """
    counting = _counting(history)
    inside = _in_window(counting, window)
    visible = _room(inside)
    spare = _room(inside[visible:])
    newest_inside = {item.runs[0] for item in inside}
    outside = [item for item in counting if item.runs[0] not in newest_inside]
    few = outside[:KEPT_OUTSIDE_WINDOW]
    kept = {run for item in (*inside[: visible + spare], *few[: _room(few)]) for run in item.runs[:1]}
    counts = {run for item in counting for run in item.runs}
    retracted = [item for item in history.contributions if counts.isdisjoint(item.runs)][:KEPT_FAILURES]
    kept |= {run for item in retracted[: _room(retracted)] for run in item.runs}
    contributions = tuple(item for item in history.contributions if not kept.isdisjoint(item.runs))
    return (
        history if len(contributions) == len(history.contributions) else replace(history, contributions=contributions)
    )


def encode(history: History) -> bytes:
    """The history as JSON."""
    return msgspec.json.encode(history)


def decode(data: bytes) -> History:
    """The history that ``encode`` made; empty bytes are an empty history.

    :raises UnreadableHistory: they have another form.
    """
    try:
        return _decoder.decode(data) if data else History()
    except msgspec.DecodeError as error:
        remedy = "Delete the row of the process from table LineageDetails, then replay its runs."
        raise UnreadableHistory(f"the stored history of a process cannot be read: {error}", remedy) from error


_decoder = msgspec.json.Decoder(History)


def _is_same(one: Lineage, other: Lineage) -> bool:
    # The inputs first: most contributions of a process differ by them, and schemas are long.
    return one.inputs == other.inputs and one == other


def _split_texts(lineage: Lineage, runs: Iterable[RunRef]) -> tuple[Lineage, ExpressionTexts]:
    """The lineage without its texts, and the texts."""
    expressions = {column.name: column.expression for column in lineage.columns if column.expression is not None}
    columns = tuple(replace(column, expression=None) for column in lineage.columns)
    texts = ExpressionTexts(expressions, lineage.conditions, tuple(runs))
    return replace(lineage, columns=columns, conditions=()), texts


def _worded(wordings: Iterable[ExpressionTexts], runs: Sequence[RunRef]) -> tuple[ExpressionTexts, ...]:
    """The texts that these runs had, each once, the newest first."""
    by_text: dict[bytes, ExpressionTexts] = {}
    for wording in wordings:
        text = msgspec.json.encode(replace(wording, runs=()), order="sorted")
        known = by_text.get(text, replace(wording, runs=()))
        kept = tuple(sorted({*known.runs, *wording.runs} & set(runs), reverse=True))
        if kept:
            by_text[text] = replace(known, runs=kept)
    return tuple(sorted(by_text.values(), key=lambda wording: wording.runs, reverse=True))


def _of_runs(item: LineageVersion, runs: tuple[RunRef, ...]) -> LineageVersion:
    return replace(item, runs=runs, wordings=_worded(item.wordings, runs))


def in_words(item: LineageVersion) -> Lineage:
    """The lineage of a contribution with the newest of its texts."""
    if not item.wordings:
        return item.lineage
    texts = item.wordings[0]
    known = texts.expressions
    columns = tuple(
        replace(column, expression=known[column.name]) if column.name in known else column
        for column in item.lineage.columns
    )
    return replace(item.lineage, columns=columns, conditions=texts.conditions)


def _sorted(contributions: Iterable[LineageVersion]) -> tuple[LineageVersion, ...]:
    # A run has one lineage, so no two contributions have the same newest run.
    return tuple(sorted(contributions, key=lambda item: item.runs[0], reverse=True))


def _counting(history: History) -> list[LineageVersion]:
    """The contributions without the runs around a failed one, the newest first."""
    if not any(item.lineage.operation in OUTER_OPERATIONS for item in history.contributions):
        return list(history.contributions)
    failures = _by_application_run(history.failures)
    kept = (_without_outer_failures(item, failures) for item in history.contributions)
    return list(_sorted(item for item in kept if item.runs))


def _without_outer_failures(item: LineageVersion, failures: Mapping[str, Sequence[RunRef]]) -> LineageVersion:
    """The contribution without outer runs whose inner run failed; only tables made from a query have both."""
    if item.lineage.operation not in OUTER_OPERATIONS:
        return item
    runs = tuple(
        run for run in item.runs if not any(_encloses(run, inner) for inner in failures.get(run.application_run, ()))
    )
    return item if len(runs) == len(item.runs) else _of_runs(item, runs)


def _by_application_run(runs: Iterable[RunRef]) -> Mapping[str, Sequence[RunRef]]:
    found: dict[str, list[RunRef]] = {}
    for run in runs:
        found.setdefault(run.application_run, []).append(run)
    return found


def _encloses(run: RunRef, failure: RunRef) -> bool:
    same = failure.application_run == run.application_run != ""
    return same and run.started <= failure.started and failure.ended <= run.ended


def _in_window(counting: Sequence[LineageVersion], window: timedelta) -> list[LineageVersion]:
    """The contributions, given with the newest first, that are in the window of the newest run."""
    if not counting:
        return []
    newest = counting[0].runs[0]
    if window:
        return [item for item in counting if newest.ended - item.runs[0].ended <= window]
    same = newest.application_run or newest.run_key
    return [item for item in counting if any((run.application_run or run.run_key) == same for run in item.runs)]


def _room(items: Iterable[LineageVersion]) -> int:
    """How many of the contributions, counted from the first, are shown."""
    elements = number = 0
    for number, item in enumerate(items, 1):
        elements += _elements(item.lineage)
        if number == SHOWN_VERSIONS or elements >= SHOWN_ELEMENTS:
            break
    return number


def _elements(lineage: Lineage) -> int:
    datasets = sum(1 + len(dataset.fields) for dataset in (lineage.sink, *lineage.inputs))
    edges = sum(1 + len(column.sources) + len(column.indirect) for column in lineage.columns)
    return datasets + edges + len(lineage.indirect)
