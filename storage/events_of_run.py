"""The stored events of one run, for a worker that goes through them more than once."""

from collections.abc import Iterable, Iterator, Sequence

from core.naming import EventName
from storage.clients import StorageClients
from storage.event_store import EventStore
from storage.stored_event import StoredEvent

_KEPT_BYTES = 8 * 1024 * 1024


class EventsOfRun(EventStore):
    """The event store of a single worker, for one run whose events are already listed.

    The list is returned once; the next call lists what is stored then. Bodies are cached up to a size.
    """

    def __init__(self, clients: StorageClients, listed: Sequence[StoredEvent]) -> None:
        super().__init__(clients)
        self._listed: tuple[StoredEvent, ...] | None = tuple(listed)
        self._kept: dict[EventName, bytes] = {}
        self._left = _KEPT_BYTES

    def names(self, run_key: str) -> tuple[StoredEvent, ...]:
        """All stored events of the run, in the order of their names."""
        listed, self._listed = self._listed, None
        return super().names(run_key) if listed is None else listed

    def bodies(self, events: Iterable[StoredEvent]) -> Iterator[tuple[StoredEvent, bytes]]:
        """The bodies of events, in their order, without deleted ones; cached ones need no request."""
        wanted = list(events)
        if all(event.name in self._kept for event in wanted):
            yield from ((event, self._kept[event.name]) for event in wanted)
            return
        for event, body in super().bodies(wanted):
            if event.name not in self._kept and len(body) <= self._left:
                self._kept[event.name] = body
                self._left -= len(body)
            yield event, body
