"""The events of a batch, an array or one event per line, split without decoding them."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from core.errors import BadEvent, BadRequest
from core.event_fields import UNREADABLE

_NO_ITEM = msgspec.Raw(b"")
_EXPECTED = "the body of a batch must be a JSON array of events, or one event per line"
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


def split(body: bytes, headers: Mapping[str, str], most: int) -> list[msgspec.Raw]:
    """The events of a batch, at most ``most``: lines if Content-Type says so or the first line is an object.

    Lines need not be JSON, because each is judged by itself; blank lines are skipped.

    :raises BadEvent: the body is neither an array nor lines.
    :raises BadRequest: with status 413: there are more events.
    """
    if _is_ndjson(body, headers):
        return _split_lines(body, most)
    try:
        return list(_items(_first(most).decode(body)))
    except msgspec.ValidationError:
        if body.lstrip()[:1] == b"[":
            raise _too_many(most) from None
        raise BadEvent("$", _EXPECTED) from None
    except UNREADABLE as error:
        raise BadEvent("$", f"{_EXPECTED} ({error})") from None


def _is_ndjson(body: bytes, headers: Mapping[str, str]) -> bool:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if kind.partition(";")[0].strip().lower() in _LINES:
        return True
    first = body.lstrip().partition(b"\n")[0].strip()
    return first.startswith(b"{") and first.endswith(b"}")


def _split_lines(body: bytes, most: int) -> list[msgspec.Raw]:
    # One at a time, because a body of only line breaks would make millions of empty lines.
    found: list[msgspec.Raw] = []
    start, whole = 0, memoryview(body)
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        if not body[start:end].isspace() and end > start:
            if len(found) == most:
                raise _too_many(most)
            found.append(msgspec.Raw(whole[start:end]))
        start = end + 1
    return found


def _too_many(most: int) -> BadRequest:
    return BadRequest(413, f"the batch has more than the {most} events that MAX_BATCH_ITEMS allows")


@cache
def _first(most: int) -> "msgspec.json.Decoder[Any]":
    """A decoder of arrays that stops at the first item above ``most``; a decoder of lists would build all of them."""
    fields = [(f"item_{number}", msgspec.Raw, _NO_ITEM) for number in range(most)]
    return msgspec.json.Decoder(
        msgspec.defstruct("Items", fields, array_like=True, forbid_unknown_fields=True, gc=False)
    )


def _items(items: msgspec.Struct) -> Iterator[msgspec.Raw]:
    for item in msgspec.structs.astuple(items):
        if not item:
            return
        yield item
