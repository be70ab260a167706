"""What a process shows is a function of the set of its runs, not of their order or repetition."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.event_model import ColumnRef, Dataset, DatasetId, Field
from core.lineage_model import Application, Lineage, RunRef, SinkColumn
from parser import process_history
from parser.process_history import (
    KEPT_FAILURES,
    KEPT_OUTSIDE_WINDOW,
    KEPT_RUNS,
    History,
    LineageVersion,
    decode,
    encode,
    pruned,
    shown,
    shown_runs,
    with_failure,
    with_run,
    without_run,
)

MONTH = timedelta(days=30)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def run(number: int, day: float = 0, hours: float = 0.1, application_run: str = "") -> RunRef:
    started = NOON + timedelta(days=day)
    return RunRef(started + timedelta(hours=hours), started, f"run-{number}", application_run or f"app-{number}")


def lineage(*sources: str, operation: str = "insert") -> Lineage:
    datasets = [DatasetId("file", source) for source in sorted(sources)]
    return Lineage(
        application=Application("ns", "nb"),
        operation=operation,
        sink=Dataset(DatasetId("file", "sink"), (Field("a", "int"),)),
        inputs=tuple(Dataset(dataset, (Field("a", "int"),)) for dataset in datasets),
        columns=(SinkColumn("a", tuple(ColumnRef(dataset, "a") for dataset in datasets)),),
    )


def sources(history: History, window: timedelta = MONTH) -> list[str] | None:
    union = shown(history, window)
    return None if union is None else [dataset.id.name for dataset in union.inputs]


def of(*steps: Callable[[History], History]) -> History:
    history = History()
    for step in steps:
        history = step(history)
    return history


def ran(number: int, *names: str, day: float = 0, application_run: str = "") -> Callable[[History], History]:
    return lambda history: with_run(history, lineage(*names), run(number, day, application_run=application_run))


def failed(number: int, day: float = 0) -> Callable[[History], History]:
    return lambda history: with_failure(history, run(number, day))


def test_runs_within_the_window_are_united() -> None:
    assert sources(of(ran(1, "monday"), ran(2, "tuesday", day=1))) == ["monday", "tuesday"]


def test_columns_are_united_too() -> None:
    union = shown(of(ran(1, "monday"), ran(2, "tuesday", day=1)), MONTH)
    assert union is not None
    assert [ref.dataset.name for ref in union.columns[0].sources] == ["monday", "tuesday"]


def worded(number: int, text: str) -> Callable[[History], History]:
    with_text = replace(lineage("a"), conditions=(text,), columns=(SinkColumn("a", (), expression=text),))
    return lambda history: with_run(history, with_text, run(number, number))


def words(history: History) -> tuple[str | None, ...]:
    union = shown(history, MONTH)
    return (union.columns[0].expression, *union.conditions) if union else ()


def test_lineages_that_differ_in_literals_only_are_one_contribution() -> None:
    history = of(*(worded(number, f"day = {number}") for number in range(25)))
    assert len(history.contributions) == 1
    assert len(history.contributions[0].wordings) == 10


def test_the_texts_of_the_newest_run_are_shown_in_every_order() -> None:
    steps = [worded(1, "day = 1"), worded(2, "day = 2"), worded(3, "day = 3")]
    assert {words(of(*order)) for order in permutations(steps)} == {("day = 3", "day = 3")}


def test_a_text_that_comes_again_is_as_new_as_its_newest_run() -> None:
    steps = [worded(1, "a"), worded(2, "b"), worded(3, "a")]
    assert {words(of(*order)) for order in permutations(steps)} == {("a", "a")}


def test_a_history_without_texts_is_shown_without() -> None:
    """Earlier versions stored none."""
    stored = History((LineageVersion(lineage("a"), (run(1),)),))
    assert shown(decode(encode(stored)), MONTH) == lineage("a")


def test_a_run_taken_back_takes_its_texts_along() -> None:
    steps = [worded(1, "day = 1"), worded(2, "day = 2"), failed(2, 2)]
    assert {words(of(*order)) for order in (steps, steps[::-1])} >= {("day = 1", "day = 1")}
    assert words(decode(encode(of(*steps)))) == ("day = 1", "day = 1")


@pytest.mark.parametrize(("day", "expected"), [(30, ["new", "old"]), (30.001, ["new"])])
def test_runs_before_the_window_are_no_longer_shown(day: float, expected: list[str]) -> None:
    assert sources(of(ran(1, "old"), ran(2, "new", day=day))) == expected


def test_the_runs_in_the_window_are_listed_with_the_newest_first() -> None:
    history = of(ran(0, "old"), ran(1, "a", day=20), ran(3, "a", day=40), ran(2, "b", day=35))
    assert shown_runs(history, MONTH) == (run(3, 40), run(2, 35), run(1, 20))


def test_an_old_run_replayed_late_adds_only_what_is_in_the_window() -> None:
    assert sources(of(ran(2, "new", day=31), ran(1, "old"), ran(3, "recent", day=5))) == ["new", "recent"]


def test_without_a_window_only_the_newest_application_run_counts() -> None:
    history = of(
        ran(1, "a", application_run="x"),
        ran(2, "b", day=1, application_run="y"),
        ran(3, "c", day=2, application_run="y"),
    )
    assert sources(history, timedelta(0)) == ["b", "c"]


def test_a_failed_run_is_taken_out_whenever_it_fails() -> None:
    assert sources(of(ran(1, "a"), ran(2, "b", day=1), failed(2, day=1))) == ["a"]
    assert sources(of(failed(2, day=1), ran(1, "a"))) == ["a"]


def test_nothing_is_shown_once_the_last_run_is_taken_out() -> None:
    assert sources(of(ran(1, "a"), failed(1))) is None
    assert sources(of(ran(1, "a"), lambda history: without_run(history, "run-1"))) is None


def test_equal_runs_are_one_contribution_that_can_give_a_run_back() -> None:
    history = of(*(ran(number, "a", day=number / 100) for number in range(1000)))
    assert len(history.contributions) == 1
    assert len(history.contributions[0].runs) == KEPT_RUNS
    assert sources(of(lambda _: history, failed(999, day=9.99))) == ["a"]


def test_a_run_that_turns_out_otherwise_replaces_what_was_thought_of_it() -> None:
    assert sources(of(ran(1, "guess"), ran(1, "truth"))) == ["truth"]


def test_a_run_around_a_failed_one_of_the_same_application_run_failed_with_it() -> None:
    outer = RunRef(NOON + timedelta(minutes=9), NOON, "outer", "app")
    inner = RunRef(NOON + timedelta(minutes=5), NOON + timedelta(minutes=1), "inner", "app")
    later = RunRef(NOON + timedelta(hours=2), NOON + timedelta(hours=1), "later", "app")
    steps: list[Callable[[History], History]] = [
        lambda history: with_run(history, lineage("broken", operation="create table as select"), outer),
        lambda history: with_failure(history, inner),
        lambda history: with_run(history, lineage("good"), later),
    ]
    assert {tuple(sources(of(*order)) or ()) for order in permutations(steps)} == {("good",)}


@pytest.mark.parametrize(
    ("started", "ended", "application_run", "expected"),
    [
        (0, 9, "app", None),
        (1, 8, "app", None),
        (-1, 8, "app", ["a"]),
        (1, 10, "app", ["a"]),
        (1, 8, "other", ["a"]),
    ],
    ids=["at once", "inside", "began before", "ended after", "elsewhere"],
)
def test_only_a_failure_within_a_run_retracts_it(
    started: int, ended: int, application_run: str, expected: list[str] | None
) -> None:
    outer = RunRef(NOON + timedelta(minutes=9), NOON, "outer", "app")
    inner = RunRef(NOON + timedelta(minutes=ended), NOON + timedelta(minutes=started), "inner", application_run)
    history = with_run(History(), lineage("a", operation="create table as select"), outer)
    assert sources(with_failure(history, inner)) == expected


def test_runs_of_no_known_application_run_enclose_nothing() -> None:
    outer, inner = RunRef(NOON + timedelta(minutes=9), NOON, "outer", ""), RunRef(NOON, NOON, "inner", "")
    history = with_run(History(), lineage("a", operation="create table as select"), outer)
    assert sources(with_failure(history, inner)) == ["a"]


def test_a_failure_next_to_another_write_retracts_nothing_from_it() -> None:
    good = RunRef(NOON + timedelta(minutes=9), NOON, "good", "app")
    parallel = RunRef(NOON + timedelta(minutes=5), NOON + timedelta(minutes=1), "parallel", "app")
    history = with_failure(with_run(History(), lineage("a"), good), parallel)
    assert sources(history) == ["a"]


def test_failures_that_still_count_are_kept_however_many_follow() -> None:
    outer = RunRef(NOON + timedelta(minutes=9), NOON, "outer", "app")
    inner = RunRef(NOON + timedelta(minutes=5), NOON + timedelta(minutes=1), "inner", "app")
    history = with_run(History(), lineage("broken", operation="create table as select"), outer)
    history = with_failure(history, inner)
    for number in range(300):
        history = with_failure(history, run(number, day=1 + number / 100))
    assert sources(history) is None
    assert history.failures[KEPT_FAILURES - 1 :] == (run(100, day=2), inner)


def test_times_at_the_ends_of_the_calendar_do_no_harm() -> None:
    first = RunRef(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), "first", "a")
    last = RunRef(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "last", "b")
    assert sources(with_run(History(), lineage("old"), first)) == ["old"]
    assert sources(with_run(with_run(History(), lineage("old"), first), lineage("new"), last)) == ["new"]


def test_a_history_survives_storage() -> None:
    history = of(ran(1, "a"), ran(2, "b", day=1), failed(3))
    assert decode(encode(history)) == history
    assert decode(b"") == History()


def test_pruning_keeps_what_is_shown() -> None:
    history = of(*(ran(number, f"day-{number}", day=number) for number in range(200)))
    assert sources(pruned(history, MONTH)) == sources(history)
    # Those of the last 31 days, and the newest of the rest.
    assert pruned(history, MONTH).contributions == history.contributions[: 31 + KEPT_OUTSIDE_WINDOW]


STEPS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "c"]), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(steps=STEPS, seed=st.randoms())
def test_any_order_and_repetition_of_runs_shows_the_same(steps: list[tuple[int, str, bool]], seed: object) -> None:
    # A run is either failed or not, and has one lineage: what its stored events say when all are read.
    facts = {number: (name, is_failed) for number, name, is_failed in steps}
    changes = [
        failed(number, day=number * 10) if is_failed else ran(number, name, day=number * 10)
        for number, (name, is_failed) in facts.items()
    ]
    shuffled = [*changes, *changes]
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shown(of(*shuffled), MONTH) == shown(of(*changes), MONTH)
    assert shown_runs(of(*shuffled), MONTH) == shown_runs(of(*changes), MONTH)


@pytest.fixture
def few_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process shows five lineages at most."""
    monkeypatch.setattr(process_history, "SHOWN_VERSIONS", 5)


