"""Builds trees from Catalyst's flat lists of nodes.

``TreeNode.toJSON`` (Spark 3.1 to 4.x alike) writes a tree as a list in pre-order; each node says how many children
follow it. A parameter of a node that is a child is a number, the position among its own children; a list of children
is a list of numbers. Expressions inside plans, and plans inside expressions, are lists of their own in a parameter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from core.memo import remembers_short


@dataclass(frozen=True, slots=True)
class Node:
    """A plan or expression: the simple name of its class, its parameters as in the JSON, and its children."""

    kind: str
    params: Mapping[str, Any]
    children: tuple["Node", ...] = ()

    def child(self, parameter: str) -> "Node | None":
        """The child that a parameter points to; None if it points to none."""
        return self._at(self.params.get(parameter))

    def tree(self, parameter: str) -> "Node | None":
        """The tree in a parameter: a child, or a list of nodes of its own."""
        return self.child(parameter) or tree(self.params.get(parameter))

    def trees(self, parameter: str) -> tuple["Node", ...]:
        """The trees of a parameter with several: positions of children, lists of nodes, or both mixed."""
        listed = self.params.get(parameter)
        return tuple(self._members(listed)) if isinstance(listed, list) else ()

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in pre-order; trees in parameters are not entered."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def _members(self, listed: list[Any]) -> Iterator["Node"]:
        for item in listed:
            found = self._at(item) or tree(item)
            if found:
                yield found

    def _at(self, position: object) -> "Node | None":
        return self.children[position] if _is_position(position, len(self.children)) else None


def tree(nodes: object) -> Node | None:
    """The tree of a flat list; None for anything else, or a list that ends before all children have come.

    A tree that parser.logical_plan.resolution has put into a parameter is returned as it is.
    Built from the end, so that deep plans cost no recursion: when a node is met, its children are on the stack.
    """
    if isinstance(nodes, Node):
        return nodes
    if not isinstance(nodes, list | tuple) or not nodes:
        return None
    stack: list[Node] = []
    for raw in reversed(nodes):
        if not isinstance(raw, dict):
            return None
        count = raw.get("num-children", 0)
        name = raw.get("class")
        kind = _simple(name) if isinstance(name, str) else ""
        if count == 0:
            stack.append(Node(kind, raw))
            continue
        if not _is_position(count, len(stack) + 1):
            return None
        children = tuple(stack[: -count - 1 : -1])
        del stack[-count:]
        stack.append(Node(kind, raw, children))
    return stack[0] if len(stack) == 1 else None


def object_name(value: object) -> str:
    """The simple name of a Scala object, ``{"object": "….LeftOuter$"}`` → ``LeftOuter``; "" for anything else."""
    name = value.get("object") if isinstance(value, Mapping) else None
    return _simple(name).rstrip("$") if isinstance(name, str) else ""


def expression_id(node: Node, parameter: str = "exprId") -> int | None:
    """The number that connects an attribute with its definition; None if the node has none."""
    value = node.params.get(parameter)
    number = value.get("id") if isinstance(value, dict) else None
    return number if isinstance(number, int) else None


@remembers_short(4096)
def _simple(name: str) -> str:
    """The class without package and enclosing object: ``a.b.Outer$Inner`` → ``Inner``; the ``$`` of an object stays."""
    inner = name.rstrip("$")
    return inner.rpartition(".")[2].rpartition("$")[2] + name[len(inner) :]


def _is_position(value: object, length: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < length
