"""Parsers of settings: each function reads one kind of value.

:raises ValueError: the text is not of that kind; the message continues the setting's name: "must be …".
"""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from core.folder_address import FolderAddress, folder_address


def url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("must be an address such as https://<account>.purview.azure.com")
    return text.rstrip("/")


def whole_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError(f"must be a whole number, 0 or more, not {text!r}")
    return number


def at_most(most: int, *, least: int = 0) -> Callable[[str], int]:
    """A parser of spans of time up to ``most``: calendars end, and a queue delays a message for a week at most."""

    def parse(text: str) -> int:
        number = whole_number(text)
        if not least <= number <= most:
            raise ValueError(f"must be from {least} to {most}, not {text!r}")
        return number

    return parse


def positive(text: str) -> int:
    number = whole_number(text)
    if number == 0:
        raise ValueError("must be greater than 0")
    return number


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"must be a number of seconds greater than 0, not {text!r}")
    return number


def flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"must be true or false, not {text!r}")
    return text.lower() == "true"


def words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,;]+", text) if word)


def folders(text: str) -> tuple[FolderAddress, ...]:
    """Addresses of folders, one a line or separated by blanks; a folder that is given twice counts once."""
    return tuple(dict.fromkeys(folder_address(word) for word in text.split()))


def patterns(text: str) -> tuple[re.Pattern[str], ...]:
    """Regular expressions, one a line or separated by `` | `` with blanks, each to match anywhere in the name."""
    found = []
    for part in re.split(r"\n| \| ", text):
        if part.strip():
            try:
                found.append(re.compile(part.strip()))
            except re.error as error:
                raise ValueError(f"has a regular expression that is not one: {part.strip()!r} ({error})") from None
    return tuple(found)


def mapping(text: str) -> Mapping[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError('must be a JSON object of texts, such as {"key": "value"}')
    return value


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for choice in choices:
            if choice.lower() == text.lower():
                return choice
        raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")

    return parse
