"""Catalyst expressions as readable Spark SQL.

The text that a person would have written, from Spark's JSON of an expression: without casts of the optimiser, default
frames, or parentheses that the precedence of operators makes unnecessary. The text is for reading; it is not parsed
again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from parser.logical_plan.sql.forms import layout
from parser.logical_plan.sql.layout import Layout, Operand, bare
from parser.logical_plan.sql.literals import UNKNOWN, TextLiteral, plain, quoted
from parser.logical_plan.sql.names import ATTRIBUTES, NULL_TOLERANT, Level
from parser.logical_plan.tree import Node, expression_id

#: What is written in place of a hidden text literal.
HIDDEN = quoted(UNKNOWN)
# Definitions inside definitions: more are a circle, or unreadable.
_DEEPEST_DEFINITION = 100
_DEEPEST_FIELD = 32


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of SQL, and how tightly it binds: one that is looser than its place requires gets parentheses."""

    text: str
    level: Level = Level.ATOM


# An attribute's text. A plain str is taken as it is; a Text gets parentheses where it needs them; a Node is its
# definition, which is written in its place with the same names, only as far as the limit allows.
NameOf = Callable[[Node], str | Text | Node]


def sql_text(expression: Node, name_of: NameOf, most: int = 2000, *, show_literals: bool = True) -> str:
    """An expression as Spark SQL, at most ``most`` characters, the last one … if it was cut.

    Without ``show_literals``, text literals are written as ``'…'``: they may be data. Numbers and dates stay.

    ``name_of`` gets the attributes, resolved or not. Never fails; classes that are not known become functions. Takes
    time by the length of the text and the depth of the tree, not by the size of what is cut.
    """
    return _written((Operand(expression),), name_of, most, show_literals=show_literals)


def sql(expression: Node, name_of: NameOf, most: int = 2000) -> Text:
    """The same text with how tightly it binds, for use as a name in another expression."""
    return Text(_written((Operand(expression),), name_of, most), _shape(expression, name_of, 0)[0].level)


def condition_text(
    expression: Node, name_of: NameOf, most: int = 2000, beside: Sequence[Node] = (), *, show_literals: bool = True
) -> str:
    """The condition of a join or filter as the user wrote it; "" if all of it comes from Spark.

    Spark adds ``x IS NOT NULL`` for each x that a comparison needs, and prunings of partitions. These are not shown
    where another part of the condition, or of the conditions ``beside`` it (the join above a filter), implies them.
    """
    parts = list(_conjuncts(expression))
    needed = {
        path
        for part in (*parts, *(other for condition in beside for other in _conjuncts(condition)))
        for path in _never_null(part)
    }
    meant = [_plain_equality(part, name_of, most) for part in parts if not _is_inferred(part, needed)]
    pieces: list[str | Operand] = []
    for part in meant:
        pieces += (" AND ", Operand(part, Level.AND if len(meant) > 1 else Level.LAMBDA))
    return _written(pieces[1:], name_of, most, show_literals=show_literals)


def _written(pieces: Sequence[str | Operand], name_of: NameOf, most: int, *, show_literals: bool = True) -> str:
    """The pieces from left to right, each with the number of definitions around it; a stack, no recursion."""
    waiting = [(piece, 0) for piece in reversed(pieces)]
    written: list[str] = []
    length = 0
    while waiting and length <= most:
        piece, depth = waiting.pop()
        if isinstance(piece, str):
            piece = piece if show_literals or not isinstance(piece, TextLiteral) else HIDDEN
            written.append(piece)
            length += len(piece)
            continue
        form, deeper = _shape(piece.node, name_of, depth)
        inner = form.pieces if form.level >= piece.least else ("(", *form.pieces, ")")
        waiting.extend((part, deeper) for part in reversed(inner))
    text = "".join(written)
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}{UNKNOWN}"[: max(most, 0)]


def _shape(node: Node, name_of: NameOf, depth: int) -> tuple[Layout, int]:
    """The layout of an expression, or of an attribute's name or definition; and how deep in definitions it is."""
    node = bare(node)
    while node.kind in ATTRIBUTES:
        name = name_of(node) if depth < _DEEPEST_DEFINITION else plain(node.params.get("name"))
        if not isinstance(name, Node):
            text = name if isinstance(name, Text) else Text(name)
            return Layout((text.text,), text.level), depth
        node, depth = bare(name), depth + 1
    return layout(node), depth


def _conjuncts(condition: Node) -> Iterator[Node]:
    """The parts of a condition that are joined by AND, from left to right."""
    waiting = [condition]
    while waiting:
        part = bare(waiting.pop())
        if part.kind == "And":
            waiting.extend(reversed(part.children))
        else:
            yield part


def _plain_equality(part: Node, name_of: NameOf, most: int) -> Node:
    """``a = b`` for ``a = b OR (a = b) IS NULL``, which Spark makes of NOT IN."""
    if part.kind == "Or" and len(part.children) == 2:
        left, right = (bare(child) for child in part.children)
        if left.kind == "EqualTo" and right.kind == "IsNull" and right.children:
            texts = {sql_text(side, name_of, most) for side in (left, right.children[0])}
            return left if len(texts) == 1 else part
    return part


def _is_inferred(part: Node, needed: set[tuple[object, ...]]) -> bool:
    if part.kind.startswith("DynamicPruning"):
        return True
    if part.kind == "Literal":
        return part.params.get("value") == "true"
    return part.kind == "IsNotNull" and len(part.children) == 1 and _path(part.children[0]) in needed


def _never_null(part: Node) -> Iterator[tuple[object, ...]]:
    """The attributes and struct fields that can't be null where a condition is true."""
    waiting = [part]
    while waiting:
        node = bare(waiting.pop())
        if path := _path(node):
            yield path
        if node.kind not in NULL_TOLERANT:
            waiting.extend(node.children[:1] if node.kind == "In" else node.children)


def _path(node: Node) -> tuple[object, ...]:
    """The identity of an attribute or a field in it, ``(exprId or name, ordinal, …)``; () for anything else."""
    ordinals: list[object] = []
    node = bare(node)
    while node.kind == "GetStructField" and node.children and len(ordinals) < _DEEPEST_FIELD:
        ordinals.append(plain(node.params.get("ordinal")))
        node = bare(node.children[0])
    if node.kind not in ATTRIBUTES:
        return ()
    name = expression_id(node)
    return (plain(node.params.get("nameParts") or node.params.get("name")) if name is None else name, *ordinals)
