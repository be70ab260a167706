"""The GUIDs of OneLake's names, and the runs that use a name."""

from datetime import UTC, datetime, timedelta

import pytest

from core.catalog_model import LearnedId
from storage.clients import StorageClients
from storage.onelake_names import OneLakeNames
from tests.storage.runs import NOON, new_run

LATER = timedelta(minutes=1)


@pytest.fixture
def names(storage_clients: StorageClients) -> OneLakeNames:
    return OneLakeNames(storage_clients)


def a_name() -> str:
    """A workspace that no other test has."""
    return f"Workspace {new_run()}"


def test_the_guids_of_a_name_come_with_the_newest_first(names: OneLakeNames) -> None:
    name = a_name()
    old, new = LearnedId(NOON, name, "a"), LearnedId(NOON + LATER, name, "b")
    for item in (new, old):
        names.learn(item)
    assert names.ids(name) == (new, old)
    assert names.ids(a_name()) == ()


def test_runs_are_processed_again_until_they_were_enqueued(names: OneLakeNames) -> None:
    item = LearnedId(NOON, a_name(), "a")
    assert [names.learn(item), names.learn(item)] == [True, True]
    names.announced(item)
    assert names.learn(item) is False


def test_a_newer_event_with_the_same_guid_changes_no_run(names: OneLakeNames) -> None:
    item = LearnedId(NOON, a_name(), "a")
    names.learn(item)
    names.announced(item)
    assert names.learn(LearnedId(NOON + LATER, item.name, "a")) is False


def test_another_guid_in_a_newer_event_concerns_the_runs_again(names: OneLakeNames) -> None:
    item = LearnedId(NOON, a_name(), "a")
    names.learn(item)
    names.announced(item)
    assert names.learn(LearnedId(NOON + LATER, item.name, "b")) is True


def test_runs_that_use_a_name_are_noted_once(names: OneLakeNames) -> None:
    one, other = a_name(), a_name()
    for run in ("run-1", "run-2", "run-1"):
        names.note_use(one, run)
    names.note_use(other, "run-3")
    assert sorted(names.users(one)) == ["run-1", "run-2"]


def test_old_uses_are_forgotten_and_counted_and_guids_stay(names: OneLakeNames) -> None:
    names.forget_users(datetime.now(UTC) + LATER)
    item = LearnedId(NOON, a_name(), "a")
    names.learn(item)
    for run in ("run-1", "run-2"):
        names.note_use(item.name, run)
    assert names.forget_users(datetime.now(UTC) - LATER) == 0
    assert names.forget_users(datetime.now(UTC) + LATER) == 2
    assert (list(names.users(item.name)), names.ids(item.name)) == ([], (item,))
