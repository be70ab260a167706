"""Sends, hides and deletes messages of storage queues."""

import logging

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

_log = logging.getLogger("local.host")


def send(queue: QueueClient, text: str) -> None:
    """Send a text as it is, to expire after storage's default of 7 days; the queue is created if missing.

    :raises AzureError: when it may not be stored.
    """
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        create_if_missing(queue)
        queue.send_message(text)


def create_if_missing(queue: QueueClient) -> None:
    """Create a queue; if there is one already, do nothing."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return


def hide(queue: QueueClient, message: QueueMessage, seconds: int) -> None:
    """Hide a message for this long from now on, unless another host has taken it; its pop receipt changes.

    :raises AzureError: storage did not answer.
    """
    try:
        updated = queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
    except ResourceNotFoundError:
        _log_taken(message)
        return
    message.pop_receipt = updated.pop_receipt


def delete(queue: QueueClient, message: QueueMessage) -> None:
    """Delete a message, unless another host has taken it.

    :raises AzureError: storage did not answer.
    """
    try:
        queue.delete_message(message.id, message.pop_receipt)
    except ResourceNotFoundError:
        _log_taken(message)


def _log_taken(message: QueueMessage) -> None:
    _log.warning("Message %s was taken by another host meanwhile", message.id)
