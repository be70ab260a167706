"""How the cost of the timer grows with the runs whose notification got lost."""

import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from unittest.mock import patch
from urllib.parse import urlsplit

from benchmarks.counting import BLOB, QUEUE, TABLE, counted
from benchmarks.growth import line
from core.settings import Settings
from core.storage_connection import StorageConnection
from core.threads import in_threads
from local.azurite import Azurite
from pipeline import retries
from pipeline.services import Services, build
from storage.retry_queue import RetryQueue
from tests.storage.runs import new_event


class _FirstIsEnqueued(Exception):
    """The exception that ends a sweep once it is measured."""


@line("runs whose notification got lost: requests to storage until the first is enqueued", "requests", (10, 100, 1_000))
def until_first(size: int) -> float:
    """The sweep must not read all of them first."""

    def enqueued(*_: object) -> None:
        raise _FirstIsEnqueued

    with _waiting(size) as (services, requests), patch.object(RetryQueue, "enqueue", enqueued):
        try:
            retries.sweep(services)
        except _FirstIsEnqueued:
            return sum(number for kind, number in requests.items() if not kind.startswith("rows of"))
    raise AssertionError("the sweep found nothing")


@line("runs whose notification got lost: a sweep that enqueues all of them", "ms", (10, 100, 1_000), least=100)
def all_of_them(size: int) -> float:
    """On Azurite, which shares the CPUs."""
    with _waiting(size) as (services, _):
        began = perf_counter()
        retries.sweep(services)
        return 1000 * (perf_counter() - began)


@contextmanager
def _waiting(size: int) -> Iterator[tuple[Services, Counter[str]]]:
    """Storage in which so many runs wait, and the requests to it."""
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder) / "azurite.log") as azurite:
        connection = StorageConnection(connection_string=azurite.connection_string)
        settings = Settings(lineage_storage=connection, purview_endpoint="http://127.0.0.1:1", sweep_after_minutes=0)
        services = build(settings)
        retries.sweep(services)  # Closes the hours before this one.
        in_threads(lambda run: services.events.put(*new_event(run=run), datetime.now(UTC)), _runs(size), 8)
        clients = services.clients
        urls = zip(
            (clients.blobs.url, clients.tables.url, clients.queues.primary_endpoint), (BLOB, TABLE, QUEUE), strict=True
        )
        with counted({urlsplit(url).netloc: kind for url, kind in urls}) as requests:
            yield services, requests


def _runs(size: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(size)]
