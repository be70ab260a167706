"""The body of a request, as JSON bytes: decompressed, and not larger than allowed."""

import zlib
from collections.abc import Callable, Iterator, Mapping

from core.errors import BadRequest
from receiver.request_limits import LARGE_BODY, Limits, check_separators

_GZIP = {"gzip", "x-gzip"}
_CHUNK = 1024 * 1024
# Each member costs time, however small it is; senders make one.
_MOST_MEMBERS = 1000
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"


def expand(
    headers: Mapping[str, str], body: bytes, limits: Limits, before_large: Callable[[], None] = lambda: None
) -> bytes:
    """The body without its content encoding.

    ``before_large`` is called once before more than ``LARGE_BODY`` bytes are in memory; what it raises ends the
    expansion.

    :raises BadRequest: with status 400 (empty, or broken gzip), 411 (a chunked body that the host dropped), 413
        (above a limit) or 415 (unknown encoding); the reason says what to change.
    """
    encoding, transfer = _encodings(headers)
    if not body:
        raise _empty(transfer)
    if len(body) > limits.max_body_bytes:
        raise BadRequest(413, f"the body has {len(body)} bytes; MAX_BODY_BYTES allows {limits.max_body_bytes}")
    if len(body) > LARGE_BODY:
        before_large()
    expanded = _gunzip(body, limits, before_large) if encoding and _is_gzip(encoding) else body
    if len(expanded) > limits.max_expanded_bytes:
        raise _too_large(limits.max_expanded_bytes)
    check_separators(expanded, limits)
    return expanded.removeprefix(_BOM)


def _encodings(headers: Mapping[str, str]) -> tuple[str, str]:
    """Content-Encoding and Transfer-Encoding, "" where there is none; names of headers have any case."""
    known = {name.lower(): value for name, value in headers.items()}
    return known.get("content-encoding", ""), known.get("transfer-encoding", "")


def _empty(transfer_encoding: str) -> BadRequest:
    if "chunked" in transfer_encoding.lower():
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
    raise BadRequest(415, f"Content-Encoding {encoding[:100]!r} is not supported; send gzip or none")


def _gunzip(data: bytes, limits: Limits, before_large: Callable[[], None]) -> bytes:
    """Expand gzip data of one or more members, giving up as soon as it is above a limit."""
    parts: list[bytes] = []
    size, is_large = 0, len(data) > LARGE_BODY
    for part in _parts(data):
        size += len(part)
        _check_expansion(size, len(data), limits)
        if size > LARGE_BODY and not is_large:
            is_large = True
            before_large()
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_expansion(size: int, wire: int, limits: Limits) -> None:
    if size > limits.max_expanded_bytes:
        raise _too_large(limits.max_expanded_bytes)
    if size > LARGE_BODY and size > limits.max_expansion_ratio * wire:
        raise BadRequest(
            413,
            f"{wire} bytes expand to more than {limits.max_expansion_ratio} times as many, the limit set by "
            f"MAX_EXPANSION_RATIO",
        )


def _parts(data: bytes) -> Iterator[bytes]:
    """The expanded data, at most ``_CHUNK`` bytes at a time."""
    position = members = 0
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
            if part:
                yield part
            if not (part or piece or member.eof) and position >= len(data):
                raise BadRequest(400, "the gzip body ends too early")
        position -= len(member.unused_data)


def _next_part(member: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return member.decompress(data, _CHUNK)
    except zlib.error:
        raise BadRequest(400, "Content-Encoding says gzip, but the body is not valid gzip") from None


def _too_large(most: int) -> BadRequest:
    return BadRequest(413, f"the expanded body has more than the {most} bytes that MAX_EXPANDED_BYTES allows")
