"""The changes of a write, as Atlas reports them: CREATE, UPDATE, PARTIAL_UPDATE, DELETE."""

from dataclasses import dataclass, field
from typing import Any

from local.data_map.store import Session
from local.data_map.types import TypeSystem
from local.data_map.views import header


@dataclass(slots=True)
class Mutations:
    """Guids in the order in which they changed; a guid is either created, changed or touched.

    ``changed`` entities were sent and differ now; ``touched`` ones weren't sent, but got or lost a relationship;
    ``deleted`` has the headers of deleted ones.
    """

    sent: frozenset[str] = frozenset()
    created: dict[str, None] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    deleted: list[dict[str, Any]] = field(default_factory=list)

    def change(self, guid: str) -> None:
        """Notes that a sent entity differs from what was stored."""
        if guid not in self.created:
            self.changed[guid] = None

    def touch(self, guid: str) -> None:
        """Notes that an entity got or lost a relationship through another one."""
        if guid not in self.created and guid not in self.sent:
            self.touched[guid] = None

    def report(self, types: TypeSystem, session: Session, *, verb: str = "UPDATE") -> dict[str, Any]:
        """The value of ``mutatedEntities``; ``verb`` is what changing a sent entity is called."""
        made: dict[str, list[dict[str, Any]]] = {}
        for name, guids, classified in (
            ("CREATE", self.created, True),
            (verb, self.changed, True),
            ("UPDATE", self.touched, False),
        ):
            found = (session.entity(guid) for guid in guids)
            headers = [header(types, each, classified=classified) for each in found if each]
            if headers:
                made.setdefault(name, []).extend(headers)
        if self.deleted:
            made["DELETE"] = self.deleted
        return made
