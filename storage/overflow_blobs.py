"""The values that are too large for a table row: each lies in a blob, at which the row points.

In place of such a value the row has the blob's path, and in the column ``Overflow`` the blob's name and the value's
type. Names of blobs are never used twice, so a late deletion cannot hit what another worker has just written.
"""

import gzip
import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from storage.faults import describe
from storage.row_limits import too_large

log = logging.getLogger(__name__)

#: The column that lists the blobs of a row.
OVERFLOW = "Overflow"


def blobs_of(entity: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the blobs at which a row points."""
    return tuple(pointer["blob"] for pointer in _pointers(entity).values())


class OverflowBlobs:
    """The blobs of one table's rows. The methods raise what the SDK raises."""

    def __init__(self, table: str, container: ContainerClient) -> None:
        self._table = table
        self._container = container

    def move(self, entity: dict[str, Any]) -> dict[str, Any]:
        """Write what is too large for the row into blobs; the row that points at them."""
        row = dict(entity)
        pointers: dict[str, dict[str, str]] = {}
        while (name := too_large(row)) is not None:
            blob = self._put(row["RowKey"], name, row[name])
            pointers[name] = {"blob": blob, "type": type(row[name]).__name__}
            row[name] = f"{self._container.container_name}/{blob}"
        if pointers:
            row[OVERFLOW] = json.dumps(pointers)
        return row

    def read(self, entity: Mapping[str, Any]) -> dict[str, str | bytes]:
        """The values of a row that lie in blobs.

        :raises ResourceNotFoundError: one of the blobs is gone.
        """
        values: dict[str, str | bytes] = {}
        for name, pointer in _pointers(entity).items():
            data = gzip.decompress(self._container.download_blob(pointer["blob"]).readall())
            values[name] = data.decode() if pointer["type"] == "str" else data
        return values

    def before(self, time: datetime) -> Iterator[str]:
        """The names of the blobs that were written before a time (UTC)."""
        for blob in self._container.list_blobs(name_starts_with=f"{self._table}/"):
            if blob.last_modified < time:
                yield blob.name

    def delete(self, names: Iterable[str]) -> None:
        """Delete blobs at which no row points; one that cannot be deleted is logged and stays."""
        for name in names:
            try:
                self._container.delete_blob(name)
            except AzureError as error:
                log.warning("blob %s is not used any more, but could not be deleted: %s", name, describe(error))

    def _put(self, row_key: str, name: str, value: str | bytes) -> str:
        data = value.encode() if isinstance(value, str) else value
        digest = hashlib.sha256(data).hexdigest()[:16]
        blob = f"{self._table}/{row_key}/{name}-{digest}-{uuid.uuid4().hex[:8]}.gz"
        self._container.upload_blob(blob, gzip.compress(data, mtime=0), overwrite=True)
        return blob


def _pointers(entity: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """For each value in a blob the blob's name and the value's type."""
    text = entity.get(OVERFLOW)
    pointers: dict[str, dict[str, str]] = json.loads(text) if text else {}
    return pointers
