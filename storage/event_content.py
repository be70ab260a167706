"""The content of an event's blob: its body as it was received, or compressed."""

import gzip
import zlib

from azure.storage.blob import ContentSettings

_TYPE = "application/json"
_MAGIC = b"\x1f\x8b"
# The fastest: Spark waits. Higher levels take twice the time for a tenth of the size.
_LEVEL = 1


def plain(body: bytes) -> tuple[bytes, ContentSettings]:
    """The content of a blob that is not compressed, and its headers."""
    return body, ContentSettings(content_type=_TYPE)


def compressed(body: bytes) -> tuple[bytes, ContentSettings]:
    """The content of a blob that is compressed, and its headers."""
    return gzip.compress(body, _LEVEL, mtime=0), ContentSettings(content_type=_TYPE, content_encoding="gzip")


def expanded(content: bytes) -> bytes:
    """The event in a blob, compressed or not. Content that cannot be expanded is returned as it is."""
    if not content.startswith(_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content
