"""The parts of a layout, and expressions without what Spark adds around them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from parser.logical_plan.sql import names
from parser.logical_plan.sql.literals import plain, struct_fields
from parser.logical_plan.sql.names import Level
from parser.logical_plan.tree import Node, tree

# How far below a struct's field its type is looked for.
_TYPE_SEARCH = 32


@dataclass(frozen=True, slots=True)
class Operand:
    """An expression inside another one; it gets parentheses if its text binds less tightly than ``least``."""

    node: Node
    least: Level = Level.LAMBDA


@dataclass(frozen=True, slots=True)
class Layout:
    """An expression as pieces from left to right, and how tightly they bind."""

    pieces: Sequence[str | Operand]
    level: Level = Level.ATOM


def bare(node: Node) -> Node:
    """The expression without what Spark adds around it."""
    inner: Node | None = node
    while inner:
        node, inner = inner, _inside(inner)
    return node


def _inside(node: Node) -> Node | None:
    kind = class_of(node)
    if kind in names.WRAPPED_IN_PARAMETER:
        return tree(node.params.get(names.WRAPPED_IN_PARAMETER[kind]))
    if not node.children:
        return None
    first = node.children[0]
    if kind == "PromotePrecision" and first.kind == "Cast" and first.children:
        return first.children[0]  # the cast is Spark's own, to the precision of the other operand
    return first if kind in names.TRANSPARENT or _changes_nothing(node, first) else None


def _changes_nothing(node: Node, first: Node) -> bool:
    match node.kind:
        case "StaticInvoke":
            return plain(node.params.get("functionName")) in names.TRANSPARENT_METHODS
        case "Divide":
            return _averages_unscaled(first)
        case "AnsiCast" | "Cast":
            wanted, given = node.params.get("dataType"), first.params.get("dataType")
            if first.kind == "Literal" and (first.params.get("value") is None or _width(given) < _width(wanted)):
                return _width(given) >= 0 or first.params.get("value") is None
            return isinstance(wanted, str) and given == wanted  # what an insert adds
    return False


def _width(data_type: object) -> int:
    """How wide a number type is; below 0 for other types."""
    return names.WIDTHS.get(data_type.partition("(")[0], -1) if isinstance(data_type, str) else -1


def _averages_unscaled(node: Node) -> bool:
    """Whether this is an average of a decimal's digits, which Spark divides by a power of ten afterwards."""
    for kind in ("WindowExpression", "AggregateExpression"):
        if node.kind == kind and node.children:
            node = node.children[0]
    return node.kind == "Average" and any(child.kind == "UnscaledValue" for child in node.children)


def type_of(node: Node, depth: int = 0) -> object:
    """The type of an expression in its JSON shape, as far as the events contain it; else None."""
    node = bare(node)
    if depth == _TYPE_SEARCH:
        return None
    within = _INTO.get(node.kind, len(node.children))
    below = type_of(node.children[within], depth + 1) if within < len(node.children) else None
    match node.kind:
        case "GetStructField":
            return field_at(struct_fields(below), node.params.get("ordinal")).get("type")
        case "GetArrayItem" | "GetMapValue" | "ElementAt":
            inside = below if isinstance(below, dict) else {}
            return inside.get("elementType") or inside.get("valueType")
        case "CreateNamedStruct":
            return {"fields": [_named(pair) for pair in zip(node.children[::2], node.children[1::2], strict=False)]}
    if node.kind in names.TYPED_BY_CHILD:
        return below
    return "integer" if node.kind in names.GIVES_INTEGER else node.params.get("dataType")


# The parameters that contain the type of a value inside, or of the whole.
_INTO = {"ElementAt": 0, "GetArrayItem": 0, "GetMapValue": 0, "GetStructField": 0, **names.TYPED_BY_CHILD}


def _named(pair: tuple[Node, Node]) -> dict[str, object]:
    name, value = pair
    return {"name": name.params.get("value"), "type": value.params.get("dataType")}


def field_at(fields: Sequence[Mapping[str, object]], ordinal: object) -> Mapping[str, object]:
    """The field at a position; empty if there is none."""
    return fields[ordinal] if isinstance(ordinal, int) and 0 <= ordinal < len(fields) else {}


def listed(nodes: Iterable[Node | str], *more: str) -> Iterable[str | Operand]:
    """Operands and texts, then more texts, with commas."""
    items: list[str | Operand] = [*(Operand(node) if isinstance(node, Node) else node for node in nodes), *more]
    for number, item in enumerate(items):
        if number:
            yield ", "
        yield item


def dotted(name: object) -> str:
    """A name in one of its shapes: ``"f"``, ``"[db, f]"``, ``{"funcName": "f", "database": "db"}``."""
    if isinstance(name, dict):
        parts = [name.get("database"), name.get("funcName") or name.get("name")]
        return ".".join(part for part in parts if isinstance(part, str))
    if isinstance(name, str) and name.startswith("[") and name.endswith("]"):
        return name[1:-1].replace(", ", ".")
    return name if isinstance(name, str) else ""


def class_of(node: Node) -> str:
    """The class; Scala's objects end with ``$``."""
    return node.kind.rstrip("$")
