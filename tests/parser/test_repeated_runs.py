"""Runs next to a history: it shows the same as if each of them had been put into it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lineage_model import Lineage, RunRef
from core.replacing import replace
from parser.process_history import History, encode, pruned, shown, with_failure, with_run
from parser.repeated_runs import Repeats, decode, repeats_of, whole_history
from parser.repeated_runs import encode as encode_repeats
from tests.parser.test_process_history import MONTH, lineage, run

A, B = lineage("a"), lineage("b")


def worded(text: str) -> Lineage:
    """The lineage A with an expression."""
    return replace(A, columns=(replace(A.columns[0], expression=text),))


def beside(history: History, last: Lineage = A, window: timedelta = MONTH) -> Repeats:
    return repeats_of(history, last, window, "mark", "fingerprint")


def of_runs(*runs: tuple[Lineage, RunRef]) -> History:
    history = History()
    for lineage_of_run, each in runs:
        history = with_run(history, lineage_of_run, each)
    return history


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([A, B, lineage("a", "b"), worded("x"), worded("y")]),
            st.integers(0, 12),
            st.floats(0, 80, allow_nan=False),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_runs_show_the_same_next_to_the_history_and_in_it(
    steps: Sequence[tuple[Lineage, int, float, bool]],
) -> None:
    """As the pipeline does it: a run that was seen before, or that fails, is never put next to the history."""
    plain, stored, repeats, seen = History(), b"", Repeats(), set()
    for lineage_of_run, number, day, fails in steps:
        each = run(number, day)
        is_new = number not in seen
        seen.add(number)
        plain = pruned(with_failure(plain, each) if fails else with_run(plain, lineage_of_run, each), MONTH)
        mark = repr(lineage_of_run)
        if is_new and not fails and repeats.takes(mark, each):
            before = shown(whole_history(stored, encode_repeats(repeats)), MONTH)
            repeats = repeats.with_run(each)
            assert shown(whole_history(stored, encode_repeats(repeats)), MONTH) == before
        else:
            history = whole_history(stored, encode_repeats(repeats))
            history = with_failure(history, each) if fails else with_run(history, lineage_of_run, each)
            history = pruned(history, MONTH)
            stored, repeats = encode(history), repeats_of(history, lineage_of_run, MONTH, mark, "fingerprint")
        assert whole_history(stored, encode_repeats(repeats)) == plain


def test_a_run_of_the_newest_lineage_is_taken() -> None:
    known = beside(of_runs((B, run(1)), (A, run(2, day=1))))
    assert (known.takes("mark", run(3, day=2)), known.takes("another", run(3, day=2))) == (True, False)


@pytest.mark.parametrize(
    ("history", "last", "window"),
    [
        (of_runs((A, run(1)), (B, run(2, day=1))), A, MONTH),
        (of_runs((worded("x"), run(1))), worded("y"), MONTH),
        (of_runs((A, run(1))), A, timedelta()),
        (
            with_failure(of_runs((lineage("a", operation="create table as select"), run(1))), run(2)),
            lineage("a", operation="create table as select"),
            MONTH,
        ),
        (History(), A, MONTH),
    ],
    ids=["not the newest", "other texts", "newest run only", "a failure may retract it", "nothing"],
)
def test_where_a_run_may_change_something_none_is_taken(history: History, last: Lineage, window: timedelta) -> None:
    assert not beside(history, last, window).takes("mark", run(9, day=2))
    assert not Repeats().takes("", run(9))


@pytest.mark.parametrize(
    "history",
    [
        with_failure(of_runs((A, run(1))), run(2)),
        of_runs((lineage("a", operation="create table as select"), run(1))),
    ],
    ids=["a failure next to an insert", "a table from a query without a failure"],
)
def test_where_no_failure_may_retract_a_run_it_is_taken(history: History) -> None:
    last = history.contributions[0].lineage
    assert beside(history, last).takes("mark", run(9, day=2))


def test_a_run_that_lets_another_lineage_leave_the_window_is_not_taken() -> None:
    known = beside(of_runs((B, run(1, day=0)), (A, run(2, day=1))))
    assert [known.takes("mark", run(3, day=day)) for day in (30, 30.1)] == [True, False]


def test_no_more_runs_are_kept_than_of_any_contribution() -> None:
    known = beside(of_runs((A, run(0))))
    for number in range(1, 250):
        known = known.with_run(run(number, day=number / 100))
    assert [each.run_key for each in known.runs] == [f"run-{number}" for number in range(249, 149, -1)]
    assert len(encode_repeats(known)) < 30_000


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"runs": 3}'])
def test_foreign_texts_give_no_repeats(text: str) -> None:
    assert decode(text) == Repeats()
