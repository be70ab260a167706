"""Checks of the storage account, with your own identity."""

from collections.abc import Iterator

from cli.checks.check import Check, ok, wrong
from core.errors import StorageUnavailable
from core.settings import StorageConnection
from storage.clients import connect, missing_parts

_SECONDS = 15
_ROLES = (
    "az role assignment create --assignee <you> --scope <storage account id> --role 'Storage Table Data Contributor' "
    "(and 'Storage Queue Data Contributor'); and for each container 'Storage Blob Data Contributor' with --scope "
    "<storage account id>/blobServices/default/containers/<name>"
)
_REACH = "check LINEAGE_STORAGE…; a private storage account can only be reached from its network"
_MADE_BY_APP = "the app creates them when it first starts: az functionapp restart -g <group> -n <app>"


def check_storage(connection: StorageConnection) -> Iterator[Check]:
    """Whether blobs, tables and queues answer, and contain what the app needs."""
    try:
        missing = missing_parts(connect(connection), _SECONDS)
    except StorageUnavailable as error:
        yield wrong("storage", error.reason, _repair(error.reason))
        return
    yield ok("storage", "blobs, tables and queues answer")
    if missing:
        yield wrong("containers, tables, queue", f"missing: {', '.join(missing)}", _MADE_BY_APP)
    else:
        yield ok("containers, tables, queue", "all exist")


def _repair(reason: str) -> str:
    if "Credential" in reason or ("Authentication" in reason and "HTTP" not in reason):
        return "az login"
    return _ROLES if "HTTP 403" in reason else _REACH
