"""Addresses of folders: which spellings mean the same, and which are refused."""

import pytest

from core.folder_address import FolderAddress, folder_address

ONELAKE = "https://onelake.blob.fabric.microsoft.com"
LAKE = "https://contosolake.blob.core.windows.net"
AZURITE = "http://127.0.0.1:10000/devstoreaccount1"
HOST = "contosolake.dfs.core.windows.net"


@pytest.mark.parametrize(
    ("text", "account", "container", "path"),
    [
        (f"{ONELAKE}/Sales/Sales.Lakehouse/Files/Lineage", ONELAKE, "Sales", "Sales.Lakehouse/Files/Lineage"),
        (f"{LAKE}/data", LAKE, "data", ""),
        (f"{LAKE}/data/", LAKE, "data", ""),
        (f"{LAKE}//data//a%20b/", LAKE, "data", "a b"),
        (f"https://{HOST}/data/a", LAKE, "data", "a"),
        (f"abfss://data@{HOST}/a/b", LAKE, "data", "a/b"),
        (f"abfss://data@{HOST}", LAKE, "data", ""),
        (f"{LAKE}:8443/data/a", f"{LAKE}:8443", "data", "a"),
        # On this machine the first part of the path is the account.
        (f"{AZURITE}/data/a", AZURITE, "data", "a"),
        (f"{AZURITE}/data", AZURITE, "data", ""),
        ("http://127.0.0.1:10000/data", "http://127.0.0.1:10000", "data", ""),
        ("https://localhost:10000/devstoreaccount1/data", "https://localhost:10000/devstoreaccount1", "data", ""),
    ],
)
def test_an_address_is_an_account_a_container_and_a_path(text: str, account: str, container: str, path: str) -> None:
    assert folder_address(text) == FolderAddress(account, container, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Files/Lineage",
        LAKE,
        f"{LAKE}/",
        "https:///data",
        f"http://{HOST}/data",
        f"abfss://{HOST}/data",
        f"ftp://{HOST}/data",
        "https://[::1/data",
        "https://host:port/data",
    ],
)
def test_what_is_no_address_of_a_folder_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an address such as https://onelake"):
        folder_address(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{LAKE}/data?sv=1&sig=secret",
        f"{LAKE}/data#part",
        "https://me@contosolake.blob.core.windows.net/data",
        f"abfss://data:secret@{HOST}/a",
    ],
)
def test_an_address_with_a_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an address without key or query") as refused:
        folder_address(text)
    assert "secret" not in str(refused.value)


def test_an_address_is_written_in_one_spelling() -> None:
    assert str(folder_address(f"abfss://data@{HOST}/a b/ü/")) == f"{LAKE}/data/a%20b/%C3%BC"
