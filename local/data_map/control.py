"""The control routes, with which a test changes and inspects the behaviour of the Data Map.

They answer JSON, and only to callers on this machine.

GET    /_control/settings   how it behaves: ``{"searchDelay": 0.0, "lenient": false, "pause": 0.0, "author": "local"}``
POST   /_control/settings   changes the settings in the body. ``searchDelay``: seconds until the search finds what is
                            written from now on. ``lenient``: no lock between looking for a name and creating it,
                            so that two concurrent uploads create two assets of one name; ``pause``: seconds between
                            the two steps, so that this happens reliably. ``author``: the ``createdBy`` and
                            ``updatedBy`` of what is written.
GET    /_control/faults     the faults that are still to come.
POST   /_control/faults     adds one, or a list of them; each has its default when left out:
                            ``{"count": 1, "path": "", "method": "", "status": 0, "body": "There was …",
                            "retryAfter": 0, "hang": 0.0, "drop": false, "applied": false}``.
                            The next ``count`` API requests of ``method`` (any if empty) whose path contains a
                            match of the regular expression ``path`` wait ``hang`` seconds, then have their
                            connection dropped, or get ``status`` with ``body`` in plain text and the header
                            Retry-After, or (status 0, no drop) their usual answer. With ``applied`` the
                            request takes effect first, and only its answer is lost.
DELETE /_control/faults     removes them; requests that hang continue.
GET    /_control/calls      ``[{"method", "route", "count", "statuses": {"200": 3}}]``, status 0 for a dropped
                            one. The route is without base: ``/atlas/v2/entity/bulk``, ``/search/query``.
DELETE /_control/calls      resets the counts.
GET    /_control/load       ``{"mostAtOnce": 4}``: the most API requests that were in progress at the same time
                            since counting started.
GET    /_control/entities   everything stored, in the order of creation: ``[{"guid", "typeName", "attributes",
                            "relationships": {attribute: [[type, qualified name], …]}, "collectionId"}]``;
                            unset attributes are absent, relationships are sorted. With a body
                            ``{"containing": "text"}`` only those that have the text in their qualified names.
POST   /_control/reset      empties the store, also of custom types, faults and counts; settings as at first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from core.loopback import is_loopback
from local.data_map.data_map import DataMap, Settings
from local.data_map.faults import Calls, Faults, read_fault
from local.data_map.views import related_entities


@dataclass(frozen=True, slots=True)
class Control:
    """The objects that the control routes use."""

    data_map: DataMap
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)

    def settings(self, body: Any) -> Any:  # noqa: ARG002 - every control operation has the same shape
        """GET /_control/settings."""
        return _camel(asdict(self.data_map.settings))

    def change_settings(self, body: Any) -> Any:
        """POST /_control/settings.

        :raises ValueError: for an unknown setting or a value of a wrong type.
        """
        given = _snake(body)
        for name, value in given.items():
            expected = {"lenient": bool, "author": str}.get(name, (int, float))
            if name not in asdict(Settings()) or not isinstance(value, expected):
                raise ValueError(f"{name}: {value!r}")
        self.data_map.settings = replace(self.data_map.settings, **given)
        return self.settings(None)

    def pending_faults(self, body: Any) -> Any:  # noqa: ARG002
        """GET /_control/faults."""
        return [_camel(each) for each in self.faults.pending()]

    def add_faults(self, body: Any) -> Any:
        """POST /_control/faults.

        :raises ValueError: if one of them can't be read; none is added then.
        """
        for fault in [read_fault(_snake(each)) for each in (body if isinstance(body, list) else [body])]:
            self.faults.add(fault)
        return self.pending_faults(None)

    def clear_faults(self, body: Any) -> Any:  # noqa: ARG002
        """DELETE /_control/faults."""
        self.faults.clear()
        return []

    def counted_calls(self, body: Any) -> Any:  # noqa: ARG002
        """GET /_control/calls."""
        return self.calls.report()

    def load(self, body: Any) -> Any:  # noqa: ARG002
        """GET /_control/load."""
        return {"mostAtOnce": self.calls.most_at_once}

    def clear_calls(self, body: Any) -> Any:  # noqa: ARG002
        """DELETE /_control/calls."""
        self.calls.clear()
        return []

    def entities(self, body: Any) -> Any:
        """GET /_control/entities.

        :raises ValueError: if the text is none.
        """
        text = _snake(body).get("containing", "")
        if not isinstance(text, str):
            raise ValueError("containing: a text is wanted")
        types = self.data_map.types
        with self.data_map.store.reading() as session:
            return [
                {
                    "guid": each.guid,
                    "typeName": each.type,
                    "attributes": each.attributes,
                    "relationships": {
                        name: sorted([other.type, other.qualified_name] for _, other in found)
                        for name, found in sorted(related_entities(types, session, each).items())
                    },
                    "collectionId": each.collection,
                }
                for each in session.containing(text)
            ]

    def reset(self, body: Any) -> Any:  # noqa: ARG002
        """POST /_control/reset."""
        self.data_map.reset()
        self.faults.clear()
        self.calls.clear()
        return {}


OPERATIONS: tuple[tuple[str, str, Callable[[Control, Any], Any]], ...] = (
    ("GET", "/_control/settings", Control.settings),
    ("POST", "/_control/settings", Control.change_settings),
    ("GET", "/_control/faults", Control.pending_faults),
    ("POST", "/_control/faults", Control.add_faults),
    ("DELETE", "/_control/faults", Control.clear_faults),
    ("GET", "/_control/calls", Control.counted_calls),
    ("DELETE", "/_control/calls", Control.clear_calls),
    ("GET", "/_control/load", Control.load),
    ("GET", "/_control/entities", Control.entities),
    ("POST", "/_control/reset", Control.reset),
)


def may_control(client: str, headers: Mapping[str, str]) -> bool:
    """Whether a request may use the control routes.

    The names in Host and Origin are checked too: a page of another site, opened in a browser on this machine, must not
    be able to empty the store.
    """
    hosts = [client, urlsplit(f"//{headers.get('host', '')}").hostname or ""]
    if "origin" in headers:
        hosts.append(urlsplit(headers["origin"]).hostname or "")
    return all(is_loopback(host) for host in hosts)


def _camel(given: Mapping[str, Any]) -> dict[str, Any]:
    return {re.sub(r"_(\w)", lambda found: found[1].upper(), name): value for name, value in given.items()}


def _snake(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError("an object is wanted")
    return {re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name): value for name, value in given.items()}
