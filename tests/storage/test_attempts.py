"""Workers that died over a piece of work are counted."""

import pytest

from storage import attempts
from storage.attempts import Attempts
from storage.clients import StorageClients
from tests.storage.runs import new_run


@pytest.fixture
def work(storage_clients: StorageClients) -> Attempts:
    return Attempts(storage_clients)


def test_only_other_workers_that_did_not_end_it_are_counted(work: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    piece, other = new_run(), new_run()

    def begins(worker: str) -> int:
        monkeypatch.setattr(attempts, "_PROCESS", worker)
        return work.begin(piece)

    assert [begins(worker) for worker in ("one", "one", "two", "two", "one", "three")] == [0, 0, 1, 1, 2, 3]
    assert work.begin(other) == 0
    work.end(piece)
    assert begins("four") == 0
    work.end(piece)
    work.end(piece)
    assert begins("five") == 0


def test_work_that_ends_just_before_it_begins_again_counts_nobody(
    work: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = new_run()
    assert work._begin_again(piece) == 0
    monkeypatch.setattr(attempts, "_PROCESS", "another")
    assert work.begin(piece) == 1