def kept(steps: list[Callable[[History], History]]) -> History:
    """The history after these steps, pruned after each as it is when it is stored."""
    history = History()
    for step in steps:
        history = pruned(step(history), MONTH)
    return history


def notes(history: History) -> list[str]:
    union = shown(history, MONTH)
    return [note.code for note in union.notes] if union else []


@pytest.mark.usefixtures("few_shown")
def test_the_newest_of_too_many_lineages_are_shown_and_a_note_says_so() -> None:
    history = kept([ran(number, f"s{number:02}", day=number / 10) for number in range(30)])
    assert sources(history) == ["s25", "s26", "s27", "s28", "s29"]
    assert notes(history) == ["history-cut"]
    assert len(history.contributions) == 10


@pytest.mark.usefixtures("few_shown")
def test_as_many_lineages_as_are_shown_need_no_note() -> None:
    assert notes(kept([ran(number, f"s{number}", day=number) for number in range(5)])) == []


@pytest.mark.parametrize(("elements", "expected"), [(18, ["s6", "s7", "s8"]), (19, ["s5", "s6", "s7", "s8"])])
def test_wide_lineages_are_fewer(monkeypatch: pytest.MonkeyPatch, elements: int, expected: list[str]) -> None:
    # Each has two datasets of one field, and a column with one source: six elements.
    monkeypatch.setattr(process_history, "SHOWN_ELEMENTS", elements)
    history = kept([ran(number, f"s{number}", day=number) for number in range(9)])
    assert sources(history) == expected
    assert len(history.contributions) == 2 * len(expected)


