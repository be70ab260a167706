"""How one Catalyst expression is laid out in Spark SQL: its words and operands in their order.

A layout looks at the expression and its children only, so that ``sql_text`` can go through a tree of any depth
without recursion, and stop when it has enough.
"""

from collections.abc import Callable
from dataclasses import replace

from parser.logical_plan.sql import calls, names
from parser.logical_plan.sql.layout import Layout, Operand, bare, class_of, dotted, field_at, listed, type_of
from parser.logical_plan.sql.literals import UNKNOWN, identifier, literal, plain, quoted, struct_fields, type_text
from parser.logical_plan.sql.names import Level
from parser.logical_plan.tree import Node

_TIGHTER = Level(Level.COMPARISON + 1)


def layout(node: Node) -> Layout:
    """The layout of an expression that is not an attribute; an unknown class is laid out as a function."""
    kind = class_of(node)
    if kind in names.INFIX and len(node.children) == 2:
        return _infix(node)
    if kind in names.PREFIX and len(node.children) == 1:
        return Layout((names.PREFIX[kind], Operand(node.children[0], Level.ATOM)), Level.UNARY)
    if kind in names.PATTERN_LISTS and node.children:
        return _predicate(node.children[0], names.PATTERN_LISTS[kind])
    if kind in names.SUBQUERIES and kind not in _FORMS:
        return Layout((names.SUBQUERIES[kind],))
    needed, form = _FORMS.get(kind, (0, calls.function))
    return form(node) if len(node.children) >= needed else calls.function(node)


def _infix(node: Node) -> Layout:
    left, right = node.children
    word, level = names.INFIX[class_of(node)]
    # a = b = c would be legal, but nobody can read it.
    left_least = _TIGHTER if level is Level.COMPARISON else level
    right_least = level if node.kind in names.ASSOCIATIVE else Level(level + 1)
    pieces: list[str | Operand] = [Operand(left, left_least), word, Operand(right, right_least)]
    escape = node.params.get("escapeChar")
    if node.kind.endswith("ike") and isinstance(escape, str) and escape != "\\":
        pieces.append(f" ESCAPE {quoted(escape)}")
    return Layout(pieces, level)


def _predicate(subject: Node, *rest: str | Operand) -> Layout:
    return Layout((Operand(subject, _TIGHTER), *rest), Level.COMPARISON)


def _is_null(node: Node) -> Layout:
    return _predicate(node.children[0], " IS NULL")


def _is_not_null(node: Node) -> Layout:
    return _predicate(node.children[0], " IS NOT NULL")


def _not(node: Node) -> Layout:
    negated = bare(node.children[0])
    kind = class_of(negated)
    if kind == "IsNull" and negated.children:
        return _is_not_null(negated)
    if kind in names.NEGATED:
        inner = layout(negated)
        word = names.INFIX[kind][0] if kind in names.INFIX else " IN "
        if inner.level is Level.COMPARISON:
            return replace(inner, pieces=[names.NEGATED[kind] if piece == word else piece for piece in inner.pieces])
    return Layout(("NOT ", Operand(negated, Level.ATOM)), Level.NOT)


def _in(node: Node) -> Layout:
    subject, *members = node.children
    if len(members) == 1 and members[0].kind in names.SUBQUERIES:
        return _predicate(subject, " IN ", Operand(members[0]))
    return _predicate(subject, " IN ", "(", *listed(members), ")")


def _in_set(node: Node) -> Layout:
    """The values of an InSet are not in the JSON."""
    return _predicate(node.children[0], " IN ", f"({UNKNOWN})")


def _in_subquery(node: Node) -> Layout:
    *values, query = node.children
    if len(values) == 1:
        return _predicate(values[0], " IN ", Operand(query))
    return Layout(("(", *listed(values), ")", " IN ", Operand(query)), Level.COMPARISON)


def _between(node: Node) -> Layout:
    arguments = calls.arguments_of(node)
    if len(arguments) != 3:
        return calls.function(node)
    value, lower, upper = arguments
    return _predicate(value, " BETWEEN ", Operand(lower, _TIGHTER), " AND ", Operand(upper, _TIGHTER))


def _case(node: Node) -> Layout:
    """The children are condition, value, condition, value, …, and the value of ELSE if their number is odd."""
    pieces: list[str | Operand] = ["CASE"]
    for condition, value in zip(node.children[::2], node.children[1::2], strict=False):
        pieces += (" WHEN ", Operand(condition), " THEN ", Operand(value))
    if len(node.children) % 2:
        pieces += (" ELSE ", Operand(node.children[-1]))
    return Layout((*pieces, " END"))


def _cast(node: Node) -> Layout:
    cast = "try_cast(" if node.kind == "TryCast" else "CAST("
    wanted = node.params.get("target") if node.kind == "UpCast" else None
    return Layout((cast, Operand(node.children[0]), f" AS {type_text(wanted or node.params.get('dataType'))})"))


