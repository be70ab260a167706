"""Readers for the kinds of fields in a rules file; each says in a few words what it expected."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class Fault(ValueError):
    """A field has a wrong value; the message says what is expected."""


def instead(unknown: str, known: Iterable[str], shown: str = "{!r}") -> str:
    """What could have been meant by an unknown name: the most similar known one, or else all of them."""
    names = sorted(known)
    near = get_close_matches(unknown, names, 1)
    return f"did you mean {shown.format(near[0])}?" if near else f"known are {', '.join(names)}"


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Fault("is missing" if value is None else "must be a text")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault("must be true or false")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A text, or a list of at least one."""
    return tuple(text(item) for item in texts_or_blanks(value))


def texts_or_blanks(value: Any) -> tuple[str, ...]:
    """A text, or a list of at least one; a text may be empty."""
    if value is None:
        raise Fault("is missing")
    items = [value] if isinstance(value, str) else value
    if not is_texts(items) or not items:
        raise Fault("must be a text or a list of texts")
    return tuple(items)


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def table(value: Any, keys: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    """A table, of these keys only if any are given."""
    if not isinstance(value, dict):
        raise Fault("must be a table of names and texts")
    for key in value:
        if keys is not None and key not in keys:
            raise Fault(f"has the unknown key {key!r}; {instead(key, keys)}")
    return value


def tables(value: Any, keys: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """A list of tables; a missing field counts as an empty list."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Fault("must be a list of tables")
    return [table(item, keys) for item in value]
