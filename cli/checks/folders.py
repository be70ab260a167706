"""Checks of the folders that events are collected from, with your own identity."""

from collections.abc import Iterator
from itertools import islice

from cli.checks.check import Check, note, ok, wrong
from core.errors import StorageUnavailable
from core.settings import Settings
from storage.clients import connect
from storage.event_folders import EventFolder
from storage.request_budget import budget

_SECONDS = 15
_MOST_FILES = 1000
_RIGHTS = (
    "OneLake: Manage access of the workspace > add the app's identity as Viewer or Contributor, and allow service "
    "principals in the tenant settings; ADLS: az role assignment create --role 'Storage Blob Data Reader' --assignee "
    "<identity> --scope <storage account id>/blobServices/default/containers/<name>"
)
_ADDRESS = "correct the address in EVENT_FOLDERS; for OneLake https://onelake.blob.fabric.microsoft.com/<workspace>/<item>.Lakehouse/Files/Lineage"
_EMPTY = (
    "is spark.openlineage.disabled false in the Environment, and did a notebook with a default Lakehouse run since?"
)


def check_folders(settings: Settings) -> Iterator[Check]:
    """Whether each folder of EVENT_FOLDERS can be listed, and has files."""
    if not settings.event_folders:
        return
    clients = connect(settings.lineage_storage)
    for address in settings.event_folders:
        yield _check(EventFolder(address, clients, settings.lineage_storage.client_id))


def _check(folder: EventFolder) -> Check:
    name = f"folder {folder.address}"
    try:
        with budget(_SECONDS):
            count = sum(1 for _ in islice(folder.files(), _MOST_FILES))
    except StorageUnavailable as error:
        missing = "HTTP 404" in error.reason
        return wrong(name, error.reason, _ADDRESS if missing else _RIGHTS)
    if not count:
        return note(name, "it can be listed, and has no files", _EMPTY)
    more = " or more" if count == _MOST_FILES else ""
    return ok(name, f"it can be listed, and has {count}{more} files; the app uses its own identity")
