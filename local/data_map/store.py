"""The data of the Data Map, in SQLite with a write-ahead log: it survives a restart and a kill.

``Store.reading()`` gives a session with a consistent view, ``Store.writing()`` one that commits at its end, or rolls
back after an exception. Sessions know rows, not rules.
"""

import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    id INTEGER PRIMARY KEY, guid TEXT UNIQUE NOT NULL, type TEXT NOT NULL, qualified_name TEXT,
    attributes TEXT NOT NULL, collection TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    created_by TEXT NOT NULL DEFAULT 'local', updated_by TEXT NOT NULL DEFAULT 'local');
CREATE INDEX IF NOT EXISTS entities_by_name ON entities (qualified_name, type);
CREATE TABLE IF NOT EXISTS relationships (
    id INTEGER PRIMARY KEY, guid TEXT UNIQUE NOT NULL, type TEXT NOT NULL, end1 TEXT NOT NULL,
    end2 TEXT NOT NULL, attributes TEXT NOT NULL, UNIQUE (type, end1, end2));
CREATE INDEX IF NOT EXISTS relationships_by_end1 ON relationships (end1);
CREATE INDEX IF NOT EXISTS relationships_by_end2 ON relationships (end2);
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, guid TEXT NOT NULL, visible_at REAL NOT NULL, body TEXT);
CREATE INDEX IF NOT EXISTS documents_by_guid ON documents (guid, visible_at);
CREATE TABLE IF NOT EXISTS definitions (
    category TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (category, name));
"""
# Columns that databases of earlier versions lack.
_ADDED = ("created_by", "updated_by")
_TABLES = ("entities", "relationships", "documents", "definitions")
_LOCK_WAIT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Entity:
    """A stored entity; times are milliseconds since 1970, unset attributes are absent, authors are any texts."""

    guid: str
    type: str
    attributes: dict[str, Any]
    collection: str
    created: int
    updated: int
    created_by: str
    updated_by: str

    @property
    def qualified_name(self) -> str | None:
        """The unique name, None for the few types without one."""
        return self.attributes.get("qualifiedName")

    @property
    def display_text(self) -> str:
        """The text in lists: the name, else the qualified name, else the guid."""
        return str(self.attributes.get("name") or self.qualified_name or self.guid)


@dataclass(frozen=True, slots=True)
class Relationship:
    """A stored relationship between the entities with the guids ``end1`` and ``end2``."""

    guid: str
    type: str
    end1: str
    end2: str
    attributes: dict[str, Any]

    def other(self, guid: str) -> str:
        """The end that isn't ``guid``; ``guid`` itself for a loop."""
        return self.end2 if guid == self.end1 else self.end1


