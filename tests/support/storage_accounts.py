"""Storage accounts of one Azurite: what a test finds in its own account does not grow with the other tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.storage_connection import StorageConnection
from local.azurite import ACCOUNT_KEY, ACCOUNT_NAME, Azurite

_NAMES = [f"account{number:03}" for number in range(500)]


class StorageAccounts:
    """An Azurite in memory, and its accounts that nobody has used yet."""

    def __init__(self, azurite: Azurite) -> None:
        self.azurite = azurite
        self._unused = iter(_NAMES)

    def new(self) -> StorageConnection:
        """How an empty account is reached."""
        return StorageConnection(
            connection_string=self.azurite.connection_string.replace(ACCOUNT_NAME, next(self._unused))
        )


@contextmanager
def running_accounts(folder: Path) -> Iterator[StorageAccounts]:
    """Starts an Azurite that has many accounts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURITE_ACCOUNTS", ";".join(f"{name}:{ACCOUNT_KEY}" for name in (ACCOUNT_NAME, *_NAMES)))
        azurite = Azurite(folder / "azurite.log")
        azurite.start()
    with azurite:
        yield StorageAccounts(azurite)
