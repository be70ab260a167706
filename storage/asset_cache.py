"""Table AssetCache: guids of assets that were found in the catalogue, for a limited time.

It is a cache: its errors are logged and have no other effect.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from core.catalog_model import AssetName
from core.errors import StorageUnavailable
from core.threads import in_threads
from storage.batches import read_rows, transactions
from storage.clients import ASSET_CACHE, StorageClients
from storage.faults import describe, storage_faults
from storage.rows import Key
from storage.text import cut

log = logging.getLogger(__name__)

_AT_ONCE = 8
_NAME_UNITS = 10_000
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


class AssetCache:
    """Maps names of assets to guids; an entry is valid for ``keep``."""

    def __init__(self, clients: StorageClients, keep: timedelta, clock: Callable[[], datetime] = _now) -> None:
        self._table = clients.table(ASSET_CACHE)
        self._keep = keep
        self._clock = clock

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, str]:
        """The guids of those names that are known and not expired."""
        keys = {asset_key(name): name for name in names}
        try:
            rows = read_rows(self._table, ((key.partition, key.row) for key in keys))
        except (AzureError, StorageUnavailable) as error:
            _log("read", error)
            return {}
        return {
            keys[Key(row["PartitionKey"], row["RowKey"])]: str(row["guid"])
            for row in rows
            if row.get("guid") and _is_valid(row.get("expires"), self._clock())
        }

    def put_many(self, guids: Mapping[AssetName, str], *, lasting: bool = False) -> None:
        """Store guids; ``lasting`` ones are valid until they are dropped."""
        expires = _NEVER if lasting else self._clock() + self._keep
        rows = (_row(name, guid, expires) for name, guid in guids.items())
        in_threads(self._put, transactions(rows, lambda row: str(row["PartitionKey"])), _AT_ONCE)

    def drop(self, names: Iterable[AssetName]) -> None:
        """Delete the guids of names."""
        in_threads(self._drop, dict.fromkeys(names), _AT_ONCE)

    def purge(self) -> int:
        """Delete expired rows; returns how many.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("purge the asset cache"):
            query = "expires lt @now"
            rows = self._table.query_entities(
                query, parameters={"now": self._clock()}, select=["PartitionKey", "RowKey"]
            )
            expired = [Key(row["PartitionKey"], row["RowKey"]) for row in rows]
            in_threads(lambda key: self._table.delete_entity(key.partition, key.row), expired, _AT_ONCE)
        return len(expired)

    def _put(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write rows of one partition."""
        try:
            if len(rows) == 1:
                self._table.upsert_entity(rows[0])
            else:
                self._table.submit_transaction([("upsert", row) for row in rows])
        except (AzureError, StorageUnavailable) as error:
            _log("written", error)

    def _drop(self, name: AssetName) -> None:
        key = asset_key(name)
        try:
            self._table.delete_entity(key.partition, key.row)
        except (AzureError, StorageUnavailable) as error:
            _log("dropped", error)


def asset_key(name: AssetName) -> Key:
    """The key of an asset's row; names may contain any characters."""
    text = f"{name.type_name}\n{name.qualified_name}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Key(digest[:2], digest)


def _row(name: AssetName, guid: str, expires: datetime) -> dict[str, object]:
    key = asset_key(name)
    return {
        "PartitionKey": key.partition,
        "RowKey": key.row,
        "typeName": cut(name.type_name, _NAME_UNITS),
        "qualifiedName": cut(name.qualified_name, _NAME_UNITS),
        "guid": guid,
        "expires": expires,
    }


def _is_valid(expires: object, now: datetime) -> bool:
    return isinstance(expires, datetime) and expires > now


def _log(action: str, error: AzureError | StorageUnavailable) -> None:
    reason = describe(error) if isinstance(error, AzureError) else error.reason
    log.warning("the asset cache could not be %s: %s", action, reason)
