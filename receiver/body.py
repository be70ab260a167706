"""The body of a request, as JSON bytes: compression undone, and nothing larger than allowed."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import BadRequest

_GZIP = {"gzip", "x-gzip"}
_CHUNK = 1024 * 1024
# Each costs time whatever it holds; senders make one.
_MOST_MEMBERS = 1000
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest sizes in bytes: of a body as it comes, and of what it expands to."""

    max_body_bytes: int
    max_expanded_bytes: int


def expand(headers: Mapping[str, str], body: bytes, limits: Limits) -> bytes:
    """The body without its content encoding.

    :raises BadRequest: with status 400 (empty, or broken gzip), 411 (a chunked body that the host dropped), 413
        (too large) or 415 (an encoding that is not taken); the reason says what to change.
    """
    known = {name.lower(): value for name, value in headers.items()}
    if not body:
        raise _empty(known)
    if len(body) > limits.max_body_bytes:
        raise BadRequest(413, f"the body has {len(body)} bytes; MAX_BODY_BYTES allows {limits.max_body_bytes}")
    expanded = _gunzip(body, limits.max_expanded_bytes) if _is_gzip(known.get("content-encoding", "")) else body
    if len(expanded) > limits.max_expanded_bytes:
        raise _too_large(limits.max_expanded_bytes)
    return expanded.removeprefix(_BOM)


def _empty(headers: Mapping[str, str]) -> BadRequest:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return BadRequest(
            411,
            "the body was sent in chunks, which Azure Functions drops; send it with a Content-Length. In Spark: "
            "remove the setting spark.openlineage.transport.compression",
        )
    return BadRequest(400, "the body is empty; it must be one OpenLineage event as JSON")


def _is_gzip(encoding: str) -> bool:
    encodings = [part.strip().lower() for part in encoding.split(",")]
    applied = [part for part in encodings if part not in ("", "identity")]
    if not applied:
        return False
    if len(applied) == 1 and applied[0] in _GZIP:
        return True
    raise BadRequest(415, f"Content-Encoding {encoding[:100]!r} is not taken; send gzip or none")


def _gunzip(data: bytes, most: int) -> bytes:
    """Expand gzip data of one or more members, giving up as soon as there are more than ``most`` bytes."""
    parts: list[bytes] = []
    size = position = members = 0
    while position < len(data):
        members += 1
        if members > _MOST_MEMBERS:
            raise BadRequest(400, f"the gzip body has more than {_MOST_MEMBERS} members")
        member, piece = zlib.decompressobj(_GZIP_WINDOW), b""
        while not member.eof:
            if not piece:
                piece = data[position : position + _CHUNK]
                position += len(piece)
            part = _next_part(member, piece)
            piece = member.unconsumed_tail
            size += len(part)
            if size > most:
                raise _too_large(most)
            parts.append(part)
            if not (part or piece or member.eof) and position >= len(data):
                raise BadRequest(400, "the gzip body ends too early")
        position -= len(member.unused_data)
    return b"".join(parts)


def _next_part(member: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return member.decompress(data, _CHUNK)
    except zlib.error:
        raise BadRequest(400, "Content-Encoding says gzip, but the body is no gzip, or a damaged one") from None


def _too_large(most: int) -> BadRequest:
    return BadRequest(413, f"the expanded body has more than the {most} bytes that MAX_EXPANDED_BYTES allows")
