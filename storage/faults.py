"""Turns Azure's exceptions into ``StorageUnavailable``."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from core.errors import SparklinError, StorageUnavailable


class Conflict(SparklinError):
    """A row was changed, created or deleted by another worker since it was read: read it again and go on."""


@contextmanager
def storage_faults(action: str) -> Iterator[None]:
    """Turn faults of the block into ``StorageUnavailable``; also a decorator.

    The message names the action and Azure's status and code only: the texts of the SDK contain addresses and headers.

    :raises StorageUnavailable: storage was unavailable or answered with an error that nobody inside expected.
    """
    try:
        yield
    except AzureError as error:
        raise StorageUnavailable(f"storage could not {action}: {describe(error)}") from error


def describe(error: AzureError) -> str:
    """The kind of an error in a few words, without addresses or secrets."""
    if isinstance(error, HttpResponseError) and error.status_code:
        code = getattr(error, "error_code", None) or ""
        return f"HTTP {error.status_code} {getattr(code, 'value', code)}".strip()
    return type(error).__name__