def test_a_single_lineage_that_is_too_wide_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_history, "SHOWN_ELEMENTS", 1)
    history = kept([ran(1, "a"), ran(2, "b", day=1), ran(3, "c", day=2)])
    assert sources(history) == ["c"]
    assert sources(with_failure(history, run(3, 2))) == ["b"]


@pytest.mark.usefixtures("few_shown")
@pytest.mark.parametrize("seed", range(40))
def test_also_at_the_limit_any_order_and_repetition_shows_the_same(seed: int) -> None:
    """Forty runs of thirty sources, in some order; up to five of them turn out to have failed, or to be otherwise."""
    chance = random.Random(seed)
    ends = {number: ran(number, f"s{number % 30:02}", day=number / 8) for number in range(40)}
    first = dict(ends)
    for number in chance.sample(range(40), 5):
        first[number] = ran(number, f"guess-{number}", day=number / 8) if number % 2 else ends[number]
        ends[number] = ends[number] if number % 2 else failed(number, day=number / 8)
    events = [(number, 0) for number in ends] + [(number, 1) for number in ends for _ in range(2)]
    chance.shuffle(events)
    seen: set[int] = set()
    steps = []
    for number, is_whole in events:
        # A known state of a run does not revert to an earlier one.
        seen |= {number} if is_whole else set()
        steps.append(ends[number] if number in seen else first[number])
    expected = of(*ends.values())
    assert shown(kept(steps), MONTH) == shown(expected, MONTH)
    assert "history-cut" in notes(expected)


