"""Attribute values: accepted ones, their stored form, and the value of unset attributes.

Atlas converts many values: "12" is a long, a list given for a string is stored as Java would print it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.data_map.atlas_errors import AtlasError
from local.data_map.types import Attribute, EntityType

_WHOLE = ("byte", "short", "int", "long", "biginteger")
_FRACTION = ("float", "double", "bigdecimal")


def java_text(value: object) -> str:
    """Returns ``value`` as Java's ``toString`` prints it: ``{a=1}``, ``[x, y]``, ``null``, ``true``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={java_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(java_text(each) for each in value) + "]"
    return str(value)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, (int, float, str)) else _refuse()


def _fraction(value: object) -> float:
    return float(value) if isinstance(value, (int, float, str)) else _refuse()


def _boolean(value: object) -> bool:
    return java_text(value).lower() == "true"


def _date(value: object) -> int:
    """Milliseconds since 1970 from a number, a numeric text or ``yyyy-MM-ddTHH:mm:ss.SSSZ``."""
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() * 1000)
    return _whole(value)


def _texts(value: object) -> list[str]:
    return [java_text(each) for each in value] if isinstance(value, list) else _refuse()


def _text_map(value: object) -> dict[str, str]:
    return {k: java_text(v) for k, v in value.items()} if isinstance(value, dict) else _refuse()


def _refuse() -> Any:
    raise ValueError


# type → (conversion, the value of an unset attribute of the type)
_TYPES: dict[str, tuple[Callable[[object], object], object]] = {
    "string": (java_text, None),
    "boolean": (_boolean, False),
    "date": (_date, 0),
    "array<string>": (_texts, None),
    "map<string,string>": (_text_map, None),
    **dict.fromkeys(_WHOLE, (_whole, 0)),
    **dict.fromkeys(_FRACTION, (_fraction, 0.0)),
}


def normalised(entity_type: EntityType, attribute: Attribute, value: object) -> object:
    """Returns the stored form of ``value``; enums, structs and other types are not converted.

    :raises AtlasError: ATLAS-404-00-007 if the value can't be of the attribute's type.
    """
    convert = _TYPES.get(attribute.type, (None, None))[0]
    if value is None or convert is None:
        return value
    try:
        return convert(value)
    except (ValueError, OverflowError):
        raise invalid_value(entity_type.name, attribute.name, value, attribute.type) from None


def invalid_value(type_name: str, attribute: str, value: object, expected: str) -> AtlasError:
    """The error for a value of a wrong type."""
    text = f"{type_name}.{attribute}={java_text(value)}: invalid value for type {expected}"
    return AtlasError("ATLAS-404-00-007", text)


def missing_value(type_name: str, attribute: Attribute) -> AtlasError:
    """The error for a required attribute that is absent or null."""
    text = f"{type_name}.{attribute.name}: mandatory attribute value missing in type {attribute.owner}"
    return AtlasError("ATLAS-404-00-007", text)


def unset(attribute: Attribute) -> object:
    """The value of an attribute that is not set."""
    if attribute.type in _TYPES:
        return _TYPES[attribute.type][1]
    # An array of entities reads as empty, an array of anything else as null.
    return [] if attribute.type == "array<AtlasServer>" else None