def _literal(node: Node) -> Layout:
    text, level = literal(node)
    return Layout((text,), level)


def _scalar_subquery(node: Node) -> Layout:
    """What the subquery selects; its tables and conditions are listed elsewhere."""
    selected = _selected(node)
    return Layout(("(SELECT ", Operand(selected), ")") if selected else (names.SUBQUERIES[class_of(node)],))


def _selected(subquery: Node) -> Node | None:
    plan = subquery.tree("plan")
    while plan:
        listed = plan.trees("aggregateExpressions") or plan.trees("projectList")
        if listed:
            return listed[0]
        plan = plan.children[0] if len(plan.children) == 1 else None
    return None


def _field_of_subquery(subquery: Node, ordinal: object) -> Layout | None:
    """One of several subqueries that Spark merged into one: a field of the struct that it selects."""
    struct = _selected(subquery) if subquery.kind == "ScalarSubquery" else None
    values = bare(struct).children[1::2] if struct and bare(struct).kind == "CreateNamedStruct" else ()
    if isinstance(ordinal, int) and 0 <= ordinal < len(values):
        return Layout(("(SELECT ", Operand(values[ordinal]), ")"))
    return None


def _variable(node: Node) -> Layout:
    name = node.params.get("name") or node.params.get("nameParts")
    return Layout((identifier(dotted(name) or "x"),))


def _star(node: Node) -> Layout:
    target = dotted(node.params.get("target"))
    return Layout((f"{target}.*" if target else "*",))


def _lambda(node: Node) -> Layout:
    body, *variables = node.children
    if not variables:
        return Layout((Operand(body, Level.ATOM),))
    shown = listed(variables)
    return Layout((*(shown if len(variables) == 1 else ("(", *shown, ")")), " -> ", Operand(body)), Level.LAMBDA)


def _field(node: Node) -> Layout:
    merged = _field_of_subquery(bare(node.children[0]), node.params.get("ordinal"))
    if merged:
        return merged
    name = node.params.get("name")
    if not isinstance(name, str):
        known = field_at(struct_fields(type_of(node.children[0])), node.params.get("ordinal"))
        name = plain(known.get("name")) if known else _unnamed(node.params.get("ordinal"))
    return _member(node.children[0], name)


def _unnamed(ordinal: object) -> str:
    """A field by its position, counted as Scala counts the members of a tuple."""
    return f"_{plain(ordinal + 1)}" if isinstance(ordinal, int) else "_?"


def _fields(node: Node) -> Layout:
    """A field of each struct in an array; ``field`` is ``{"name": "value", "dataType": "double", …}``."""
    field = node.params.get("field")
    name = field.get("name") if isinstance(field, dict) else None
    return _member(node.children[0], name if isinstance(name, str) else "_?")


def _item(node: Node) -> Layout:
    value, key = node.children[:2]
    return Layout((Operand(value, Level.ATOM), "[", Operand(key), "]"))


def _extracted(node: Node) -> Layout:
    key = node.children[1]
    name = key.params.get("value") if key.kind == "Literal" and key.params.get("dataType") == "string" else None
    return _member(node.children[0], name) if isinstance(name, str) else _item(node)


def _member(value: Node, name: str) -> Layout:
    return Layout((Operand(value, Level.ATOM), f".{identifier(name)}"))


# Per class: how many children the form needs. With fewer, the expression is laid out as a function.
_FORMS: dict[str, tuple[int, Callable[[Node], Layout]]] = {
    **dict.fromkeys(names.CASTS, (1, _cast)),
    **dict.fromkeys(names.TRIMS, (2, calls.trim)),
    "AggregateExpression": (1, calls.aggregate),
    "Between": (1, _between),
    "CaseWhen": (2, _case),
    "GeneratorOuter": (1, calls.outer_generator),
    "GetArrayItem": (2, _item),
    "GetArrayStructFields": (1, _fields),
    "GetMapValue": (2, _item),
    "GetStructField": (1, _field),
    "In": (1, _in),
    "InSet": (1, _in_set),
    "InSubquery": (2, _in_subquery),
    "IsNotNull": (1, _is_not_null),
    "IsNull": (1, _is_null),
    "LambdaFunction": (1, _lambda),
    "Literal": (0, _literal),
    "NamedLambdaVariable": (0, _variable),
    "Not": (1, _not),
    "ScalarSubquery": (0, _scalar_subquery),
    "SortOrder": (1, calls.sort_order),
    "UnresolvedExtractValue": (2, _extracted),
    "UnresolvedFunction": (0, calls.unresolved_function),
    "UnresolvedNamedLambdaVariable": (0, _variable),
    "UnresolvedStar": (0, _star),
    "UnresolvedWindowExpression": (1, calls.named_window),
    "WindowExpression": (2, calls.window),
}
