"""Limits of a table row; Azure's own are a little higher and hard to count."""

from collections.abc import Mapping
from typing import Any

from storage.text import units

MAX_UNITS = 30_000
MAX_BYTES = 60_000
MAX_ROW_BYTES = 800_000
MAX_SMALL_BYTES = 15_000


def is_large(entity: Mapping[str, Any]) -> bool:
    """Whether a row is too large for a transaction, which may have 100 rows."""
    return sum(_size(value) for value in entity.values() if isinstance(value, str | bytes)) > MAX_SMALL_BYTES


def too_large(entity: Mapping[str, Any]) -> str | None:
    """The name of the largest property, if it or the whole row is too large."""
    sizes = {name: _size(value) for name, value in entity.items() if isinstance(value, str | bytes)}
    if not sizes:
        return None
    largest = max(sizes, key=lambda name: sizes[name])
    value = entity[largest]
    over = units(value) > MAX_UNITS if isinstance(value, str) else len(value) > MAX_BYTES
    names = sum(2 * len(name) + 16 for name in entity)
    return largest if over or sum(sizes.values()) + names > MAX_ROW_BYTES else None


def _size(value: str | bytes) -> int:
    return 2 * units(value) if isinstance(value, str) else len(value)
