"""The webhook that Event Grid posts to: POST /runtime/webhooks/blobs?functionName=Host.Functions.NAME.

Like the storage extension's, it enqueues whatever blob it is told of: neither the trigger's path nor an
earlier delivery is looked at. Filtering is the subscription's business, idempotence the function's.
"""

import asyncio
import json
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import AzureError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.azurite import ACCOUNT_NAME
from local.host.blob_trigger import BlobMessage, BlobQueue, quoted

WEBHOOK = "/runtime/webhooks/blobs"
_EVENT_TYPE = "aeg-event-type"


async def receive_events(request: Request, blobs: BlobQueue) -> Response:
    """Answer one delivery: 200 to the handshake, 202 when all its events are stored, 400 otherwise."""
    kind = request.headers.get(_EVENT_TYPE)
    if kind == "Unsubscribe":
        return Response(status_code=202)
    target = blobs.function(request.query_params.get("functionName", ""))
    if target is None or kind not in {"SubscriptionValidation", "Notification"}:
        return Response(status_code=400)
    try:
        events = _events(await request.body())
        if kind == "SubscriptionValidation":
            return JSONResponse({"validationResponse": events[0]["data"]["validationCode"]})
        messages = [_message(target.function.id, event["data"]) for event in events]
    except (ValueError, KeyError, TypeError, IndexError):
        return Response(status_code=400)
    try:
        for message in messages:
            await asyncio.to_thread(blobs.enqueue, message)
    except AzureError:
        return Response(status_code=500)
    return Response(status_code=202)


def _events(body: bytes) -> list[Any]:
    """The events of a delivery: Event Grid's schema sends an array, CloudEvents a single object."""
    events = json.loads(body)
    return events if isinstance(events, list) else [events]


def _message(function_id: str, data: dict[str, Any]) -> BlobMessage:
    path = unquote(urlsplit(data["url"]).path).lstrip("/")
    # Azurite's addresses hold the account in the path, Azure's in the host name.
    container, _, blob = path.removeprefix(f"{ACCOUNT_NAME}/").partition("/")
    if not container or not blob:
        raise ValueError(f"no blob in {path}")
    return BlobMessage(function_id, container, blob, quoted(data["eTag"]), data.get("blobType", "BlockBlob"))
