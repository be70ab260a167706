"""Table AssetCache: guids of assets that were found in the catalogue, for as long as they may be believed.

A cache: whatever goes wrong with it is logged and otherwise without effect.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError

from core.errors import StorageUnavailable
from core.model import AssetName
from storage.clients import ASSET_CACHE, StorageClients
from storage.faults import describe
from storage.rows import Key
from storage.text import cut
from storage.transport import in_threads

log = logging.getLogger(__name__)

_AT_ONCE = 8
_NAME_UNITS = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


class AssetCache:
    """Names of assets to guids; an entry is believed for ``keep``."""

    def __init__(self, clients: StorageClients, keep: timedelta, clock: Callable[[], datetime] = _now) -> None:
        self._table = clients.table(ASSET_CACHE)
        self._keep = keep
        self._clock = clock

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, str]:
        """The guids of those names that are known and not expired."""
        distinct = list(dict.fromkeys(names))
        found = zip(distinct, in_threads(self._get, distinct, _AT_ONCE), strict=True)
        return {name: guid for name, guid in found if guid}

    def put_many(self, guids: Mapping[AssetName, str]) -> None:
        """Remember guids from now on."""
        in_threads(self._put, guids.items(), _AT_ONCE)

    def drop(self, names: Iterable[AssetName]) -> None:
        """Forget names."""
        in_threads(self._drop, dict.fromkeys(names), _AT_ONCE)

    def _get(self, name: AssetName) -> str:
        key = asset_key(name)
        try:
            entity = self._table.get_entity(key.partition, key.row)
        except ResourceNotFoundError:
            return ""
        except (AzureError, StorageUnavailable) as error:
            _log("read", error)
            return ""
        expires = entity.get("expires")
        is_valid = isinstance(expires, datetime) and expires > self._clock()
        return str(entity.get("guid") or "") if is_valid else ""

    def _put(self, item: tuple[AssetName, str]) -> None:
        name, guid = item
        key = asset_key(name)
        entity = {
            "PartitionKey": key.partition,
            "RowKey": key.row,
            "typeName": cut(name.type_name, _NAME_UNITS),
            "qualifiedName": cut(name.qualified_name, _NAME_UNITS),
            "guid": guid,
            "expires": self._clock() + self._keep,
        }
        try:
            self._table.upsert_entity(entity)
        except (AzureError, StorageUnavailable) as error:
            _log("written", error)

    def _drop(self, name: AssetName) -> None:
        key = asset_key(name)
        try:
            self._table.delete_entity(key.partition, key.row)
        except (AzureError, StorageUnavailable) as error:
            _log("dropped", error)


def asset_key(name: AssetName) -> Key:
    """The key of a row that belongs to an asset, whatever its name is made of."""
    text = f"{name.type_name}\n{name.qualified_name}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Key(digest[:2], digest)


def _log(action: str, error: AzureError | StorageUnavailable) -> None:
    reason = describe(error) if isinstance(error, AzureError) else error.reason
    log.warning("the asset cache could not be %s: %s", action, reason)
