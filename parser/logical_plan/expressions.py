"""Expressions: which columns give the value, and which only influence it.

By default every child gives value. The exceptions are listed: conditions of CASE and IF, filters of aggregates and
arrays, window specifications, and functions whose children are not arguments (rank has the ORDER BY columns as
children). An expression is evaluated from its leaves up, so that deep ones cost no recursion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from parser.logical_plan.sql.layout import dotted
from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import CONSTANT, LITERAL, UNKNOWN, Value, combined, decided, one_of

#: Evaluates a plan inside an expression, given the columns around it: its first column, and what affects its rows.
Subquery = Callable[[Node, Mapping[int, Value]], Value]

_RULES: dict[str, Callable[[Node, Sequence[Value]], Value]] = {}

# The elements that a function refers to; the array itself is another child.
_VARIABLES = {"LambdaVariable", "NamedLambdaVariable", "UnresolvedNamedLambdaVariable"}
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
    *_VARIABLES,
}
_LITERALS = {"Literal", "CurrentDate", "CurrentTimestamp", "LocalTimestamp", "CurrentTimeZone", "CurrentUser"}
# The values of the variables of a function's argument that is a function, given the arguments before it. In other
# functions, like filter, what is done with the elements only chooses.
_VARIABLES_OF: dict[str, Callable[[Node, Sequence[Value]], Sequence[Value]]] = {
    "ArrayTransform": lambda _, given: (*given[:1], combined(given)),
    "ZipWith": lambda _, given: given,
    "ArrayAggregate": lambda node, given: _accumulated(node, given) if len(given) > 2 else given[::-1],
    "TransformKeys": lambda _, given: _key_and_values(given),
    "TransformValues": lambda _, given: _key_and_values(given),
    "MapZipWith": lambda _, given: _key_and_values(given),
}
# They make arrays of what they are given.
_ARRAYS_OF = {
    "CreateArray", "CollectList", "CollectSet", "ArrayAppend", "ArrayPrepend", "ArrayTransform", "ZipWith", "MapKeys",
    "MapValues", "GetArrayStructFields",
}  # fmt: skip
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
# They give rows or elements of the first child, by a position or an order that is computed.
_ELEMENT_OF = {"MaxBy", "MinBy", "GetArrayItem", "NthValue", "Slice", "ArraySort"}
# They give the element of an array at a position, or the value that a map has for a key.
_VALUE_OF = {"ElementAt", "TryElementAt", "GetMapValue"}
# They give one of the children, an element of it, or a collection of it.
_ANY_OF = {
    "Max", "Min", "First", "Last", "AnyValue", "Mode", "Coalesce", "Nvl", "IfNull", "KnownNotNull", "KnownNullable",
    "CollectList", "CollectSet", "SortArray", "ArrayDistinct", "Reverse", "ArrayMax", "ArrayMin", "CreateArray",
    "MapConcat", "NormalizeNaNAndZero", "KnownFloatingPointNormalized", "Cast", "AnsiCast", "TryCast", "Lag", "Lead",
    "Concat", "Flatten", "Shuffle", "ArrayAppend", "ArrayPrepend", "ArrayUnion", "ArrayExcept", "ArrayIntersect",
    "ArrayRemove",
}  # fmt: skip
# Their elements are the child at these positions; the others are numbers.
_ELEMENTS = {"ArrayRepeat": (0,), "ArrayInsert": (0, 2)}
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
            given = _VARIABLES_OF[node.kind](node, stack[len(stack) - position :])
            elements.update(zip(map(expression_id, variables), given, strict=False))
            continue
        children: Sequence[Value] = ()
        if count := len(step.children):
            children = stack[-count:]
            del stack[-count:]
        if step.kind in _VARIABLES:
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
        if step.kind not in _VARIABLES_OF:
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
    if value.is_map and node.kind in _ARRAYS_OF:
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


def _as_it_is(children: Sequence[Value]) -> Value:
    """The first child, whatever it contains."""
    return replace(children[0], definition=None, literal=False) if children else CONSTANT


def _element(_node: Node, children: Sequence[Value]) -> Value:
    """An element of the first child: of structs, a struct of the same fields."""
    element, position = _as_it_is(children), combined(children[1:])
    if position == CONSTANT:
        return element
    fields = tuple(combined([part, position]) for part in element.fields)
    return replace(combined([element, position]), fields=fields, is_map=element.is_map)


def _value_of(node: Node, children: Sequence[Value]) -> Value:
    """The value of a map for a key, or an element of an array."""
    of = _as_it_is(children)
    if of.is_map or node.kind == "GetMapValue":
        of = of.entries.part(1)
    return _element(node, [of, *children[1:]])


def _any_of(_node: Node, children: Sequence[Value]) -> Value:
    """One of the children as it is, or a collection of them: a struct stays one."""
    return one_of(children)


def _elements(node: Node, children: Sequence[Value]) -> Value:
    """An array of some of the children, or of their elements; where they are, or how often, does not change them."""
    given = one_of([children[position] for position in _ELEMENTS[node.kind] if position < len(children)])
    return replace(combined(children), fields=given.fields)


def _map(keys: Value, values: Value) -> Value:
    """A map has one field, so that the fields of a struct in it are not taken for its keys and values."""
    both = combined([keys, values])
    return replace(both, fields=(replace(both, fields=(keys, values)),), is_map=True)


def _entries(children: Sequence[Value]) -> Value:
    return _as_it_is(children).entries


def _map_from_entries(_node: Node, children: Sequence[Value]) -> Value:
    entries = one_of(children)
    return _map(*entries.fields) if len(entries.fields) == 2 else combined(children)


def _key_and_values(maps: Sequence[Value]) -> list[Value]:
    """The key that maps have in common, and the value that each has for it."""
    entries = [map_.entries for map_ in maps]
    return [one_of([each.part(0) for each in entries]), *(each.part(1) for each in entries)]


def _made(_node: Node, children: Sequence[Value]) -> Value:
    """What a function makes of elements; if it uses none, and no column, their number is all that matters."""
    made = children[-1] if children else CONSTANT
    return made if made.sources else replace(combined(children), fields=made.fields)


def _accumulated(node: Node, children: Sequence[Value]) -> list[Value]:
    """The result of the steps of an aggregation, whose first children are the array, the start and a step."""
    result = one_of(children[1:3])
    return [result if _is_by_field(node.children[2]) else combined([result])]


def _is_by_field(step: Node) -> bool:
    """Whether each field of the struct that an aggregation accumulates comes from no other field of it.

    An aggregation in a step is not looked into, so that the work does not grow with the depth.
    """
    struct, *variables = step.children or (step,)
    if struct.kind != "CreateNamedStruct" or not variables:
        return False
    accumulated = expression_id(variables[0])

    def is_accumulated(node: Node) -> bool:
        return node.kind in _VARIABLES and expression_id(node) == accumulated

    for position, field in enumerate(struct.children[1::2]):
        others = 0
        for node in field.walk():
            if node.kind == "ArrayAggregate":
                return False
            others += is_accumulated(node)
            own = node.kind == "GetStructField" and node.params.get("ordinal") == position
            others -= own and bool(node.children) and is_accumulated(node.children[0])
        if others:
            return False
    return True


_RULES.update(
    {
        "CaseWhen": _case,
        "If": _if,
        "AggregateExpression": _first,
        "WindowExpression": _window,
        **dict.fromkeys(_CHOOSE, _first),
        **dict.fromkeys(_ANY_OF, _any_of),
        **dict.fromkeys(_ELEMENT_OF, _element),
        **dict.fromkeys(_VALUE_OF, _value_of),
        **dict.fromkeys(_ELEMENTS, _elements),
        "UnresolvedFunction": lambda node, children: _function(node, children),
        "Alias": lambda _, children: children[0] if children else UNKNOWN,
        "CreateNamedStruct": lambda _, children: replace(combined(children), fields=tuple(children[1::2])),
        "CreateMap": lambda _, children: _map(one_of(children[::2]), one_of(children[1::2])),
        "MapFromArrays": lambda _, children: _map(one_of(children[:1]), one_of(children[1:])),
        "MapEntries": lambda _, children: _entries(children),
        "MapKeys": lambda _, children: _entries(children).part(0),
        "MapValues": lambda _, children: _entries(children).part(1),
        "ArraysZip": lambda _, children: replace(combined(children), fields=tuple(children)),
        "MapFromEntries": _map_from_entries,
        "MapZipWith": lambda _, children: _map(_key_and_values(children[:2])[0], one_of(children[2:])),
        "TransformKeys": lambda _, children: _map(one_of(children[1:]), _entries(children).part(1)),
        "TransformValues": lambda _, children: _map(_entries(children).part(0), one_of(children[1:])),
        **dict.fromkeys(("ArrayTransform", "ZipWith", "ArrayAggregate"), _made),
        "LambdaFunction": lambda _, children: _as_it_is(children),
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
