"""Function calls in Spark SQL: arguments as they were written, DISTINCT, filters, windows."""

from collections.abc import Iterable, Sequence

from parser.logical_plan.sql import function_names, names
from parser.logical_plan.sql.layout import Layout, Operand, bare, class_of, dotted, listed, type_of
from parser.logical_plan.sql.literals import UNKNOWN, literal, plain, quoted, type_text
from parser.logical_plan.sql.names import Level
from parser.logical_plan.tree import Node, object_name, tree


def function(node: Node, *, distinct: bool = False, condition: Node | None = None) -> Layout:
    """A call; any other class is written as a call too."""
    name = _function_name(node)
    arguments = arguments_of(node)
    if condition is not None and arguments and arguments[-1] is condition:
        arguments = arguments[:-1]
    shown: Iterable[str | Operand] = listed(_with_names(node, arguments), *_more_arguments(node))
    if name == "count" and not distinct and len(arguments) == 1 and _is_constant(arguments[0]):
        shown = ("*",)
    pieces = [name, "(DISTINCT " if distinct else "(", *_leading(node, bool(arguments)), *shown, ")"]
    if condition is not None:
        pieces += (" FILTER (WHERE ", Operand(condition), ")")
    if node.params.get("ignoreNulls") is True and node.kind not in names.NULLS_AS_ARGUMENT:
        pieces.append(" IGNORE NULLS")
    return Layout(pieces)


def _with_names(node: Node, arguments: Sequence[Node]) -> Iterable[Node | str]:
    """The names of a struct's fields are literals in the plan, but not data: they are always shown."""
    for position, argument in enumerate(arguments):
        is_name = node.kind == "CreateNamedStruct" and position % 2 == 0 and argument.kind == "Literal"
        yield quoted(plain(argument.params.get("value"))) if is_name else argument


def _is_constant(node: Node) -> bool:
    return node.kind == "Literal" and node.params.get("value") is not None


def _function_name(node: Node) -> str:
    kind = class_of(node)
    if kind not in function_names.NAMED_FUNCTIONS:
        return function_names.FUNCTIONS.get(kind) or function_names.snake_case(kind)
    return next((found for name in function_names.NAME_PARAMETERS if (found := dotted(node.params.get(name)))), "udf")


def arguments_of(node: Node) -> Sequence[Node]:
    """The arguments as they were written, without what Spark fills in."""
    kind = class_of(node)
    if kind in names.WITHOUT_ARGUMENTS:
        return ()
    arguments = _replaced(node) or node.children
    if kind == "Invoke" and arguments and arguments[0].kind == "Literal":
        return arguments[1:]  # an object of the JVM that has the method
    if kind == "ArrayAggregate" and len(arguments) == 4 and _is_identity(arguments[3]):
        return arguments[:3]
    if kind in names.WIDENED and len(arguments) == 1:
        return (_unwidened(arguments[0], names.WIDENED[kind]),)
    return _without_defaults(arguments, names.DEFAULTS.get(kind, {}))


def _unwidened(argument: Node, widest: str) -> Node:
    if argument.kind == "Cast" and argument.children and argument.params.get("dataType") == widest:
        given = type_of(argument.children[0])
        return argument.children[0] if isinstance(given, str) and given in names.INTEGERS else argument
    return argument


def _replaced(node: Node) -> tuple[Node, ...]:
    """The arguments of a function whose only child is what Spark computes in its place.

    ``NullIf(left, right, replacement)``: the child is the replacement (up to Spark 3.2 its name is ``child``), and the
    arguments are lists of nodes in the other parameters.
    """
    if len(node.children) != 1 or not (node.child("replacement") or node.child("child")):
        return ()
    found = (tree(value) for value in node.params.values() if isinstance(value, list))
    return tuple(argument for argument in found if argument and argument.kind)


def _is_identity(node: Node) -> bool:
    return (
        node.kind == "LambdaFunction"
        and len(node.children) == 2
        and node.children[0].kind == node.children[1].kind == "NamedLambdaVariable"
    )


def _without_defaults(arguments: Sequence[Node], defaults: dict[int, str | None]) -> Sequence[Node]:
    while arguments and (position := len(arguments) - 1) in defaults:
        last = arguments[-1]
        if last.kind != "Literal" or last.params.get("value") != defaults[position]:
            break
        arguments = arguments[:position]
    return arguments


def _leading(node: Node, followed: bool) -> Iterable[str]:
    value = node.params.get(names.LEADING_PARAMETERS.get(class_of(node), ""))
    if isinstance(value, str | int):
        yield f"{plain(value)}, " if followed else plain(value)


