"""A short name for a function key, by which the log shows which of several keys a request had.

It is part of a hash, from which nobody can get the key. Eight digits distinguish the keys of an app.
"""

import hashlib
from collections.abc import Mapping

_HEADER = "x-functions-key"
_DIGITS = 8


def key_tag(key: str) -> str:
    """The tag of a key: eight hexadecimal digits; "" for no key."""
    return hashlib.sha256(f"sparklin function key {key}".encode()).hexdigest()[:_DIGITS] if key else ""


def tag_of_request(headers: Mapping[str, str]) -> str:
    """The tag of the key in the headers of a request; "" if the key is in the address, or there is none."""
    return key_tag(next((value for name, value in headers.items() if name.lower() == _HEADER), ""))
