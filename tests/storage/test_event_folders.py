"""Files of a folder are listed as Spark would, and read part by part."""

import pytest

from core.folder_address import FolderAddress
from storage.clients import EVENTS, StorageClients
from storage.event_folders import EventFolder, Part
from tests.storage.runs import new_run

FILES = ["_tmp/a", "a", "a.json", "sub/.b", "sub/_b", "sub/b", "sub/_c/d", "sub/c.d/_"]


def a_folder(clients: StorageClients, path: str) -> EventFolder:
    return EventFolder(FolderAddress(clients.blobs.url.rstrip("/"), EVENTS, path), clients)


@pytest.fixture
def path(storage_clients: StorageClients) -> str:
    """A folder with some files, beside others whose names begin like its own."""
    path = new_run()
    for name in (*(f"{path}/{name}" for name in FILES), f"{path}-other", f"{path}2/a"):
        storage_clients.container(EVENTS).upload_blob(name, b"0123456789")
    storage_clients.container(EVENTS).upload_blob(f"{path}/empty", b"")
    return path


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("", ["/a", "/a.json", "/sub/b"]),
        ("/sub", ["/sub/b"]),
        ("/sub/b", ["/sub/b"]),
        ("/a", ["/a"]),
        ("/missing", []),
        ("/_tmp", ["/_tmp/a"]),
    ],
)
def test_files_below_a_folder_are_listed_without_hidden_and_empty_ones(
    below: str, expected: list[str], path: str, storage_clients: StorageClients
) -> None:
    found = list(a_folder(storage_clients, path + below).files())
    assert [(file.name, file.size) for file in found] == [(path + name, 10) for name in expected]


def test_a_whole_container_is_a_folder(path: str, storage_clients: StorageClients) -> None:
    found = {file.name for file in a_folder(storage_clients, "").files()}
    assert {f"{path}/a", f"{path}-other", f"{path}2/a"} <= found
    assert f"{path}/_tmp/a" not in found


@pytest.mark.parametrize(
    ("name", "start", "length", "expected"),
    [("a", 0, 4, b"0123"), ("a", 8, 4, b"89"), ("a", 9, 1, b"9"), ("a", 11, 4, None), ("gone", 0, 4, None)],
)
def test_a_part_of_a_file_is_read_if_it_is_there(
    name: str, start: int, length: int, expected: bytes | None, path: str, storage_clients: StorageClients
) -> None:
    folder = a_folder(storage_clients, path)
    created = storage_clients.container(EVENTS).get_blob_client(f"{path}/a").get_blob_properties().creation_time
    part = folder.read(f"{path}/{name}", start, length)
    assert part == (None if expected is None else Part(expected, created))
    assert next(folder.files()).created == created


@pytest.mark.parametrize("account", ["https://lake.blob.core.windows.net", "https://onelake.blob.fabric.microsoft.com"])
def test_a_folder_of_another_account_is_read_there(account: str, storage_clients: StorageClients) -> None:
    folder = EventFolder(FolderAddress(account, "workspace", "events"), storage_clients)
    assert folder._container.url == f"{account}/workspace"