@pytest.mark.usefixtures("few_shown")
def test_a_retraction_brings_back_what_was_not_shown() -> None:
    steps = [ran(number, f"s{number:02}", day=number / 10) for number in range(30)]
    failures = [failed(number, day=number / 10) for number in (25, 27, 28, 29)]
    assert sources(kept([*steps, *failures])) == ["s21", "s22", "s23", "s24", "s26"]
    assert sources(kept([*failures, *steps[:25], steps[26]])) == ["s21", "s22", "s23", "s24", "s26"]


@pytest.mark.usefixtures("few_shown")
def test_an_old_run_beyond_the_limit_changes_nothing() -> None:
    history = kept([ran(number, f"s{number:02}", day=number / 10) for number in range(30)])
    assert pruned(ran(99, "late", day=0.01)(history), MONTH) == history


@contextmanager
def counted_calls(counts: list[int]) -> Iterator[None]:
    """Appends the number of calls, of Python and of C, that are made inside."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        counts.append(calls)


@pytest.mark.parametrize("what", [shown, shown_runs, pruned, lambda history, _: with_failure(history, run(7))])
def test_ten_times_the_lineages_make_at_most_eleven_times_the_work(
    what: Callable[[History, timedelta], object],
) -> None:
    counts: list[int] = []
    for size in (50, 500):
        history = of(*(ran(number, f"s{number}", day=number / 100) for number in range(size)))
        with counted_calls(counts):
            what(history, MONTH)
    assert counts[1] <= 11 * counts[0]
