"""Facts of an application: by topic, replaced run by run, and announced until they are noted as closed."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.clients import RUN_PROCESSES, StorageClients
from storage.facts_table import MOST_UNITS, Fact, FactsTable
from tests.storage.runs import new_run


@pytest.fixture
def table(storage_clients: StorageClients) -> FactsTable:
    return FactsTable(storage_clients)


@pytest.fixture
def app() -> str:
    """An application that no other test has."""
    return new_run()


def topics(*numbers: int) -> dict[str, str]:
    return {f"t{number:02}": f"text {number}" for number in numbers}


def of_run(run: str, facts: dict[str, str]) -> tuple[Fact, ...]:
    return tuple(Fact(topic, run, text) for topic, text in facts.items())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), (1,)),
        ((1, 2), (2, 3)),
        ((1, 2), ()),
        # So many that they are written, and deleted, in transactions.
        (range(10), range(5, 20)),
        (range(20), ()),
    ],
    ids=str,
)
def test_the_facts_of_a_run_replace_its_earlier_ones(
    before: tuple[int, ...], after: tuple[int, ...], table: FactsTable, app: str
) -> None:
    table.put(app, "other", topics(*before))
    table.put(app, "run", topics(*before))
    table.put(app, "run", topics(*after))
    found = table.facts(app, "t00", "t99")
    assert tuple(fact for fact in found if fact.run_key == "run") == of_run("run", topics(*after))
    assert tuple(fact for fact in found if fact.run_key == "other") == of_run("other", topics(*before))


def test_facts_that_were_closed_are_replaced_too(table: FactsTable, app: str) -> None:
    table.put(app, "run", topics(1, 2))
    table.close(app, "run", topics(1, 2), "digest")
    table.put(app, "run", topics(3))
    assert table.facts(app, "t00", "t99") == of_run("run", topics(3))


@pytest.mark.parametrize(
    ("first", "last", "most", "expected"),
    [
        ("t00", "t99", 9, (1, 2, 3, 4)),
        ("t02", "t03", 9, (2, 3)),
        ("t05", "t99", 9, ()),
        ("t00", "t99", 3, (1, 2, 3)),
        ("t00", "t99", 4, (1, 2, 3, 4)),
    ],
)
def test_facts_are_read_in_the_order_of_their_topics_up_to_a_number(
    first: str, last: str, most: int, expected: tuple[int, ...], table: FactsTable, app: str
) -> None:
    table.put(app, "run", topics(4, 3, 2, 1))
    assert table.facts(app, first, last, most) == of_run("run", topics(*expected))


def test_runs_that_wait_are_no_facts(table: FactsTable, app: str) -> None:
    table.wait(app, "run", ["t02", "t01"])
    table.put(app, "run", topics(2))
    assert table.waiting(app, "t01", "t02") == of_run("run", {"t01": "", "t02": ""})
    assert table.facts(app, "t01", "t02") == of_run("run", topics(2))


def test_facts_are_closed_once_these_very_facts_were_announced(table: FactsTable, app: str) -> None:
    def closed() -> list[str]:
        return [digest for digest in ("", "one", "two") if table.is_closed(app, "run", digest)]

    assert closed() == [""]
    table.put(app, "run", topics(1))
    assert closed() == []
    table.close(app, "run", topics(1), "one")
    assert closed() == ["one"]
    table.put(app, "run", topics(1))
    assert closed() == []
    table.put(app, "run", {})
    table.close(app, "run", {}, "")
    assert closed() == [""]


def test_a_fact_is_cut_to_what_a_row_takes(table: FactsTable, app: str) -> None:
    table.put(app, "run", {"t01": "x" * (MOST_UNITS + 1)})
    assert table.facts(app, "t01", "t01") == (Fact("t01", "run", "x" * (MOST_UNITS - 1) + "…"),)


def test_old_facts_are_forgotten_and_counted_and_other_rows_stay(
    table: FactsTable, app: str, storage_clients: StorageClients
) -> None:
    hour = timedelta(hours=1)
    table.forget(datetime.now(UTC) + hour)
    others = [{"PartitionKey": key, "RowKey": app} for key in ("application", "application.", "b", "00")]
    for row in others:
        storage_clients.table(RUN_PROCESSES).create_entity(row)
    table.put(app, "run", topics(*range(12)))
    assert table.forget(datetime.now(UTC) - hour) == 0
    assert table.forget(datetime.now(UTC) + hour) == 13
    assert table.facts(app, "t00", "t99") == ()
    for row in others:
        storage_clients.table(RUN_PROCESSES).get_entity(row["PartitionKey"], row["RowKey"])
