"""The Data Map's size limits, and cuts that keep them.

A name has at most 4 KB, a property 32 KB, an asset 2 MB
(https://learn.microsoft.com/purview/how-to-manage-quotas). The limits here leave some room, since it is not documented
whether the property's own name or an escape counts.
"""

import hashlib

NAME_BYTES = 4_000
PROPERTY_BYTES = 32_000
#: References of about 60 bytes each: far enough below 2 MB.
REFERENCES = 10_000


def size(text: str) -> int:
    """Length in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def cut(text: str, limit: int = NAME_BYTES) -> str:
    """The text, or as much of its start as fits into ``limit`` bytes together with an ellipsis."""
    return text if size(text) <= limit else _head(text, limit - size("…")) + "…"


def is_cut(text: str, limit: int = NAME_BYTES) -> bool:
    """Whether ``cut`` may have left the text: it ends with an ellipsis, and no further character would fit."""
    return text.endswith("…") and limit - size("…") <= size(text) <= limit


def cut_uniquely(text: str, limit: int = NAME_BYTES) -> str:
    """The text, or its start with 32 hex digits of its SHA-256: unequal texts stay unequal."""
    if size(text) <= limit:
        return text
    tail = "…" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return _head(text, limit - size(tail)) + tail


def _head(text: str, limit: int) -> str:
    return text.encode("utf-8", "surrogatepass")[:limit].decode("utf-8", "ignore")