def _more_arguments(node: Node) -> Iterable[str]:
    if node.kind in names.NULLS_AS_ARGUMENT and node.params.get("ignoreNulls") is True:
        yield "true"
    if node.kind in names.SCHEMA_PARAMETERS:
        yield quoted(type_text(node.params.get(names.SCHEMA_PARAMETERS[node.kind])))


def aggregate(node: Node) -> Layout:
    """An aggregate function, with DISTINCT, and with its filter as the second child."""
    called, *conditions = node.children
    distinct = node.params.get("isDistinct") is True
    return function(bare(called), distinct=distinct, condition=conditions[0] if conditions else None)


def unresolved_function(node: Node) -> Layout:
    """A call as it was written; the filter, if there is one, is the last child and also in a parameter."""
    distinct = node.params.get("isDistinct") is True
    condition = node.children[-1] if isinstance(node.params.get("filter"), list) and node.children else None
    return function(node, distinct=distinct, condition=condition)


def outer_generator(node: Node) -> Layout:
    """``explode_outer(…)``; the child is the generator."""
    name, *rest = function(bare(node.children[0])).pieces
    return Layout((f"{name}_outer", *rest))


def trim(node: Node) -> Layout:
    """A trim with given characters: the children are the text and the characters."""
    text, characters = node.children[:2]
    return Layout((f"trim({names.TRIMS[node.kind]} ", Operand(characters), " FROM ", Operand(text), ")"))


def window(node: Node) -> Layout:
    """A function over a WindowSpecDefinition, ``{"partitionSpec": [0], "orderSpec": [1], "frameSpecification": 2}``."""
    called, spec = node.children[:2]
    return Layout((Operand(called, Level.ATOM), " OVER (", *_window_spec(spec, class_of(bare(called))), ")"))


def named_window(node: Node) -> Layout:
    """The window's name is in a product, ``{"name": "w"}``."""
    reference = node.params.get("windowSpec")
    name = reference.get("name") if isinstance(reference, dict) else None
    return Layout((Operand(node.children[0], Level.ATOM), f" OVER {name if isinstance(name, str) else UNKNOWN}"))


def _window_spec(spec: Node, called: str) -> Iterable[str | Operand]:
    clauses: list[Sequence[str | Operand]] = []
    keys, order, frame = spec.trees("partitionSpec"), spec.trees("orderSpec"), spec.child("frameSpecification")
    if keys:
        clauses.append(("PARTITION BY ", *listed(keys)))
    if order:
        clauses.append(("ORDER BY ", *listed(order)))
    if frame and called not in names.FRAMELESS and len(frame.children) == 2 and not _is_default(frame, bool(order)):
        clauses.append(tuple(_frame(frame)))
    for number, clause in enumerate(clauses):
        yield from (" ", *clause) if number else clause


def _is_default(frame: Node, ordered: bool) -> bool:
    lower, upper = (class_of(bound) for bound in frame.children)
    if not ordered:
        return (lower, upper) == ("UnboundedPreceding", "UnboundedFollowing")
    in_rows = object_name(frame.params.get("frameType")) == "RowFrame"
    return not in_rows and (lower, upper) == ("UnboundedPreceding", "CurrentRow")


def _frame(frame: Node) -> Iterable[str | Operand]:
    yield "ROWS BETWEEN " if object_name(frame.params.get("frameType")) == "RowFrame" else "RANGE BETWEEN "
    yield from _bound(frame.children[0])
    yield " AND "
    yield from _bound(frame.children[1])


_BOUNDS = {
    "CurrentRow": "CURRENT ROW",
    "UnboundedFollowing": "UNBOUNDED FOLLOWING",
    "UnboundedPreceding": "UNBOUNDED PRECEDING",
}


def _bound(bound: Node) -> tuple[str | Operand, ...]:
    """An end of a frame; preceding rows are negative."""
    if class_of(bound) in _BOUNDS:
        return (_BOUNDS[class_of(bound)],)
    if bound.kind == "UnaryMinus" and bound.children:
        return (Operand(bound.children[0]), " PRECEDING")
    text = literal(bound)[0] if bound.kind == "Literal" else ""
    return (f"{text[1:]} PRECEDING",) if text.startswith("-") else (Operand(bound), " FOLLOWING")


def sort_order(node: Node) -> Layout:
    """ASC, and the default order of nulls (first if ascending, last if descending), are not written."""
    descending = object_name(node.params.get("direction")) == "Descending"
    nulls = object_name(node.params.get("nullOrdering"))
    pieces: list[str | Operand] = [Operand(node.children[0])]
    if descending:
        pieces.append(" DESC")
    if nulls == ("NullsFirst" if descending else "NullsLast"):
        pieces.append(" NULLS FIRST" if descending else " NULLS LAST")
    return Layout(pieces, Level.LAMBDA)
