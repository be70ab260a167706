"""Dead letters: kept with reason and remedy, found again by run."""

from datetime import UTC, datetime

import pytest

from storage.clients import DEAD_LETTERS, StorageClients
from storage.dead_letters import DeadLetter, DeadLetters
from tests.storage.runs import new_run

TIME = datetime(2024, 1, 31, 12, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def letters(storage_clients: StorageClients) -> DeadLetters:
    """The dead letters on Azurite."""
    return DeadLetters(storage_clients)


def test_a_dead_letter_is_put_listed_read_and_deleted(letters: DeadLetters) -> None:
    run = new_run()
    name = letters.put(run, "refused", "allow it", {"attempts": 5}, TIME)
    assert name.startswith(f"{run}/20240131T120000000005Z-")
    assert list(letters.names(run)) == [name]
    assert name in list(letters.names())
    assert letters.read(name) == DeadLetter(name, run, TIME, "refused", "allow it", {"attempts": 5})
    letters.delete(name)
    letters.delete(name)
    assert letters.read(name) is None
    assert list(letters.names(run)) == []


def test_two_letters_of_one_moment_are_two(letters: DeadLetters) -> None:
    run = new_run()
    for reason in ("a", "b", "a"):
        letters.put(run, reason, "", {}, TIME)
    assert len(list(letters.names(run))) == 2


@pytest.mark.parametrize("run", ["../..", "a/b", "\x00", "😀" * 3000, "half \ud800", "", "openlineage/other.json"])
def test_what_has_no_run_key_gets_one(letters: DeadLetters, run: str) -> None:
    name = letters.put(run, "reason \ud800", "remedy", {"time": TIME, "blob": run}, TIME)
    found = letters.read(name)
    assert found
    assert found.run_key.startswith("x-")
    assert found.details["blob"] == run


def test_a_key_that_is_none_of_a_uuid_stays(letters: DeadLetters) -> None:
    key = "x-" + "0" * 32
    assert letters.put(key, "r", "r", {}, TIME).startswith(key + "/")


@pytest.mark.parametrize("data", [b"", b"5", b"{}", b"\xff", b'{"time": "x"}'])
def test_foreign_blobs_are_no_dead_letters(letters: DeadLetters, storage_clients: StorageClients, data: bytes) -> None:
    name = f"{new_run()}/foreign.json"
    storage_clients.container(DEAD_LETTERS).upload_blob(name, data)
    assert letters.read(name) is None
