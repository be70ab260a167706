"""Table CreatedAssets: the assets that this app created in the catalogue, and the columns that it gave them.

This is not a cache: an asset that is not here belongs to a scan or a person, and is never changed.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from core.catalog_model import AssetName, Created
from core.errors import LeaseLost
from core.threads import in_threads
from storage.asset_cache import asset_key
from storage.batches import transactions
from storage.clients import CREATED_ASSETS, DETAILS, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, Version

_ATTEMPTS = 50
_AT_ONCE = 8
_MOST_ANNOUNCED = 20_000


class CreatedAssets:
    """What was created under each name."""

    def __init__(self, clients: StorageClients) -> None:
        self._rows = LargeRows(clients.table(CREATED_ASSETS), clients.container(DETAILS))
        # The versions of rows without a guid that this object wrote, so that they can be completed without reading.
        self._announced: dict[Key, Version] = {}

    def get_many(self, names: Iterable[AssetName]) -> dict[AssetName, Created]:
        """What is stored of these names, without those that the app never created.

        An announcement is as old as its row, by the clock of storage.

        :raises StorageUnavailable: if storage does not answer.
        """
        keys = {asset_key(name): name for name in names}
        rows = self._rows.get_many(keys)
        # A row with a missing part counts as no row: its asset is not changed from now on.
        return {keys[key]: _dated(_decode(row[0]), row[1]) for key, row in rows.items() if row}

    def add_many(self, created: Mapping[AssetName, Created]) -> None:
        """Add columns to what is stored of these names; a guid other than the stored one replaces all of it.

        Without a guid, an asset is announced from now on, also if it was announced before.

        :raises StorageUnavailable, LeaseLost: they may not be added.
        """
        groups = transactions(created.items(), lambda item: asset_key(item[0]).partition)
        in_threads(self._add_group, groups, _AT_ONCE)

    def remove(self, name: AssetName, guid: str) -> None:
        """Delete the row of an asset, unless another one of its name was created since.

        :raises StorageUnavailable: it may not be removed.
        """
        key = asset_key(name)
        values, version = self._read(key)
        if version and _decode(values).guid == guid:
            with suppress(Conflict):
                self._rows.delete(key, version)

    def all(self) -> Iterator[tuple[AssetName, Created]]:
        """Every asset that was created, from one listing; names are without characters that a table cannot store.

        :raises StorageUnavailable: also during the iteration.
        """
        for values, _ in self._rows.all():
            created = _decode(values)
            if created.guid:
                yield AssetName(str(values["typeName"]), str(values["qualifiedName"])), created

    def _add_group(self, items: Sequence[tuple[AssetName, Created]]) -> None:
        """Add to assets of one partition, one by one if one transaction is not possible."""
        if self._add_unread(items) or (len(items) > 1 and self._add_together(items)):
            return
        for item in items:
            self._add(item)

    def _add_unread(self, items: Sequence[tuple[AssetName, Created]]) -> bool:
        """Announce assets that were never created, the usual case, and complete those that this object announced."""
        versions = [self._announced.pop(asset_key(name), None) for name, _ in items]
        if any(version is None and added != Created() for (_, added), version in zip(items, versions, strict=True)):
            return False
        written = self._rows.put_small(
            [
                (asset_key(name), _encode(name, added), version)
                for (name, added), version in zip(items, versions, strict=True)
            ]
        )
        if written is None:
            return False
        if len(self._announced) > _MOST_ANNOUNCED:
            self._announced.clear()
        for (name, added), version in zip(items, written, strict=True):
            if not added.guid:
                self._announced[asset_key(name)] = version
        return True

    def _add_together(self, items: Sequence[tuple[AssetName, Created]]) -> bool:
        rows = self._rows.get_many(asset_key(name) for name, _ in items)
        changes = []
        for name, added in items:
            key = asset_key(name)
            row: tuple[Mapping[str, object], Version | None] | None = rows.get(key, ({}, None))
            if row is None:
                return False
            values, version = row
            before = _decode(values)
            after = _united(before, added)
            if version is None or after != before or not added.guid:
                changes.append((key, _encode(name, after), version))
        return not changes or self._rows.put_small(changes) is not None

    def _add(self, item: tuple[AssetName, Created]) -> None:
        name, added = item
        key = asset_key(name)
        for attempt in range(_ATTEMPTS):
            values, version = self._read(key)
            before = _decode(values)
            after = _united(before, added)
            if version and after == before and added.guid:
                return
            try:
                self._rows.put(key, _encode(name, after), version)
            except Conflict:
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            else:
                return
        raise LeaseLost(f"the row of asset {name.qualified_name} was changed by others {_ATTEMPTS} times in a row")

    def _read(self, key: Key) -> tuple[Mapping[str, object], Version | None]:
        return self._rows.get(key) or ({}, None)


def _dated(created: Created, version: Version) -> Created:
    return created if created.guid else replace(created, announced=version.written)


def _united(before: Created, added: Created) -> Created:
    return Created(added.guid, added.columns | before.columns) if added.guid == before.guid else added


def _encode(name: AssetName, created: Created) -> dict[str, object]:
    return {
        "typeName": name.type_name,
        "qualifiedName": name.qualified_name,
        "guid": created.guid,
        "columns": json.dumps(sorted(created.columns)),
    }


def _decode(values: Mapping[str, object]) -> Created:
    return Created(str(values.get("guid") or ""), frozenset(json.loads(str(values.get("columns") or "[]"))))
