"""Which files hold events, on this machine and in folders of a lake, and what is read of them."""

import io
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest
from azure.storage.blob import ContainerClient

from cli import event_files
from cli.event_files import EventFile, empty_folders, events_of, local_files, remote_files, standard_input, where
from storage.clients import StorageClients
from storage.event_folders import EventFolder

EVENT = b'{"an": "event"}'


def written(folder: Path, *names: str) -> list[Path]:
    """Files with an event each."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(EVENT)
    return [folder / name for name in names]


def listed(*paths: Path) -> list[tuple[str, int]]:
    """The files below the paths by name, without their folder, and their sizes."""
    return [(Path(file.name).name, file.size) for file in local_files(paths)]


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        *((f"a{suffix}", True) for suffix in event_files.SUFFIXES),
        ("A.JSON", True),
        ("lineage_1732900000", True),
        ("lineage", True),
        ("lineage_1.txt", False),
        ("my_lineage", False),
        ("a.txt", False),
        ("a.gz", False),
        ("_SUCCESS.json", False),
        (".a.json", False),
        (".lineage_1", False),
    ],
)
def test_the_files_of_a_folder_that_may_hold_events(name: str, is_read: bool, tmp_path: Path) -> None:
    written(tmp_path, f"below/{name}")

    assert listed(tmp_path) == ([(name, len(EVENT))] if is_read else [])
    assert list(empty_folders([tmp_path])) == ([] if is_read else [tmp_path])


def test_a_file_that_is_named_is_read_whatever_its_name_and_only_once(tmp_path: Path) -> None:
    b, a, other = written(tmp_path, "b.json", "a.json", "other.txt")
    again = tmp_path / "below" / ".." / "b.json"
    again.parent.parent.mkdir()

    assert [name for name, _ in listed(other, tmp_path, b, again)] == ["other.txt", "a.json", "b.json"]
    assert [name for name, _ in listed(b, b, tmp_path)] == ["b.json", "a.json"]
    assert list(empty_folders([a, tmp_path / "below", other])) == [tmp_path / "below"]


def test_a_folder_with_the_name_of_a_file_is_no_file(tmp_path: Path) -> None:
    written(tmp_path, "a.json/b.json")

    assert [name for name, _ in listed(tmp_path)] == ["b.json"]


def test_the_size_of_what_is_no_regular_file_is_not_known(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert listed(pipe) == [("pipe", 0)]


def test_an_event_is_named_by_its_file_and_its_place() -> None:
    assert (where("a.json", ""), where("a.json", "line 2")) == ("a.json", "a.json, line 2")


def test_the_bytes_that_were_read_are_counted(tmp_path: Path) -> None:
    written(tmp_path, "a.json")
    counts: list[int] = []
    (file,) = local_files([tmp_path])

    (event,) = events_of(file, counts.append)

    assert (event.body, event.problem, sum(counts)) == (EVENT, "", len(EVENT))


def test_a_file_is_closed_after_it_was_read_but_standard_input_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin, other = io.BytesIO(EVENT), io.BytesIO(EVENT)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))

    assert [event.body for event in events_of(standard_input())] == [EVENT]
    assert [event.body for event in events_of(EventFile("other", 0, lambda: other))] == [EVENT]
    assert (stdin.closed, other.closed) == (False, True)
    assert standard_input().size == 0


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (event,) = events_of(EventFile("a", 0, (tmp_path / "missing").open))  # type: ignore[arg-type]

    assert (event.place, event.body, "No such file" in event.problem) == ("", b"", True)


@pytest.fixture
def lake(storage_clients: StorageClients, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerClient]:
    """A container that is read with the account's key instead of an identity, six bytes at a time."""
    monkeypatch.setattr(event_files, "EventFolder", lambda address: EventFolder(address, storage_clients))
    monkeypatch.setattr(event_files, "_READ_AHEAD", 6)
    container = storage_clients.blobs.create_container(f"lake-{uuid.uuid4()}")
    yield container
    container.delete_container()


def read(file: EventFile) -> bytes:
    with file.open() as stream:
        return stream.read()


def test_the_files_of_a_lake_are_read_in_parts(lake: ContainerClient) -> None:
    lake.upload_blob("logs/a.json", EVENT)
    lake.upload_blob("logs/b.json", b"123456")

    a, b = remote_files(f"{lake.url}/logs")

    assert [(file.name.partition(lake.container_name)[2], file.size) for file in (a, b)] == [
        ("/logs/a.json", len(EVENT)),
        ("/logs/b.json", 6),
    ]
    assert (read(a), read(b)) == (EVENT, b"123456")
    assert [event.body for event in events_of(a)] == [EVENT]


def test_what_is_added_to_a_file_after_it_was_listed_is_not_read(lake: ContainerClient) -> None:
    lake.upload_blob("a.json", b"1234567")
    (file,) = remote_files(f"{lake.url}/a.json")

    lake.upload_blob("a.json", b"123456789", overwrite=True)
    assert read(file) == b"1234567"
    lake.delete_blob("a.json")
    assert read(file) == b""


def test_a_short_read_of_a_lake_goes_on_where_it_ended(lake: ContainerClient) -> None:
    lake.upload_blob("a.json", b"1234567")
    (file,) = remote_files(f"{lake.url}/a.json")

    def parts(stream: BinaryIO) -> list[bytes]:
        return [stream.read(size) for size in (2, 4, 9, 1)]

    with file.open() as stream:
        assert parts(stream) == [b"12", b"3456", b"7", b""]
