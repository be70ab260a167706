"""Expressions: which columns give the value, and which only influence it.

By default every child gives value. The exceptions are listed: conditions of CASE and IF, filters of aggregates and
arrays, window specifications, and functions whose children are not arguments (rank has the ORDER BY columns as
children). An expression is evaluated from its leaves up, so that deep ones cost no recursion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from parser.logical_plan.collection_functions import ARRAYS_OF, COLLECTIONS, VARIABLES, VARIABLES_OF
from parser.logical_plan.sql.layout import dotted
from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import CONSTANT, LITERAL, UNKNOWN, Value, combined, decided, one_of

#: Evaluates a plan inside an expression, given the columns around it: its first column, and what affects its rows.
Subquery = Callable[[Node, Mapping[int, Value]], Value]

_RULES: dict[str, Callable[[Node, Sequence[Value]], Value]] = {}

# Their children are the columns that order the window, or nothing that would give a value.
_WITHOUT_VALUE = {
    "Rank",
    "DenseRank",
    "PercentRank",
    "CumeDist",
    "RowNumber",
    "NTile",
    "SpecifiedWindowFrame",
    "InputFileName",
    "InputFileBlockStart",
    "InputFileBlockLength",
    "MonotonicallyIncreasingID",
    "SparkPartitionID",
    *VARIABLES,
}
_LITERALS = {"Literal", "CurrentDate", "CurrentTimestamp", "LocalTimestamp", "CurrentTimeZone", "CurrentUser"}
# Different for each row, or each group of rows, though their arguments may be literals.
_VARYING = {
    "AggregateExpression", "WindowExpression", "Rand", "Randn", "Uuid", "Shuffle", "PythonUDF", "ScalaUDF",
    "RandStr", "Uniform", "UnresolvedFunction",
}  # fmt: skip
_REFERENCES = {"AttributeReference"}
# The column is in a parameter, not among the children.
_REFERENCES_IN = {"OuterReference": "e", "LateralColumnAliasReference": "a"}
_SUBQUERIES = {"ScalarSubquery", "ListQuery", "Exists", "LateralSubquery", "DynamicPruningSubquery"}
# They give some of the elements of the first child; the other children only choose which.
_CHOOSE = {"ArrayFilter", "MapFilter"}
# They give one of the children, an element of it, or a collection of it.
_ANY_OF = {
    "Max", "Min", "First", "Last", "AnyValue", "Mode", "Coalesce", "Nvl", "IfNull", "KnownNotNull", "KnownNullable",
    "CollectList", "CollectSet", "SortArray", "ArrayDistinct", "Reverse", "ArrayMax", "ArrayMin", "CreateArray",
    "MapConcat", "NormalizeNaNAndZero", "KnownFloatingPointNormalized", "Cast", "AnsiCast", "TryCast", "Lag", "Lead",
    "Concat", "Flatten", "Shuffle", "ArrayAppend", "ArrayPrepend", "ArrayUnion", "ArrayExcept", "ArrayIntersect",
    "ArrayRemove",
}  # fmt: skip
# Classes that only an unresolved plan contains, or that stand for a row of objects.
_UNREADABLE = {"UnresolvedAttribute", "UnresolvedStar", "BoundReference", "GetColumnByOrdinal"}


def evaluate(expression: Node, columns: Mapping[int, Value], subquery: Subquery, spend: Callable[[int], None]) -> Value:
    """The sources of the expression; ``columns`` are those it may refer to, ``spend`` counts the work."""
    if not expression.children:
        return _value(expression, (), columns, subquery)
    stack: list[Value] = []
    elements: dict[int | None, Value] = {}
    for step in reversed(_steps(expression)):
        if isinstance(step, tuple):
            node, position = step
            variables = node.children[position].children[1:]
            given = VARIABLES_OF[node.kind](node, stack[len(stack) - position :])
            elements.update(zip(map(expression_id, variables), given, strict=False))
            continue
        children: Sequence[Value] = ()
        if count := len(step.children):
            children = stack[-count:]
            del stack[-count:]
        if step.kind in VARIABLES:
            value = elements.get(expression_id(step), CONSTANT)
        else:
            value = _value(step, children, columns, subquery)
        if count > 1:
            spend(len(value.sources) + len(value.uses))
        stack.append(value)
    return stack[0]


def _steps(expression: Node) -> list[Node | tuple[Node, int]]:
    """From the end: each node after its children, and before a child that is a function its parent and position."""
    found: list[Node | tuple[Node, int]] = []
    waiting: list[Node | tuple[Node, int]] = [expression]
    while waiting:
        step = waiting.pop()
        found.append(step)
        if isinstance(step, tuple):
            continue
        if step.kind not in VARIABLES_OF:
            waiting.extend(step.children)
            continue
        for position, child in enumerate(step.children):
            if child.kind == "LambdaFunction":
                waiting.append((step, position))
            waiting.append(child)
    return found


def _value(node: Node, children: Sequence[Value], columns: Mapping[int, Value], subquery: Subquery) -> Value:
    if node.kind in _REFERENCES:
        number = expression_id(node)
        return columns.get(number, UNKNOWN) if number is not None else UNKNOWN
    if node.kind in _REFERENCES_IN:
        column = node.tree(_REFERENCES_IN[node.kind])
        return _value(column, (), columns, subquery) if column and not column.children else UNKNOWN
    if node.kind in _LITERALS:
        return LITERAL
    if node.kind in _WITHOUT_VALUE:
        return CONSTANT
    if node.kind in _UNREADABLE:
        return UNKNOWN
    if node.kind in _SUBQUERIES:
        plan = node.tree("plan") or node.tree("query")
        # The children are the columns of the query around it that it refers to.
        return decided(subquery(plan, columns), children, "JOIN") if plan else UNKNOWN
    rule = _RULES.get(node.kind)
    value = rule(node, children) if rule else combined(children)
    if value.is_map and node.kind in ARRAYS_OF:
        value = replace(value, is_map=False)
    if children and children[0].literal and node.kind not in _VARYING and all(child.literal for child in children):
        return replace(value, literal=True)
    return value


def _case(_node: Node, children: Sequence[Value]) -> Value:
    """Children are condition, value, condition, value, …, and perhaps the value for ELSE."""
    pairs = len(children) // 2 * 2
    otherwise = children[pairs:]
    return decided(one_of([*children[1:pairs:2], *otherwise]), children[0:pairs:2])


def _if(_node: Node, children: Sequence[Value]) -> Value:
    return decided(one_of(children[1:]), children[:1])


def _window(_node: Node, children: Sequence[Value]) -> Value:
    """A function, and the specification of the window it is applied to."""
    return decided(one_of(children[:1]), children[1:], "WINDOW")


def _first(_node: Node, children: Sequence[Value]) -> Value:
    """The first child gives the values, the others choose among them: for an aggregate function, its filter."""
    return decided(one_of(children[:1]), children[1:])


def _any_of(_node: Node, children: Sequence[Value]) -> Value:
    """One of the children as it is, or a collection of them: a struct stays one."""
    return one_of(children)


_RULES.update(
    {
        "CaseWhen": _case,
        "If": _if,
        "AggregateExpression": _first,
        "WindowExpression": _window,
        **dict.fromkeys(_CHOOSE, _first),
        **dict.fromkeys(_ANY_OF, _any_of),
        "UnresolvedFunction": lambda node, children: _function(node, children),
        "Alias": lambda _, children: children[0] if children else UNKNOWN,
        "CreateNamedStruct": lambda _, children: replace(combined(children), fields=tuple(children[1::2])),
        **COLLECTIONS,
        "InSubquery": lambda node, children: _in(node, children),
        "In": lambda node, children: _in(node, children),
        "GetStructField": lambda node, children: _field(node, children),
        "GetArrayStructFields": lambda node, children: _field(node, children),
        "PivotFirst": lambda node, children: _pivot(node, children),
    }
)


def _function(node: Node, children: Sequence[Value]) -> Value:
    """A function that is known by its name only, in a plan as parsed."""
    rule = _BY_NAME.get(dotted(node.params.get("name")).lower())
    return rule(node, children) if rule else combined(children)


_BY_NAME: dict[str, Callable[[Node, Sequence[Value]], Value]] = {
    "if": _if,
    "nvl2": _if,
    "nullif": lambda _, children: combined(children[:1]),
    "filter": _first,
    "map_filter": _first,
    "ntile": lambda _node, _children: CONSTANT,
}


def _in(node: Node, children: Sequence[Value]) -> Value:
    """Values and lists are compared in the same way; the rows of a subquery only influence the result."""
    pairs = list(zip(node.children, children, strict=True))
    queries = [value for child, value in pairs if child.kind == "ListQuery"]
    return decided(combined(value for child, value in pairs if child.kind != "ListQuery"), queries, "JOIN")


def _field(node: Node, children: Sequence[Value]) -> Value:
    """A field of a struct; a struct that is read from a dataset counts as one column.

    Spark makes one subquery of several that read the same table, and takes the fields of its result.
    """
    ordinal = node.params.get("ordinal")
    return one_of(children).part(ordinal if isinstance(ordinal, int) else -1)


def _pivot(node: Node, children: Sequence[Value]) -> Value:
    """``valueColumn`` gives the values, ``pivotColumn`` says into which column each goes."""
    chosen, given = node.params.get("pivotColumn"), node.params.get("valueColumn")
    if isinstance(chosen, int) and isinstance(given, int) and max(chosen, given) < len(children):
        return decided(children[given], [children[chosen]])
    return combined(children)
