"""Messages that stay in poison queues are reported by the timer."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from azure.core.exceptions import ResourceNotFoundError

from core.storage_connection import StorageConnection
from pipeline import stuck_messages
from pipeline.services import Services
from storage.clients import connect
from storage.poison_queues import POISON_QUEUES, RETRY_POISON_QUEUE, poison_messages
from tests.support.fixtures import Sparklin


@pytest.fixture
def no_poison(services: Services) -> Iterator[None]:
    """No poison queue, before and after the test."""
    _delete_queues(services)
    yield
    _delete_queues(services)


def _delete_queues(services: Services) -> None:
    for name in POISON_QUEUES:
        with suppress(ResourceNotFoundError):
            services.clients.queues.delete_queue(name)


@pytest.mark.usefixtures("no_poison")
def test_messages_are_reported_also_while_they_are_hidden(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stuck_messages.report(services)
    assert (caplog.messages, poison_messages(services.clients)) == ([], {})
    queue = services.clients.queues.create_queue(RETRY_POISON_QUEUE)
    queue.send_message("no base64")
    queue.send_message("none either")
    queue.receive_message(visibility_timeout=600)
    stuck_messages.report(services)
    assert caplog.messages == [
        'step {"step": "poison", "outcome": "waiting", "queue": "lineage-retry-poison", "messages": 2}'
    ]


def test_storage_that_is_unavailable_does_not_stop_the_timer(
    services: Services, unreachable: StorageConnection, caplog: pytest.LogCaptureFixture
) -> None:
    stuck_messages.report(replace(services, clients=connect(unreachable)))
    assert [record.levelname for record in caplog.records if record.name == "pipeline.stuck_messages"] == ["WARNING"]


@pytest.mark.usefixtures("no_poison")
def test_status_counts_them(services: Services, sparklin: Sparklin) -> None:
    services.clients.queues.create_queue(RETRY_POISON_QUEUE).send_message("no base64")
    code, shown = sparklin("status")
    assert (code, shown["poisonMessages"]) == (0, {"lineage-retry-poison": 1})
