"""Bicep files as trees, and their declarations as Python values. Read only: nothing is evaluated."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
    "type_declaration": "type",
    "user_defined_function": "func",
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One ``param``, ``var``, ``resource``, ``module``, ``output``, ``type`` or ``func``."""

    kind: str
    name: str
    node: Node

    @property
    def head(self) -> str:
        """What stands in quotes: a resource's ``type@version``, a module's path."""
        return string(next(child for child in self.node.named_children if child.type == "string"))

    @property
    def body(self) -> Node:
        """The last expression; of a resource or module its object, whatever loop or condition stands around it."""
        found = self.node.named_children[-1]
        while found.type in ("if_statement", "for_statement"):
            found = found.named_children[-1]
        return found

    @property
    def is_required(self) -> bool:
        """Whether a parameter has neither a default nor a nullable type."""
        return len(self.node.named_children) == 2 and not text(self.node).rstrip().endswith("?")

    @property
    def is_existing(self) -> bool:
        return any(child.type == "existing" or text(child) == "existing" for child in self.node.children)


@cache
def parse(path: Path) -> Node:
    """The tree of a file."""
    return _PARSER.parse(path.read_bytes()).root_node


def text(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def string(node: Node) -> str:
    """What stands between the quotes; interpolations as they are written."""
    quotes = 3 if text(node).startswith("'''") else 1
    return text(node)[quotes:-quotes].replace("\\'", "'")


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from nodes(child)


def declarations(parent: Node) -> list[Declaration]:
    """What is declared at the top of a file, or the nested resources of an object."""
    found = parent.named_children
    if parent.type == "object":
        found = [child for each in found for child in each.named_children if child.type == "resource_declaration"]
    return [
        Declaration(_DECLARATIONS[node.type], text(_name(node)), node) for node in found if node.type in _DECLARATIONS
    ]


def of_kind(path: Path, kind: str) -> dict[str, Declaration]:
    """The declarations of one kind at the top of a file, by name."""
    return {each.name: each for each in declarations(parse(path)) if each.kind == kind}


def resources(parent: Node, prefix: str = "") -> Iterator[tuple[str, Declaration]]:
    """All resources with their full types, without versions; nested ones too."""
    for each in declarations(parent):
        if each.kind == "resource":
            full = f"{prefix}/{each.head}" if prefix else each.head.partition("@")[0]
            yield full, each
            yield from resources(each.body, full)


def properties(node: Node) -> dict[str, Node]:
    """The properties of an object, without nested resources."""
    pairs = ([child for child in each.named_children if child.type != "decorators"] for each in node.named_children)
    return {string(pair[0]) if pair[0].type == "string" else text(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def value(node: Node) -> Any:
    """A literal as Python has it; any other expression as its source after ``=``."""
    match node.type:
        case "object":
            return {name: value(each) for name, each in properties(node).items()}
        case "array":
            return [value(each) for each in node.named_children if each.type != "comment"]
        case "string":
            return string(node)
        case "number":
            return int(text(node))
        case "boolean":
            return text(node) == "true"
    return f"={text(node)}"


def _name(node: Node) -> Node:
    return next(child for child in node.named_children if child.type == "identifier")
