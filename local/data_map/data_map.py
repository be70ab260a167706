"""The Data Map as an object: every operation of the API as a method, each one transaction.

HTTP is in atlas_routes.py; the rules are in the modules that this one calls.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local.data_map import entities, views
from local.data_map.atlas_errors import AtlasError
from local.data_map.definitions import read_definitions
from local.data_map.lineage import lineage
from local.data_map.matching import match, resolve
from local.data_map.payload import Draft, drafts, read_draft, read_reference, sent_entities, sent_entity
from local.data_map.relations import relate
from local.data_map.search import read_query, search
from local.data_map.store import Entity, Session, Store
from local.data_map.types import TypeSystem


@dataclass(frozen=True, slots=True)
class Settings:
    """How the Data Map behaves: ``search_delay`` and ``pause`` in seconds.

    ``lenient`` takes no lock between looking for a name and creating it, ``pause`` is the time between the two.
    ``author`` is the author of requests: Purview uses the object id of the caller, but here nobody signs in.
    """

    search_delay: float = 0.0
    lenient: bool = False
    pause: float = 0.0
    author: str = "local"


@dataclass(slots=True)
class DataMap:
    """A Data Map over a store. Safe to use from several threads."""

    store: Store
    types: TypeSystem
    settings: Settings = field(default_factory=Settings)
    _defining: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, path: Path | None) -> "DataMap":
        """Opens the database at ``path``; None for one that is deleted at ``close()``."""
        store = Store(path)
        with store.writing() as session:
            session.forget_documents(time.time())
            entity_types = session.definitions("ENTITY")
            relationship_types = session.definitions("RELATIONSHIP")
        types = TypeSystem.built_in().with_definitions(entity_types, relationship_types)
        return cls(store, types)

    def close(self) -> None:
        """Closes the database."""
        self.store.close()

    def reset(self) -> None:
        """Empties everything and resets the settings."""
        with self._defining, self.store.writing() as session:
            session.clear()
            self.types = TypeSystem.built_in()
            self.settings = Settings()

    def upload(self, body: Any, collection: str | None, *, bulk: bool) -> dict[str, Any]:
        """Creates or updates the entities in the body of POST /entity/bulk, or of /entity."""
        types = self.types
        sent = drafts(types, sent_entities(body) if bulk else sent_entity(body))
        return self._write(types, sent, collection)

    def _write(self, types: TypeSystem, sent: Sequence[Draft], collection: str | None) -> dict[str, Any]:
        if self.settings.lenient:
            with self.store.reading() as session:
                plan = match(types, session, sent)
            time.sleep(self.settings.pause)
            with self.store.writing() as session:
                return entities.write(self._work(types, session), sent, plan, collection)
        with self.store.writing() as session:
            plan = match(types, session, sent)
            return entities.write(self._work(types, session), sent, plan, collection)

    def _work(self, types: TypeSystem, session: Session) -> entities.Work:
        now = time.time()
        visible_at = now + self.settings.search_delay
        return entities.Work(types, session, int(now * 1000), visible_at, self.settings.author)

    def update_named(self, type_name: str, name: str, body: Any) -> dict[str, Any]:
        """PUT /entity/uniqueAttribute: sets the attributes that are sent, null ones aside."""
        with self.store.writing() as session:
            found = self._named(session, type_name, name)
            return self._update(session, found, sent_entity(body)[0])

    def update_attribute(self, guid: str, name: str, value: Any) -> dict[str, Any]:
        """PUT /entity/guid: sets one plain attribute or single reference."""
        if isinstance(value, list) or (isinstance(value, dict) and "guid" not in value and "typeName" not in value):
            raise AtlasError("ATLAS-400-00-01A", f"{name} can't be updated by itself")
        with self.store.writing() as session:
            found = self._with_guid(session, guid)
            return self._update(session, found, {"attributes": {name: value}})

    def _update(self, session: Session, found: Entity, sent: Mapping[str, Any]) -> dict[str, Any]:
        entity = {**sent, "guid": found.guid}
        draft = read_draft(self.types.entity(found.type), entity, partial=True)
        plan = match(self.types, session, [draft])
        work = self._work(self.types, session)
        answer = entities.write(work, [draft], plan, None, verb="PARTIAL_UPDATE")
        changed = answer.get("mutatedEntities", {}).get("PARTIAL_UPDATE")
        return answer | ({"partialUpdatedEntities": changed} if changed else {})

    def by_guid(self, guid: str, *, related: bool) -> dict[str, Any]:
        """GET /entity/guid."""
        with self.store.reading() as session:
            return self._single(session, self._with_guid(session, guid), related=related)

    def header(self, guid: str) -> dict[str, Any]:
        """GET /entity/guid/…/header."""
        with self.store.reading() as session:
            return views.header(self.types, self._with_guid(session, guid))

    def by_guids(self, guids: Sequence[str], *, related: bool) -> dict[str, Any]:
        """GET /entity/bulk: all of them or an error."""
        with self.store.reading() as session:
            return self._several(session, [self._with_guid(session, guid) for guid in guids], related=related)

    def by_name(self, type_name: str, name: str, *, related: bool) -> dict[str, Any]:
        """GET /entity/uniqueAttribute."""
        with self.store.reading() as session:
            return self._single(session, self._named(session, type_name, name), related=related)

    def by_names(self, type_name: str, names: Sequence[str], *, related: bool) -> dict[str, Any]:
        """GET /entity/bulk/uniqueAttribute: those that exist."""
        family = self.types.family(self.types.entity(type_name).name)
        with self.store.reading() as session:
            found = (session.named(family, name) for name in dict.fromkeys(names))
            return self._several(session, [each for each in found if each], related=related)

    def _single(self, session: Session, found: Entity, *, related: bool) -> dict[str, Any]:
        return {"referredEntities": {}, "entity": views.whole(self.types, session, found, related=related)}

    def _several(self, session: Session, found: Sequence[Entity], *, related: bool) -> dict[str, Any]:
        shown = [views.whole(self.types, session, each, related=related) for each in found]
        return {"referredEntities": {}, "entities": shown}

    def _with_guid(self, session: Session, guid: str) -> Entity:
        found = session.entity(guid)
        if found is None:
            raise AtlasError("ATLAS-404-00-005", guid)
        return found

    def _named(self, session: Session, type_name: str, name: str) -> Entity:
        found = session.named(self.types.family(self.types.entity(type_name).name), name)
        if found is None:
            raise AtlasError("ATLAS-404-00-009", type_name, name)
        return found

    def delete(self, guids: Sequence[str]) -> dict[str, Any]:
        """DELETE by guid, without undo; an unknown guid is not an error."""
        with self.store.writing() as session:
            return entities.delete(self._work(self.types, session), guids)

    def delete_named(self, type_name: str, name: str) -> dict[str, Any]:
        """DELETE /entity/uniqueAttribute."""
        family = self.types.family(self.types.entity(type_name).name)
        with self.store.writing() as session:
            found = session.named(family, name)
            return entities.delete(self._work(self.types, session), [found.guid] if found else [])

    def move(self, guids: Sequence[str], collection: str) -> dict[str, Any]:
        """Puts existing entities into a collection."""
        with self.store.writing() as session:
            work = self._work(self.types, session)
            found = [self._with_guid(session, guid) for guid in guids]
            for each in found:
                entities.store(work, replace(each, collection=collection))
            headers = [views.header(self.types, each) for each in found]
        return {"mutatedEntities": {"UPDATE": headers}}

    def relate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST /relationship."""
        kind = self.types.relationships.get(str(body.get("typeName")))
        if kind is None:
            raise AtlasError("ATLAS-400-00-014", "RELATIONSHIP", body.get("typeName") or "null")
        with self.store.writing() as session:
            ends = [read_reference(body.get(name)) for name in ("end1", "end2")]
            end1, end2 = (resolve(self.types, session, each, {}) for each in ends)
            made = relate(self.types, session, kind, end1, end2, body.get("attributes") or {})
            return views.relationship_view(self.types, session, made)

    def relationship(self, guid: str) -> dict[str, Any]:
        """GET /relationship/guid."""
        with self.store.reading() as session:
            found = session.relationship(guid)
            if found is None:
                raise AtlasError("ATLAS-404-00-00C", guid)
            shown = views.relationship_view(self.types, session, found)
        return {"referredEntities": {}, "relationship": shown}

    def unrelate(self, guid: str) -> None:
        """DELETE /relationship/guid."""
        with self.store.writing() as session:
            if session.relationship(guid) is None:
                raise AtlasError("ATLAS-404-00-00C", guid)
            session.unrelate(guid)

    def lineage(self, guid: str, direction: str, depth: int) -> dict[str, Any]:
        """GET /lineage."""
        with self.store.reading() as session:
            return lineage(self.types, session, guid, direction, depth)

    def lineage_named(self, type_name: str, name: str, direction: str, depth: int) -> dict[str, Any]:
        """GET /lineage/uniqueAttribute."""
        with self.store.reading() as session:
            found = self._named(session, type_name, name)
            return lineage(self.types, session, found.guid, direction, depth)

    def search(self, body: Any) -> dict[str, Any]:
        """POST /search/query."""
        query = read_query(self.types, body)
        with self.store.reading() as session:
            return search(session.documents(time.time()), query)

    def define(self, body: Any, *, replace_known: bool) -> dict[str, Any]:
        """POST /types/typedefs; with ``replace_known`` PUT."""
        with self._defining:
            made = read_definitions(self.types, body, replace_known=replace_known)
            types = self.types.with_definitions(made.entities, made.relationships)
            with self.store.writing() as session:
                for category, given in (("ENTITY", made.entities), ("RELATIONSHIP", made.relationships)):
                    for name, definition in given.items():
                        session.define(category, name, definition)
            self.types = types
        return made.answer(types)
