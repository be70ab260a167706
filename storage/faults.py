"""Turns Azure's exceptions into ``StorageUnavailable``."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from core.errors import SparklinError, StorageUnavailable

NOTHING_THERE = "the storage account lacks the app's tables or containers"
NOTHING_THERE_WHY = "no event was received yet, they were deleted, or LINEAGE_STORAGE… names another account"
NOTHING_THERE_REMEDY = (
    "`sparklin doctor` names what is missing. The app creates it with its first event; if it has received events "
    "before: `sparklin rebuild` restores lost tables from the stored events."
)
_MISSING_PARTS = ("ContainerNotFound", "TableNotFound", "QueueNotFound")


class Conflict(SparklinError):
    """A row was changed, created or deleted by another worker since it was read: read it again and go on."""


@contextmanager
def storage_faults(action: str, *, of_the_app: bool = True) -> Iterator[None]:
    """Turn faults of the block into ``StorageUnavailable``; also a decorator.

    ``of_the_app`` is false for requests to containers that others create. The message names the action and Azure's
    status and code only: the texts of the SDK contain addresses and headers.

    :raises StorageUnavailable: storage was unavailable or answered with an error that nobody inside expected.
    """
    try:
        yield
    except AzureError as error:
        what = describe(error)
        if of_the_app and what.endswith(_MISSING_PARTS):
            reason = f"{NOTHING_THERE} ({what}): {NOTHING_THERE_WHY}"
            raise StorageUnavailable(reason, remedy=NOTHING_THERE_REMEDY) from error
        raise StorageUnavailable(f"storage could not {action}: {what}") from error


def describe(error: AzureError) -> str:
    """The kind of an error in a few words, without addresses or secrets."""
    if isinstance(error, HttpResponseError) and error.status_code:
        code = getattr(error, "error_code", None) or ""
        return f"HTTP {error.status_code} {getattr(code, 'value', code)}".strip()
    return type(error).__name__
