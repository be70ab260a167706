"""The events of a batch: an array, taken apart without decoding what it holds."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from core.errors import BadEvent, BadRequest
from core.event_fields import UNREADABLE

_NO_ITEM = msgspec.Raw(b"")


def split(body: bytes, most: int) -> list[msgspec.Raw]:
    """The items of an array, at most ``most``.

    :raises BadEvent: the body is no array.
    :raises BadRequest: with status 413: the array has more items.
    """
    try:
        return list(_items(_first(most).decode(body)))
    except msgspec.ValidationError:
        if body.lstrip()[:1] == b"[":
            raise BadRequest(413, f"the batch has more than the {most} events that MAX_BATCH_ITEMS allows") from None
        raise BadEvent("$", "the body of a batch must be a JSON array of events") from None
    except UNREADABLE as error:
        raise BadEvent("$", f"the body of a batch must be a JSON array of events ({error})") from None


@cache
def _first(most: int) -> "msgspec.json.Decoder[Any]":
    """A decoder of arrays that stops at the first item above ``most``; one for lists would build all of them first."""
    fields = [(f"item_{number}", msgspec.Raw, _NO_ITEM) for number in range(most)]
    return msgspec.json.Decoder(
        msgspec.defstruct("Items", fields, array_like=True, forbid_unknown_fields=True, gc=False)
    )


def _items(items: msgspec.Struct) -> Iterator[msgspec.Raw]:
    for item in msgspec.structs.astuple(items):
        if not item:
            return
        yield item