class Session:
    """Rows of the store as seen and changed by one request."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def entity(self, guid: str) -> Entity | None:
        """The entity with this guid."""
        return _entity(self._run("SELECT * FROM entities WHERE guid = ?", (guid,)).fetchone())

    def named(self, types: Sequence[str], qualified_name: str) -> Entity | None:
        """The oldest entity of that name, of the first of ``types`` preferably."""
        rows = self._run("SELECT * FROM entities WHERE qualified_name = ? ORDER BY id", (qualified_name,))
        found = [row for row in rows if row[2] in types]
        return _entity(min(found, key=lambda row: row[2] != types[0], default=None))

    def entities(self, has_type: Callable[[str], bool] = lambda _: True) -> list[Entity]:
        """All entities, oldest first, or those of some types."""
        rows = self._run("SELECT * FROM entities ORDER BY id")
        return [made for row in rows if has_type(row[2]) and (made := _entity(row))]

    def containing(self, text: str) -> list[Entity]:
        """The entities with a text in their qualified names, oldest first."""
        rows = self._run("SELECT * FROM entities WHERE instr(qualified_name, ?) ORDER BY id", (text,))
        return [made for row in rows if (made := _entity(row))]

    def put(self, entity: Entity) -> None:
        """Inserts the entity, or replaces the one with its guid."""
        self._run(
            "INSERT INTO entities (guid, type, qualified_name, attributes, collection, created, updated, created_by,"
            " updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (guid) DO UPDATE SET qualified_name ="
            " excluded.qualified_name, attributes = excluded.attributes, collection = excluded.collection,"
            " updated = excluded.updated, updated_by = excluded.updated_by",
            (
                entity.guid,
                entity.type,
                entity.qualified_name,
                json.dumps(entity.attributes),
                entity.collection,
                entity.created,
                entity.updated,
                entity.created_by,
                entity.updated_by,
            ),
        )

    def remove(self, guid: str) -> None:
        """Removes the entity and its relationships."""
        self._run("DELETE FROM entities WHERE guid = ?", (guid,))
        self._run("DELETE FROM relationships WHERE end1 = ? OR end2 = ?", (guid, guid))

    def relationships(self, guid: str) -> list[Relationship]:
        """All relationships with the entity at either end, oldest first."""
        rows = self._run("SELECT * FROM relationships WHERE end1 = ? OR end2 = ? ORDER BY id", (guid, guid))
        return [_relationship(row) for row in rows]

    def relationship(self, guid: str) -> Relationship | None:
        """The relationship with this guid."""
        row = self._run("SELECT * FROM relationships WHERE guid = ?", (guid,)).fetchone()
        return None if row is None else _relationship(row)

    def relate(self, made: Relationship) -> None:
        """Inserts a relationship; an existing one stays as it is."""
        self._run(
            "INSERT OR IGNORE INTO relationships (guid, type, end1, end2, attributes) VALUES (?, ?, ?, ?, ?)",
            (made.guid, made.type, made.end1, made.end2, json.dumps(made.attributes)),
        )

    def unrelate(self, guid: str) -> None:
        """Removes a relationship."""
        self._run("DELETE FROM relationships WHERE guid = ?", (guid,))

    def index(self, guid: str, body: dict[str, Any] | None, visible_at: float) -> None:
        """Updates the search with an entity, or its deletion (None), from ``visible_at`` (seconds since 1970) on."""
        text = None if body is None else json.dumps(body)
        row = (guid, visible_at, text)
        self._run("INSERT INTO documents (guid, visible_at, body) VALUES (?, ?, ?)", row)

    def documents(self, now: float) -> list[dict[str, Any]]:
        """The documents that the search has at ``now``, in the order in which they were added."""
        rows = self._run(
            "SELECT body FROM documents WHERE body IS NOT NULL AND id IN"
            " (SELECT max(id) FROM documents WHERE visible_at <= ? GROUP BY guid) ORDER BY id",
            (now,),
        )
        return [json.loads(row[0]) for row in rows]

    def forget_documents(self, now: float) -> None:
        """Deletes the documents that newer ones, visible by ``now``, have replaced."""
        self._run(
            "DELETE FROM documents WHERE id NOT IN (SELECT max(id) FROM documents WHERE visible_at <= ?"
            " GROUP BY guid) AND visible_at <= ?",
            (now, now),
        )

    def define(self, category: str, name: str, body: dict[str, Any]) -> None:
        """Stores a type definition."""
        row = (category, name, json.dumps(body))
        self._run("INSERT OR REPLACE INTO definitions (category, name, body) VALUES (?, ?, ?)", row)

    def definitions(self, category: str) -> dict[str, Any]:
        """The stored type definitions of a category by name."""
        rows = self._run("SELECT name, body FROM definitions WHERE category = ?", (category,))
        return {name: json.loads(body) for name, body in rows}

    def clear(self) -> None:
        """Removes everything."""
        for table in _TABLES:
            self._run(f"DELETE FROM {table}")  # noqa: S608  the names are those above


class Store:
    """The database; ``path`` None puts it into a folder that is deleted at ``close()``."""

    def __init__(self, path: Path | None) -> None:
        self._folder = None if path else tempfile.TemporaryDirectory(prefix="data-map-")
        self._path = path or Path(self._folder.name if self._folder else "", "data_map.sqlite")
        self._idle: list[sqlite3.Connection] = []
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._write = threading.Lock()
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            known = {row[1] for row in connection.execute("PRAGMA table_info (entities)")}
            for column in _ADDED:
                if column not in known:
                    connection.execute(f"ALTER TABLE entities ADD COLUMN {column} TEXT NOT NULL DEFAULT 'local'")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads one state of the store, however long it takes."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield Session(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session with exclusive writing, which commits unless an exception is raised."""
        with self._write, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Session(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Closes every connection; no session may be open."""
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._idle.clear()
        if self._folder:
            self._folder.cleanup()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            connection = self._idle.pop() if self._idle else self._connect()
        try:
            yield connection
        finally:
            with self._guard:
                self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_LOCK_WAIT, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = NORMAL")
        self._all.append(connection)
        return connection


def _entity(row: tuple[Any, ...] | None) -> Entity | None:
    if row is None:
        return None
    _, guid, kind, _, attributes, collection, created, updated, created_by, updated_by = row
    return Entity(guid, kind, json.loads(attributes), collection, created, updated, created_by, updated_by)


def _relationship(row: tuple[Any, ...]) -> Relationship:
    _, guid, kind, end1, end2, attributes = row
    return Relationship(guid, kind, end1, end2, json.loads(attributes))
