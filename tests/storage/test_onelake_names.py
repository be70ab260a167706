"""The GUIDs of OneLake's names, and the runs that use a name."""

from datetime import UTC, datetime, timedelta
from typing import Any

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


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # An older event with the newest GUID, and one with an older GUID, change nothing.
        ([(2, "a"), (1, "a")], [True, False]),
        ([(1, "a"), (3, "b"), (2, "a")], [True, True, False]),
        # A GUID is new, or it is the newest again.
        ([(2, "a"), (1, "b")], [True, True]),
        ([(1, "a"), (2, "b"), (3, "a")], [True, True, True]),
        ([(1, "a"), (2, "b"), (3, "b")], [True, True, False]),
        ([(1, "a"), (2, "b"), (1, "a")], [True, True, False]),
    ],
    ids=str,
)
def test_runs_are_processed_again_if_the_newest_guid_is_another_or_a_guid_is_new(
    events: list[tuple[int, str]], expected: list[bool], names: OneLakeNames
) -> None:
    name = a_name()
    answers = []
    for minute, guid in events:
        item = LearnedId(NOON + minute * LATER, name, guid)
        answers.append(names.learn(item))
        names.announced(item)
    assert answers == expected
    newest = {guid: max(minute for minute, other in events if other == guid) for _, guid in events}
    assert {item.guid: item.time for item in names.ids(name)} == {
        guid: NOON + minute * LATER for guid, minute in newest.items()
    }


def test_what_was_learned_is_open_until_the_newest_event_was_announced(names: OneLakeNames) -> None:
    name = a_name()
    old, new, other = LearnedId(NOON, name, "a"), LearnedId(NOON + LATER, name, "a"), LearnedId(NOON, name, "b")
    for item in (old, new, other):
        names.learn(item)
    names.announced(old)
    assert [names.learn(item) for item in (old, new, other)] == [True, True, True]
    names.announced(new)
    assert [names.learn(item) for item in (old, new, other)] == [False, False, True]


def test_a_guid_that_another_worker_stores_meanwhile_is_read_again(
    names: OneLakeNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = a_name()
    old, new = LearnedId(NOON, name, "a"), LearnedId(NOON + LATER, name, "a")
    put = OneLakeNames._put

    def overtaken(self: OneLakeNames, item: LearnedId, *more: Any, **others: Any) -> None:
        monkeypatch.setattr(OneLakeNames, "_put", put)
        names.learn(new)
        put(self, item, *more, **others)

    monkeypatch.setattr(OneLakeNames, "_put", overtaken)
    assert names.learn(old) is True
    assert names.ids(name) == (new,)


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
