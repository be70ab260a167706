"""Copies of data classes and structs with some fields changed, as ``copy.replace`` of Python 3.13 makes them."""

from dataclasses import replace as _replace_in_data_class
from typing import Any, TypeVar

import msgspec

_Noun = TypeVar("_Noun")


def replace(noun: _Noun, /, **changes: Any) -> _Noun:
    """A copy of a data class or a struct of msgspec in which some fields are changed.

    :raises TypeError: it has no such field.
    """
    if isinstance(noun, msgspec.Struct):
        return msgspec.structs.replace(noun, **changes)
    return _replace_in_data_class(noun, **changes)  # type: ignore[type-var]
