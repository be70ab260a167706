"""Checks of the storage account, with your own identity."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.checks.check import Check, note, ok, skipped, wrong
from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from core.version import VERSION, is_same_release
from storage.clients import EVENT_METADATA, EVENTS, TABLES, StorageClients, connect, missing_parts
from storage.event_store import EventStore
from storage.poison_queues import poison_messages
from storage.request_budget import budget
from storage.store_versions import StoreVersions

_SECONDS = 15
_ROLES = (
    "az role assignment create --assignee <you> --scope <storage account id> --role 'Storage Table Data Contributor' "
    "(and 'Storage Queue Data Contributor'); and for each container 'Storage Blob Data Contributor' with --scope "
    "<storage account id>/blobServices/default/containers/<name>"
)
_REACH = "check LINEAGE_STORAGE…; a private storage account can only be reached from its network"
_STUCK = (
    "look for errors of the functions poison and poison_retry. If there are none, the messages are not base64, so that "
    "nothing can read them: az storage message clear -q <queue> --account-name <account> --auth-mode login; the timer "
    "finds the events of a run whose message is deleted"
)
_MADE_BY_APP = (
    "the app creates them with its first event, or its timer within five minutes; if it does not: az functionapp "
    "restart -g <group> -n <app>"
)
_REBUILD = "sparklin rebuild"
_RESTORE = "restore the containers as described in docs/restore.md, then: sparklin rebuild"
_SAMPLE = 20


@dataclass(frozen=True, slots=True)
class StorageLook:
    """What a storage account contained when it was looked at; ``failure`` is why it could not be, "" if it could.

    Of the ``events`` that were looked at, ``without_row`` have no row in EventMetadata.
    """

    clients: StorageClients | None = None
    missing: tuple[str, ...] = ()
    events: int = 0
    without_row: int = 0
    failure: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the app has stored nothing yet."""
        return not self.events and {f"table {name}" for name in TABLES} <= set(self.missing)

    @property
    def repair(self) -> str:
        """How what is missing comes back."""
        kinds = {part.partition(" ")[0] for part in self.missing}
        if self.is_new or kinds <= {"queue"}:
            return _MADE_BY_APP
        return _RESTORE if "container" in kinds else _REBUILD


def look_at_storage(connection: StorageConnection) -> StorageLook:
    """Look at the parts of the app. A request to the app may create those that are missing, so look before it."""
    try:
        clients = connect(connection)
        missing = missing_parts(clients, _SECONDS)
        store = EventStore(clients)
        with budget(_SECONDS):
            events = [] if f"container {EVENTS}" in missing else store.sample(_SAMPLE)
            without_row = [] if f"table {EVENT_METADATA}" in missing else store.without_row(events)
    except StorageUnavailable as error:
        return StorageLook(failure=error.reason)
    return StorageLook(clients, tuple(missing), len(events), len(without_row))


def check_storage(look: StorageLook) -> Iterator[Check]:
    """Whether blobs, tables and queues answer, and contain what the app needs."""
    if look.clients is None:
        yield wrong("storage", look.failure, _repair(look.failure))
        return
    yield ok("storage", "blobs, tables and queues answer")
    yield _parts(look)
    yield _poison(look.clients)
    if not look.missing:
        yield _version(look.clients)


def _parts(look: StorageLook) -> Check:
    name = "containers, tables, queue"
    if look.missing:
        return wrong(name, f"missing: {', '.join(look.missing)}", look.repair)
    if look.without_row:
        found = (
            f"of {look.events} stored events that were looked at, {look.without_row} have no row in {EVENT_METADATA}"
        )
        return wrong(name, f"{found}: lost, perhaps with other tables", _REBUILD)
    return ok(name, "all exist")


def _poison(clients: StorageClients) -> Check:
    """Whether messages stay in poison queues; a function takes readable ones within seconds."""
    name = "poison queues"
    try:
        with budget(_SECONDS):
            found = poison_messages(clients)
    except StorageUnavailable as error:
        return wrong(name, error.reason, _repair(error.reason))
    if not found:
        return ok(name, "no message stays there")
    stuck = "; ".join(f"{queue}: {count} that no function takes" for queue, count in found.items())
    return wrong(name, stuck, _STUCK)


def _version(clients: StorageClients) -> Check:
    """The version that wrote the store; none is noted before the timer first runs."""
    name = "version of the store"
    try:
        with budget(_SECONDS):
            found = StoreVersions(clients).all()
    except StorageUnavailable as error:
        return wrong(name, error.reason, _repair(error.reason))
    if not found:
        return skipped(name, "none is noted yet: the app's timer does that, every five minutes")
    newest = max(found, key=lambda version: version.last)
    earlier = ", ".join(f"{version.name} until {version.last:%Y-%m-%d}" for version in found if version != newest)
    written = f"version {newest.name} has written it since {newest.first:%Y-%m-%d}" + (
        f"; {earlier}" if earlier else ""
    )
    if not is_same_release(newest.name):
        return note(name, f"{written}; this command has version {VERSION}", "use the command of the app's version")
    return ok(name, written)


def _repair(reason: str) -> str:
    if "Credential" in reason or ("Authentication" in reason and "HTTP" not in reason):
        return "az login"
    return _ROLES if "HTTP 403" in reason else _REACH
