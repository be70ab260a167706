"""Spark's types and literals as SQL, from their JSON: ``"long"`` → ``BIGINT``, day 18262 → ``DATE '2020-01-01'``."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from parser.logical_plan.sql.names import Level
from parser.logical_plan.tree import Node

NULL = "NULL"
UNKNOWN = "…"

_TYPES = {
    "byte": "TINYINT",
    "calendarinterval": "INTERVAL",
    "integer": "INT",
    "long": "BIGINT",
    "null": "VOID",
    "short": "SMALLINT",
}
# Deeper types are cut: nobody reads them in an expression.
_DEEPEST_TYPE = 8

_NUMBERS = ("byte", "decimal", "double", "float", "integer", "long", "short")
_FINITE = re.compile(r"-?[0-9.]+(?:E[+-]?[0-9]+)?", re.IGNORECASE)
# Java's default text of an object (`[B@1b2c3d`): it differs in each run.
_ADDRESS = re.compile(r"@[0-9a-f]+\b")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def type_text(data_type: object, depth: int = 0) -> str:
    """A type as in CAST; shapes are ``"long"``, ``"decimal(10,2)"``, ``{"type": "array", "elementType": …}``."""
    if isinstance(data_type, str):
        return _TYPES.get(data_type, data_type.upper())
    if not isinstance(data_type, Mapping) or depth == _DEEPEST_TYPE:
        return UNKNOWN
    match data_type.get("type"):
        case "array":
            return f"ARRAY<{type_text(data_type.get('elementType'), depth + 1)}>"
        case "map":
            key, value = (type_text(data_type.get(part), depth + 1) for part in ("keyType", "valueType"))
            return f"MAP<{key}, {value}>"
        case "struct":
            return f"STRUCT<{', '.join(_field_text(field, depth) for field in struct_fields(data_type))}>"
        case "udt":
            return type_text(data_type.get("sqlType"), depth + 1)
    return UNKNOWN


def struct_fields(data_type: object) -> list[Mapping[str, object]]:
    """The fields of a struct, ``{"name": …, "type": …}`` each; none for another type."""
    fields = data_type.get("fields") if isinstance(data_type, Mapping) else None
    return [field for field in fields if isinstance(field, Mapping)] if isinstance(fields, list) else []


def plain(value: object) -> str:
    """A text or number as it is; … for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) and abs(value) < 2**64 else UNKNOWN


def identifier(name: str) -> str:
    """A name as Spark SQL writes it: in backticks if it is no plain word."""
    return name if name.isidentifier() else f"`{name.replace('`', '``')}`"


class TextLiteral(str):
    """A literal that may contain a text of the data: a separate piece of what is written, so that it can be hidden."""

    __slots__ = ()


def quoted(text: str) -> str:
    """A text in quotes."""
    return "'" + text.replace("'", "''") + "'"


def literal(node: Node) -> tuple[str, Level]:
    """A Literal, ``{"value": "7", "dataType": "integer"}``: values are texts, or null; a null's type is not shown."""
    value, data_type = node.params.get("value"), node.params.get("dataType")
    if value is None:
        return NULL, Level.ATOM
    text = plain(value)
    name = data_type if isinstance(data_type, str) else ""
    if name.startswith(_NUMBERS):
        return _number(text, name)
    return _literal(text, name), Level.ATOM


def _number(text: str, data_type: str) -> tuple[str, Level]:
    if not _FINITE.fullmatch(text):  # NaN and the infinities
        return f"CAST({quoted(text)} AS {type_text(data_type)})", Level.ATOM
    return text, Level.UNARY if text.startswith("-") else Level.ATOM


def _literal(text: str, data_type: str) -> str:
    match data_type.split(" ")[0].split("(")[0]:
        case "string" | "char" | "varchar":  # Spark 4 adds a collation, "string collate UTF8_LCASE"
            return TextLiteral(quoted(text))
        case "date":
            return f"DATE {quoted(_date(text))}"
        case "timestamp" | "timestamp_ltz" | "timestamp_ntz" as name:
            return f"{name.upper()} {quoted(_timestamp(text))}"
        case "interval" | "calendarinterval":
            return _interval(text, data_type)
        case "binary":  # the value is the address of a Java array
            return TextLiteral(f"X{quoted(UNKNOWN if _ADDRESS.search(text) else text)}")
        case "boolean":
            return text
    return TextLiteral(_ADDRESS.sub(UNKNOWN, text))


def _date(text: str) -> str:
    """The day; Spark writes it out, or as days since 1970."""
    try:
        return str(date(1970, 1, 1) + timedelta(days=int(text)))
    except (ValueError, OverflowError):
        return text


def _timestamp(text: str) -> str:
    """The moment; Spark writes it out, or (TIMESTAMP_NTZ) as microseconds since 1970."""
    try:
        return str((_EPOCH + timedelta(microseconds=int(text))).replace(tzinfo=None))
    except (ValueError, OverflowError):
        return text


def _interval(text: str, data_type: str) -> str:
    """An interval: a text of its own up to Spark 3.1; later months or microseconds, ``interval day to second``."""
    unit = data_type.removeprefix("interval").strip().upper()
    if not unit or not text.removeprefix("-").isdecimal() or len(text) > 19:
        return f"INTERVAL {quoted(text)}"
    sign, count = "-" * text.startswith("-"), abs(int(text))
    if "YEAR" in unit or "MONTH" in unit:
        return f"INTERVAL '{sign}{count // 12}-{count % 12}' YEAR TO MONTH"
    seconds, fraction = divmod(count, 1_000_000)
    clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    rest = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"INTERVAL '{sign}{seconds // 86400} {clock}{rest}' DAY TO SECOND"


def _field_text(field: Mapping[str, object], depth: int) -> str:
    return f"{identifier(plain(field.get('name')))}: {type_text(field.get('type'), depth + 1)}"
