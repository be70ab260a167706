"""The collector on Azurite, laid out as OneLake: what agents append to their files is stored, once."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from core.envelope import read_envelope
from core.errors import LeaseLost, StorageUnavailable
from core.folder_address import folder_address
from core.storage_connection import StorageConnection
from pipeline import collect as collecting
from pipeline import receive
from pipeline.collect import collect
from pipeline.intake import MOST_DEATHS
from pipeline.services import Services
from receiver import accept
from receiver.request_limits import Limits
from storage.event_folders import EventFolder
from storage.file_progress import FolderState
from storage.locks import HeldLocks
from tests.support.deaths import lives_until
from tests.support.events import body, dataset, event

FOLDER = "Sales.Lakehouse/Files/Lineage"


def a_write(number: int = 0) -> bytes:
    return body(event(run=str(uuid.uuid4()), minute=number % 60, outputs=[dataset(f"out-{number}")]))


@dataclass
class Lakehouse:
    """A separate workspace, whose files are appended to as agents do, and the services that collect from it."""

    workspace: ContainerClient
    services: Services
    written: list[bytes] = field(default_factory=list)

    def append(self, name: str, *lines: bytes, end: bytes = b"\n") -> None:
        """Write events to the end of a file, each with a line break."""
        blob = self.workspace.get_blob_client(f"{FOLDER}/{name}")
        if not blob.exists():
            blob.create_append_blob()
        data = b"".join(line + end for line in lines)
        for at in range(0, len(data), 4_000_000):
            blob.append_block(data[at : at + 4_000_000])
        self.written += lines

    def put(self, name: str, data: bytes) -> None:
        """Replace a file."""
        self.workspace.upload_blob(f"{FOLDER}/{name}", data, overwrite=True)

    def collect(self, seconds: float = 60) -> FolderState:
        """Let the timer come once: the state of the folder after that."""
        collect(self.services, seconds)
        return self.services.file_progress.read(self.services.folders[0].address).folder

    def counts(self) -> tuple[int, int, int]:
        """How many events are kept, ignored and rejected in all files that there are."""
        states = [
            state for state, _ in self.services.file_progress.read(self.services.folders[0].address).files.values()
        ]
        return sum(s.kept for s in states), sum(s.ignored for s in states), sum(s.rejected for s in states)

    def stored(self, *events: bytes) -> list[int]:
        """How often each event is stored: rows that count, and blobs."""
        found = []
        for each in events:
            names = self.services.events.names(json.loads(each)["run"]["runId"])
            assert [content for _, content in self.services.events.bodies(names)] == [each] * len(names)
            assert len(self.services.events.rows_of(names)) == len(names)
            found.append(len(names))
        return found

    def letters(self, name: str) -> list[dict[str, Any]]:
        """The dead letters of a file."""
        address = replace(self.services.folders[0].address, path=f"{FOLDER}/{name}")
        letters = self.services.dead_letters
        (prefix, _, _) = letters.name_of(str(address), "x").partition("/")
        read = [letters.read(found) for found in letters.names(prefix)]
        return sorted((dict(letter.details) for letter in read if letter), key=lambda each: each["line"])


@pytest.fixture
def lakehouse(services: Services, storage_connection: StorageConnection) -> Iterator[Lakehouse]:
    workspace = services.clients.blobs.create_container(f"workspace-{uuid.uuid4()}")
    address = folder_address(f"{workspace.url}/{FOLDER}")
    yield Lakehouse(workspace, replace(services, folders=(EventFolder(address, services.clients),)))
    workspace.delete_container()


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A call makes every file idle from then on."""
    return lambda: monkeypatch.setattr(collecting, "IDLE", timedelta(-1))


def test_only_what_was_appended_since_is_read(lakehouse: Lakehouse) -> None:
    first, second = [a_write(n) for n in range(3)], [a_write(n) for n in range(2)]
    lakehouse.append("lineage_1", *first)
    assert lakehouse.collect().files == 1
    assert lakehouse.counts() == (3, 0, 0)
    lakehouse.append("lineage_1", *second)
    lakehouse.append("lineage_2", second[0])

    state = lakehouse.collect()

    assert (state.files, state.pending_files, state.pending_bytes, state.error) == (2, 0, 0, "")
    assert lakehouse.counts() == (6, 0, 0)
    assert lakehouse.stored(*first, *second) == [1] * 5


