"""Checks of the storage account, with your own identity."""

from collections.abc import Iterator

from cli.checks.check import Check, note, ok, skipped, wrong
from core.errors import StorageUnavailable
from core.storage_connection import StorageConnection
from core.version import VERSION, is_same_release
from storage.clients import StorageClients, connect, missing_parts
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
_MADE_BY_APP = "the app creates them when it first starts: az functionapp restart -g <group> -n <app>"


def check_storage(connection: StorageConnection) -> Iterator[Check]:
    """Whether blobs, tables and queues answer, and contain what the app needs."""
    try:
        clients = connect(connection)
        missing = missing_parts(clients, _SECONDS)
    except StorageUnavailable as error:
        yield wrong("storage", error.reason, _repair(error.reason))
        return
    yield ok("storage", "blobs, tables and queues answer")
    if missing:
        yield wrong("containers, tables, queue", f"missing: {', '.join(missing)}", _MADE_BY_APP)
    else:
        yield ok("containers, tables, queue", "all exist")
    yield _poison(clients)
    if not missing:
        yield _version(clients)


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
    """The version that wrote the store. A store without one may be new, or older than version 0.2."""
    name = "version of the store"
    try:
        with budget(_SECONDS):
            found = StoreVersions(clients).all()
    except StorageUnavailable as error:
        return wrong(name, error.reason, _repair(error.reason))
    if not found:
        return skipped(name, "none is noted: the app has not run for five minutes, or is older than version 0.2")
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
