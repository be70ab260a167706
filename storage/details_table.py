"""Table LineageDetails: one row per process, with the contributions of its runs and what was uploaded."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from storage.clients import DETAILS, LINEAGE_DETAILS, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, Value, Version

__all__ = ["Conflict", "DetailsRow", "DetailsTable"]

_OWN = ("qualifiedName", "history", "repeats", "fingerprint", "uploaded", "dirty", "processGuid", "referred")
_HEAD = ("repeats", "fingerprint", "uploaded", "dirty", "processGuid")


@dataclass(frozen=True, slots=True)
class DetailsRow:
    """What is kept of one process.

    ``history``, ``repeats`` and ``referred`` are opaque here. ``fingerprint``
    identifies what was uploaded at ``uploaded`` (UTC); ``dirty`` means that an upload may be missing. ``columns`` are
    for people and reports. ``version`` is None for a row that has not been written yet.
    """

    qualified_name: str
    history: bytes = b""
    fingerprint: str = ""
    uploaded: datetime | None = None
    dirty: bool = False
    process_guid: str = ""
    columns: Mapping[str, str | bool] = field(default_factory=dict)
    version: Version | None = None
    repeats: str = ""
    referred: bytes = b""


def _is_any(_: str) -> bool:
    return True


#: The parts in which the table is read: one for each first digit of a key.
PARTS = 16


class DetailsTable:
    """Reads and writes the rows of processes. A row is only replaced if nobody has changed it since it was read."""

    def __init__(self, clients: StorageClients) -> None:
        self._rows = LargeRows(clients.table(LINEAGE_DETAILS), clients.container(DETAILS))

    def read(self, qualified_name: str) -> DetailsRow | None:
        """Read the row of a process; None if there is none.

        :raises StorageUnavailable: if storage does not answer.
        """
        found = self._rows.get(_key(qualified_name))
        # In the property, characters that a table cannot store are replaced; the caller's name is the real one.
        return replace(_row(*found), qualified_name=qualified_name) if found else None

    def read_head(self, qualified_name: str) -> DetailsRow | None:
        """The row of a process without its history and columns, however large these are, or None.

        :raises StorageUnavailable: if storage does not answer.
        """
        found = self._rows.get_small(_key(qualified_name), _HEAD)
        return replace(_row(*found), qualified_name=qualified_name) if found else None

    def note_repeats(self, row: DetailsRow, repeats: str) -> None:
        """Replace ``repeats`` of a row.

        :raises Conflict: the row was changed or deleted since it was read.
        :raises StorageUnavailable: it may not be written.
        :raises ValueError: the row was never written.
        """
        if row.version is None:
            raise ValueError("there is no such row")
        self._rows.put_property(_key(row.qualified_name), "repeats", repeats, row.version)

    def write(self, row: DetailsRow) -> DetailsRow:
        """Write a row and return it with its new version.

        :raises Conflict: if the row was created, changed or deleted since ``row`` was read; read and merge again.
        :raises StorageUnavailable: if storage does not answer; the row may not be written.
        :raises ValueError: if one of ``columns`` has the name of a column that this class writes.
        """
        if not row.columns.keys().isdisjoint(_OWN):
            raise ValueError(f"columns must not be named {', '.join(_OWN)}")
        values: dict[str, Value] = {
            **row.columns,
            "qualifiedName": row.qualified_name,
            "history": row.history,
            "repeats": row.repeats,
            "fingerprint": row.fingerprint,
            "dirty": row.dirty,
            "processGuid": row.process_guid,
            "referred": row.referred,
        }
        if row.uploaded is not None:
            values["uploaded"] = row.uploaded
        return replace(row, version=self._rows.put(_key(row.qualified_name), values, row.version))

    def delete(self, row: DetailsRow) -> None:
        """Delete a row as it was read. A row that was never written is ignored.

        :raises Conflict: if it has changed since.
        :raises StorageUnavailable: if storage does not answer; the row may not be deleted.
        """
        if row.version:
            self._rows.delete(_key(row.qualified_name), row.version)

    def all(self, is_wanted: Callable[[str], bool] = _is_any) -> Iterator[DetailsRow]:
        """List every row that can be read; the others are logged.

        ``is_wanted`` is called with the qualified name, before the history of a row is read.

        :raises StorageUnavailable: if storage does not answer, also during the iteration.
        """
        for values, version in self._rows.all(lambda values: is_wanted(values.get("qualifiedName") or "")):
            yield _row(values, version)

    def part(self, number: int) -> Iterator[DetailsRow]:
        """The rows of one of ``PARTS`` parts of about the same size; one that cannot be read is logged.

        :raises StorageUnavailable: storage does not answer, also during the iteration.
        """
        for values, version in self._rows.all(digit=f"{number:x}"):
            yield _row(values, version)


def _row(values: Mapping[str, Value], version: Version) -> DetailsRow:
    uploaded = values.get("uploaded")
    return DetailsRow(
        qualified_name=values.get("qualifiedName") or "",
        history=values.get("history") or b"",
        repeats=values.get("repeats") or "",
        fingerprint=values.get("fingerprint") or "",
        uploaded=uploaded.astimezone(UTC) if isinstance(uploaded, datetime) else None,
        dirty=bool(values.get("dirty")),
        process_guid=values.get("processGuid") or "",
        referred=values.get("referred") or b"",
        columns={name: value for name, value in values.items() if name not in _OWN},
        version=version,
    )


def _key(qualified_name: str) -> Key:
    digest = hashlib.sha256(qualified_name.encode("utf-8", "surrogatepass")).hexdigest()
    return Key(digest[:2], digest)
