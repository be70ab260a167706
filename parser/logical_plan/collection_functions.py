"""Functions of arrays and maps: their elements, keys and values keep the sources of their own.

An array has the fields of its elements, and a map has one field, the struct of its entries (see Value).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import CONSTANT, Value, combined, one_of

#: The elements that a function refers to; the array itself is another child.
VARIABLES = {"LambdaVariable", "NamedLambdaVariable", "UnresolvedNamedLambdaVariable"}
#: The values of the variables of a function's argument that is a function, given the arguments before it. In other
#: functions, like filter, what is done with the elements only chooses.
VARIABLES_OF: dict[str, Callable[[Node, Sequence[Value]], Sequence[Value]]] = {
    "ArrayTransform": lambda _, given: (*given[:1], combined(given)),
    "ZipWith": lambda _, given: given,
    "ArrayAggregate": lambda node, given: _accumulated(node, given) if len(given) > 2 else given[::-1],
    "TransformKeys": lambda _, given: _key_and_values(given),
    "TransformValues": lambda _, given: _key_and_values(given),
    "MapZipWith": lambda _, given: _key_and_values(given),
}
#: They make arrays of what they are given.
ARRAYS_OF = {
    "CreateArray", "CollectList", "CollectSet", "ArrayAppend", "ArrayPrepend", "ArrayTransform", "ZipWith", "MapKeys",
    "MapValues", "GetArrayStructFields",
}  # fmt: skip
# They give rows or elements of the first child, by a position or an order that is computed.
_ELEMENT_OF = {"MaxBy", "MinBy", "GetArrayItem", "NthValue", "Slice", "ArraySort"}
# They give the element of an array at a position, or the value that a map has for a key.
_VALUE_OF = {"ElementAt", "TryElementAt", "GetMapValue"}
# Their elements are the child at these positions; the others are numbers.
_ELEMENTS = {"ArrayRepeat": (0,), "ArrayInsert": (0, 2)}


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
        return node.kind in VARIABLES and expression_id(node) == accumulated

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


#: What each function gives, from its children.
COLLECTIONS: Mapping[str, Callable[[Node, Sequence[Value]], Value]] = {
    **dict.fromkeys(_ELEMENT_OF, _element),
    **dict.fromkeys(_VALUE_OF, _value_of),
    **dict.fromkeys(_ELEMENTS, _elements),
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
}
