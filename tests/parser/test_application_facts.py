"""What the runs of an application say together: what two of them say differently is left out."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from core.event_model import Dataset, DatasetId, Field
from parser.application_facts import ApplicationFacts, MicroBatch, Needs, RunFacts, united

NOON, HOUR = datetime(2026, 5, 1, 12, tzinfo=UTC), timedelta(hours=1)
ONE, OTHER = DatasetId("abfss://lake", "one"), DatasetId("abfss://lake", "other")


def table(name: DatasetId, *columns: str) -> RunFacts:
    return RunFacts(tables={"db.t": Dataset(name, tuple(Field(column, "string") for column in columns))})


def batch(run: str, start: float, end: float, *columns: tuple[str, str]) -> MicroBatch:
    return MicroBatch(run, NOON + start * HOUR, NOON + end * HOUR, columns, (), ())


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], ApplicationFacts()),
        ([table(ONE, "a")], ApplicationFacts(tables=table(ONE, "a").tables)),
        # Of two descriptions of one table the one with more columns counts; two tables of one name are none.
        ([table(ONE, "b"), table(ONE, "a", "b")], ApplicationFacts(tables=table(ONE, "a", "b").tables)),
        ([table(ONE, "a"), table(OTHER, "a")], ApplicationFacts()),
        ([RunFacts(leaves={"k": ONE}), RunFacts(leaves={"k": ONE})], ApplicationFacts(leaves={"k": ONE})),
        ([RunFacts(leaves={"k": ONE, "l": ONE}), RunFacts(leaves={"k": OTHER})], ApplicationFacts(leaves={"l": ONE})),
        (
            [RunFacts(batch=batch("2", 1, 2)), RunFacts(), RunFacts(batch=batch("1", 0, 1))],
            ApplicationFacts(batches=(batch("1", 0, 1), batch("2", 1, 2))),
        ),
    ],
)
def test_facts_are_united_whatever_their_order(facts: list[RunFacts], expected: ApplicationFacts) -> None:
    assert all(united(order) == expected for order in permutations(facts))


@pytest.mark.parametrize(
    ("start", "end", "is_around"),
    [(1, 2, True), (0, 3, True), (-0.1, 2, False), (1, 3.1, False), (4, 5, False)],
)
def test_a_run_is_part_of_a_micro_batch_that_begins_before_and_ends_after_it(
    start: float, end: float, is_around: bool
) -> None:
    facts = ApplicationFacts(batches=(batch("1", 0, 3),))
    assert bool(facts.around(NOON + start * HOUR, NOON + end * HOUR)) is is_around


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([("a", "int"), ("b", "string")], True),
        ([("a", ""), ("b", "string")], True),
        ([("a", "int"), ("b", "date")], False),
        ([("a", "int")], False),
        ([("b", "string"), ("a", "int")], False),
        ([("a", "int"), ("x", "string")], False),
    ],
)
def test_rows_have_the_columns_of_a_micro_batch(columns: list[tuple[str, str]], expected: bool) -> None:
    assert batch("1", 0, 1, ("a", "int"), ("b", "string")).has_columns(columns) is expected
    assert batch("1", 0, 1, ("a", ""), ("b", "")).has_columns([("a", "int"), ("b", "date")])


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(), False),
        (Needs(tables=frozenset("t")), True),
        (Needs(leaves=frozenset("l")), True),
        (Needs(batch=True), True),
    ],
)
def test_whether_a_run_lacks_anything(needs: Needs, expected: bool) -> None:
    assert bool(needs) is expected
