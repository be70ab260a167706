"""The webhook that Event Grid posts to: POST /runtime/webhooks/blobs?functionName=Host.Functions.NAME.

Like that of the storage extension, it enqueues the blob of every event: it checks neither the function's name nor the
trigger's path nor earlier deliveries, and does not read `eventType`. The subscription filters, the function is
idempotent. Where the extension would raise an exception, the answer is 500; the events before it in its array are
enqueued.
"""

import asyncio
import ipaddress
import json
import logging
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import AzureError
from starlette.requests import Request
from starlette.responses import Response

from local.host.blob_message import BlobMessage
from local.host.blob_trigger import BlobQueue
from local.host.keys import query_value

WEBHOOK = "/runtime/webhooks/blobs"
_EVENT_TYPE = "aeg-event-type"
_BLOB_TYPES = ("BlockBlob", "PageBlob", "AppendBlob")

_log = logging.getLogger("local.host")


async def receive_events(request: Request, blobs: BlobQueue) -> Response:
    """Answer one delivery: 200 to the handshake, 202 when all its events are stored, 500 if one is malformed."""
    kind = request.headers.get(_EVENT_TYPE, "").lower()
    try:
        match kind:
            case "subscriptionvalidation":
                return _handshake(_events(await request.body()))
            case "notification":
                function_id = query_value(request, "functionname")
                for event in _events(await request.body()):
                    await asyncio.to_thread(blobs.enqueue, _message(function_id, event["data"]))
                return Response(status_code=202)
            case "unsubscribe":
                return Response(status_code=202)
            case _:
                return Response(status_code=400)
    except (ValueError, LookupError, TypeError, AttributeError, AzureError) as error:
        _log.error("A notification can't be taken: %s: %s", type(error).__name__, str(error).partition("\n")[0])
        return Response(status_code=500)


def _handshake(events: list[Any]) -> Response:
    code = {"validationResponse": events[0]["data"]["validationCode"]}
    return Response(json.dumps(code, separators=(",", ":")), media_type="text/plain")


def _events(body: bytes) -> list[Any]:
    """The events of a delivery: an array in Event Grid's schema, also a single object in that of CloudEvents."""
    events = json.loads(body)
    return events if isinstance(events, list) else [events]


def _message(function_id: str | None, data: dict[str, Any]) -> BlobMessage:
    """The message for one event.

    :raises ValueError: when its address or its kind of blob is invalid.
    :raises KeyError: when one of them is missing.
    """
    address = urlsplit(data["url"])
    if not address.scheme or not address.hostname:
        raise ValueError(f"{data['url']} is no address")
    path = unquote(address.path).lstrip("/")
    if _is_ip(address.hostname):
        # The account is in the path then, as Azurite has it, and in the host's name otherwise.
        _, _, path = path.partition("/")
    container, _, blob = path.partition("/")
    if data["blobType"] not in _BLOB_TYPES:
        raise ValueError(f"{data['blobType']} is no kind of blob")
    etag = data.get("eTag") or ""
    return BlobMessage(function_id, container, blob, f'"{etag}"', data["blobType"])


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