@pytest.mark.parametrize("is_idle", [False, True], ids=["new", "idle"])
def test_a_file_that_did_not_change_is_not_read_again(
    lakehouse: Lakehouse, is_idle: bool, idle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        lakehouse.append(f"lineage_{number}", a_write(number))
    lakehouse.collect()
    if is_idle:
        idle()
        found = lakehouse.collect()
        assert (found.pending_files, found.pending_bytes) == (0, 0)
    monkeypatch.setattr(EventFolder, "read", None)

    assert lakehouse.collect().error == ""


def test_a_line_that_kills_the_worker_is_dead_lettered_and_the_lines_around_it_are_taken(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, deadly, last = [a_write(n) for n in range(3)]
    lakehouse.append("lineage_1", first, deadly, last)
    run = read_envelope(deadly).run_key

    deaths = lives_until(lakehouse.collect, lambda each: each.run_key == run, monkeypatch)

    # Over the folder, then over this part of the file, then over the line alone.
    assert (deaths, lakehouse.counts()) == (3 * MOST_DEATHS, (2, 0, 1))
    assert lakehouse.stored(first, deadly, last) == [1, 0, 1]
    assert [(each["line"], each["text"]) for each in lakehouse.letters("lineage_1")] == [(2, deadly.decode())]


def test_a_line_on_which_the_code_fails_does_not_stop_its_file(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, bad, last = [a_write(n) for n in range(3)]
    lakehouse.append("lineage_1", first, bad, last)

    def failing(envelope: Any, rules: Any) -> Any:
        if envelope.run_key == read_envelope(bad).run_key:
            raise RuntimeError("a fault of ours")
        return accept.accept(envelope, rules)

    monkeypatch.setattr(receive, "accept", failing)

    assert lakehouse.collect().pending_bytes == 0
    assert lakehouse.stored(first, bad, last) == [1, 0, 1]
    assert [each["line"] for each in lakehouse.letters("lineage_1")] == [2]


def test_every_event_goes_through_the_allow_list_and_bad_lines_are_dead_lettered(lakehouse: Lakehouse) -> None:
    kept, ignored = a_write(), body(event(job_name="app.collect_limit", outputs=[]))
    lakehouse.append("lineage_1", kept, b"", ignored, b"{half", b'{"run": {}}')

    lakehouse.collect()

    assert lakehouse.counts() == (1, 1, 2)
    address = f"{lakehouse.workspace.url}/{FOLDER}/lineage_1"
    assert lakehouse.letters("lineage_1") == [
        {"file": address, "line": 4, "text": "{half"},
        {"file": address, "line": 5, "text": '{"run": {}}'},
    ]


def test_half_a_line_waits_for_its_end(lakehouse: Lakehouse) -> None:
    first, second = a_write(), a_write()
    lakehouse.append("lineage_1", first + b"\n" + second[:50], end=b"")
    lakehouse.collect()
    assert (lakehouse.counts(), lakehouse.stored(first, second)) == ((1, 0, 0), [1, 0])
    lakehouse.append("lineage_1", second[50:], end=b"\r\n")

    lakehouse.collect()

    assert (lakehouse.counts(), lakehouse.stored(first, second)) == ((2, 0, 0), [1, 1])
    assert lakehouse.letters("lineage_1") == []


def test_the_end_of_an_idle_file_is_a_line(lakehouse: Lakehouse, idle: Callable[[], None]) -> None:
    first, second = a_write(), a_write()
    lakehouse.append("lineage_1", first + b"\n" + second, end=b"")
    lakehouse.collect()
    assert lakehouse.stored(first, second) == [1, 0]
    idle()

    assert lakehouse.collect().pending_bytes == 0
    assert lakehouse.stored(first, second) == [1, 1]
    assert lakehouse.counts() == (2, 0, 0)


def test_half_a_line_of_an_idle_file_is_dead_lettered_until_the_file_grows(
    lakehouse: Lakehouse, idle: Callable[[], None]
) -> None:
    whole, later = a_write(), a_write()
    lakehouse.append("lineage_1", whole[:50], end=b"")
    idle()
    for _ in range(2):
        assert lakehouse.collect().error == ""
        assert [letter["line"] for letter in lakehouse.letters("lineage_1")] == [1]
    lakehouse.append("lineage_1", whole[50:], later)

    lakehouse.collect()

    assert lakehouse.stored(whole, later) == [1, 1]
    assert lakehouse.letters("lineage_1") == []


def test_a_line_in_many_parts_and_many_lines_in_a_part(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [a_write(number) for number in range(8)]
    lakehouse.append("lineage_1", *events)
    for size in (100, 1000, 5000):
        lakehouse.append(f"lineage_of_{size}", *events)
        monkeypatch.setattr(collecting, "_PART_BYTES", size)
        assert lakehouse.collect().error == ""

    assert lakehouse.stored(*events) == [1] * 8
    assert lakehouse.counts() == (32, 0, 0)


def test_a_line_that_is_too_long_costs_itself_alone(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_PART_BYTES", 1000)
    receiver = replace(lakehouse.services.receiver, limits=replace(Limits(), max_body_bytes=2000))
    lakehouse.services = replace(lakehouse.services, receiver=receiver)
    events = [a_write(number) for number in range(3)]
    lakehouse.append("lineage_1", events[0], b"x" * 10_000, events[1], b"y" * 1990, events[2])

    lakehouse.collect()

    assert lakehouse.stored(*events) == [1, 1, 1]
    assert [letter["line"] for letter in lakehouse.letters("lineage_1")] == [2, 4]
    assert lakehouse.counts() == (3, 0, 2)


@pytest.mark.parametrize("longer", [True, False], ids=["longer", "shorter"])
def test_a_file_that_was_replaced_is_read_from_its_start(lakehouse: Lakehouse, longer: bool) -> None:
    old, new = [a_write(number) for number in range(3)], [a_write(number) for number in range(4 if longer else 1)]
    lakehouse.put("lineage_1", b"".join(line + b"\n" for line in old))
    lakehouse.collect()
    lakehouse.put("lineage_1", b"".join(line + b"\n" for line in new))

    lakehouse.collect()

    assert lakehouse.stored(*old, *new) == [1] * (len(old) + len(new))
    assert lakehouse.counts() == (len(new), 0, 0)


def test_a_file_that_was_touched_only_is_not_stored_again(lakehouse: Lakehouse) -> None:
    lakehouse.append("lineage_1", a_write())
    lakehouse.collect()
    lakehouse.workspace.get_blob_client(f"{FOLDER}/lineage_1").set_blob_metadata({"touched": "yes"})

    lakehouse.collect()

    assert lakehouse.counts() == (1, 0, 0)


def test_files_under_another_name_are_the_same_events(lakehouse: Lakehouse) -> None:
    events = [a_write(number) for number in range(3)]
    lakehouse.append("lineage_1", *events)
    lakehouse.collect()
    lakehouse.workspace.delete_blob(f"{FOLDER}/lineage_1")
    lakehouse.append("moved/lineage_1", *events)

    assert lakehouse.collect().files == 1
    assert lakehouse.stored(*events) == [1, 1, 1]
    known = lakehouse.services.file_progress.read(lakehouse.services.folders[0].address).files
    assert list(known) == [f"{FOLDER}/moved/lineage_1"]


def test_hidden_files_and_neighbouring_folders_are_left(lakehouse: Lakehouse) -> None:
    hidden = a_write()
    for name in ("_temporary/lineage_1", ".lineage_2", "a/_b/lineage_3"):
        lakehouse.put(name, hidden + b"\n")
    lakehouse.workspace.upload_blob(f"{FOLDER}2/lineage_4", hidden + b"\n")

    assert lakehouse.collect().files == 0
    assert lakehouse.stored(hidden) == [0]


def test_a_call_ends_in_time_and_the_next_one_continues(lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_PART_BYTES", 700)
    events = [a_write(number) for number in range(30)]
    lakehouse.append("lineage_1", *events[:20])
    lakehouse.append("lineage_2", *events[20:])

    def call() -> int:
        """A call that has time for a few parts, then it is late."""
        looks = itertools.count()
        monkeypatch.setattr(collecting, "_is_late", lambda _: next(looks) > 12)
        return lakehouse.collect().pending_bytes

    pending = [call()]
    while pending[-1]:
        pending.append(call())

    assert len(pending) > 3
    assert pending == sorted(pending, reverse=True)
    assert lakehouse.stored(*events) == [1] * 30


def test_two_workers_at_once_store_nothing_twice(lakehouse: Lakehouse) -> None:
    events = [a_write(number) for number in range(40)]
    for number in range(4):
        lakehouse.append(f"lineage_{number}", *events[10 * number : 10 * number + 10])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: collect(lakehouse.services, 60), range(4)))
    lakehouse.collect()

    assert lakehouse.stored(*events) == [1] * 40
    assert lakehouse.counts() == (40, 0, 0)


def test_a_worker_that_has_lost_its_folder_counts_nothing(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse.append("lineage_1", *(a_write(number) for number in range(3)))
    with monkeypatch.context() as patch:
        patch.setattr(HeldLocks, "check", lambda _: _raise(LeaseLost("expired")))
        lakehouse.collect()
    assert (lakehouse.counts(), lakehouse.letters("lineage_1")) == ((0, 0, 0), [])
    lakehouse.collect()
    assert lakehouse.counts() == (3, 0, 0)


def _raise(error: Exception) -> None:
    raise error


def test_appended_to_while_it_is_read(lakehouse: Lakehouse) -> None:
    events = [a_write(number) for number in range(30)]

    def write() -> None:
        for each in events:
            lakehouse.append("lineage_1", each)

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        while not writer.done():
            lakehouse.collect()
    lakehouse.collect()

    assert lakehouse.stored(*events) == [1] * 30
    assert lakehouse.counts() == (30, 0, 0)


def test_a_folder_that_cannot_be_read_has_its_reason_and_does_not_cost_the_others(lakehouse: Lakehouse) -> None:
    written = a_write()
    lakehouse.append("lineage_1", written)
    missing = folder_address(f"{lakehouse.workspace.url}x/{FOLDER}")
    good = lakehouse.services.folders[0]
    lakehouse.services = replace(lakehouse.services, folders=(EventFolder(missing, lakehouse.services.clients), good))

    assert "ContainerNotFound" in lakehouse.collect().error
    assert lakehouse.stored(written) == [1]
    assert lakehouse.services.file_progress.read(good.address).folder.error == ""


def test_a_file_that_cannot_be_read_does_not_cost_the_others(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [a_write(number) for number in range(3)]
    for number, each in enumerate(events):
        lakehouse.append(f"lineage_{number}", each)
    read = EventFolder.read

    def failing(folder: EventFolder, name: str, start: int, length: int) -> Any:
        if name.endswith("_1"):
            raise StorageUnavailable("no access")
        return read(folder, name, start, length)

    monkeypatch.setattr(EventFolder, "read", failing)
    assert lakehouse.collect().error == "no access"
    assert lakehouse.stored(*events) == [1, 0, 1]
    monkeypatch.setattr(EventFolder, "read", read)
    assert lakehouse.collect().error == ""
    assert lakehouse.stored(*events) == [1, 1, 1]


def test_many_files(lakehouse: Lakehouse) -> None:
    ignored = body(event(job_name="app.collect_limit", outputs=[])) + b"\n"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: lakehouse.put(f"lineage_{number:04}", ignored), range(60)))

    assert lakehouse.collect().files == 60
    assert lakehouse.counts() == (0, 60, 0)
