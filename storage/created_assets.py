"""Table CreatedAssets: which assets of the catalogue are ours, and which columns we gave them.

No cache: an asset that is not here belongs to a scan or a person, and is left alone for good.
"""

import json
import logging
import random
import time
from collections.abc import Iterable, Iterator, Mapping

from core.errors import LeaseLost
from core.model import AssetName, Created
from storage.asset_cache import asset_key
from storage.clients import CREATED_ASSETS, DETAILS, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, MissingBlob, Version
from storage.transport import in_threads

log = logging.getLogger(__name__)

_ATTEMPTS = 50
_AT_ONCE = 8


class CreatedAssets:
    """What was created under each name."""

    def __init__(self, clients: StorageClients) -> None:
        self._rows = LargeRows(clients.table(CREATED_ASSETS), clients.container(DETAILS))

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, Created]:
        """What is known of these names; those that were never created by us are left out.

        :raises StorageUnavailable: as the name says.
        """
        distinct = list(dict.fromkeys(names))
        found = zip(distinct, in_threads(self._get, distinct, _AT_ONCE), strict=True)
        return {name: created for name, created in found if created}

    def add_many(self, created: Mapping[AssetName, Created]) -> None:
        """Add columns to what is known of these names; another guid than the known one starts anew.

        :raises StorageUnavailable, LeaseLost: they may not be added.
        """
        in_threads(self._add, created.items(), _AT_ONCE)

    def all(self) -> Iterator[tuple[AssetName, Created]]:
        """Every asset that was created, one by one. Characters that a table cannot hold are replaced in the names.

        :raises StorageUnavailable: also in the midst of the iteration.
        """
        for key in self._rows.all_keys():
            values, _ = self._readable(key)
            created = _decode(values)
            if created.guid:
                yield AssetName(str(values["typeName"]), str(values["qualifiedName"])), created

    def _get(self, name: AssetName) -> Created | None:
        values, version = self._readable(asset_key(name))
        return _decode(values) if version else None

    def _add(self, item: tuple[AssetName, Created]) -> None:
        name, added = item
        key = asset_key(name)
        for attempt in range(_ATTEMPTS):
            values, version = self._read(key)
            before = _decode(values)
            after = Created(added.guid, added.columns | before.columns) if added.guid == before.guid else added
            if version and after == before:
                return
            try:
                self._rows.put(key, _encode(name, after), version)
            except Conflict:
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            else:
                return
        raise LeaseLost(f"the row of asset {name.qualified_name} was changed by others {_ATTEMPTS} times in a row")

    def _readable(self, key: Key) -> tuple[Mapping[str, object], Version | None]:
        """A row; one of which a part is gone is as none: its asset is left alone from now on."""
        try:
            return self._read(key)
        except MissingBlob as error:
            log.error("passed over a created asset: %s", error.reason)
            return {}, None

    def _read(self, key: Key) -> tuple[Mapping[str, object], Version | None]:
        return self._rows.get(key) or ({}, None)


def _encode(name: AssetName, created: Created) -> dict[str, object]:
    return {
        "typeName": name.type_name,
        "qualifiedName": name.qualified_name,
        "guid": created.guid,
        "columns": json.dumps(sorted(created.columns)),
    }


def _decode(values: Mapping[str, object]) -> Created:
    return Created(str(values.get("guid") or ""), frozenset(json.loads(str(values.get("columns") or "[]"))))
