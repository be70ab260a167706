"""Finds mistakes in Bicep files without Azure's compiler.

It knows names, functions, modules and the form of types, but not what properties a type has. Each fault is named as
``file:line: what``.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tree_sitter import Node

from tests.infra.bicep import Declaration, declarations, nodes, of_kind, parse, properties, text

_FUNCTIONS = """
    any array base64 base64ToJson base64ToString bool cidrHost cidrSubnet coalesce concat contains dataUri
    dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment empty endsWith environment
    extensionResourceId fail filter first flatten format getSecret groupBy guid indexOf indexFromEnd int
    intersection items join json last lastIndexOf length list listAccountSas listKeys listServiceSas
    loadFileAsBase64 loadJsonContent loadTextContent loadYamlContent managementGroup map mapValues max min newGuid
    objectKeys padLeft parseCidr pickZones range reduce reference replace resourceGroup resourceId shallowMerge skip
    sort split startsWith string subscription subscriptionResourceId substring take tenant tenantResourceId
    toLogicalZone toLower toObject toPhysicalZone toUpper trim union uniqueString uri uriComponent
    uriComponentToString utcNow
"""
_DECORATORS = """
    allowed batchSize description discriminator export maxLength maxValue metadata minLength minValue
    onlyIfNotExists retryOn sealed secure waitUntil
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
DECORATORS = frozenset(_DECORATORS.split())
_TYPE = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+(/[A-Za-z]+)+@\d{4}-\d{2}-\d{2}(-preview)?")
_NESTED_TYPE = re.compile(r"[A-Za-z]+(@\d{4}-\d{2}-\d{2}(-preview)?)?")


def faults(folder: Path, versions: Mapping[str, str]) -> list[str]:
    """Every fault of the Bicep files below a folder.

    :param versions: the API version of each type; any other is a fault.
    """
    return [
        f"{path.relative_to(folder)}:{line}: {told}"
        for path in sorted(folder.rglob("*.bicep"))
        for line, told in sorted(set(_faults_of(path, versions)))
    ]


def _faults_of(path: Path, versions: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    root = parse(path)
    broken = [(_line(node), "is no Bicep") for node in nodes(root) if node.is_error or node.is_missing]
    if broken:
        yield min(broken)
        return
    check = _Names(path)
    check.visit_all(root, check.declared)
    yield from check.found
    yield from check.unused()
    for node in nodes(root):
        if node.type == "resource_declaration":
            yield from _type_faults(node, versions)
    for module in of_kind(path, "module").values():
        yield from _module_faults(module, path)


def _type_faults(node: Node, versions: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    head = Declaration("resource", "", node).head
    nested = node.parent is not None and node.parent.type == "object_property"
    if not (_NESTED_TYPE if nested else _TYPE).fullmatch(head):
        yield _line(node), f"{head} is no type@version"
        return
    type_name, _, version = head.partition("@")
    if version and versions.get(type_name) != version:
        yield _line(node), f"{head}: the known version is {versions.get(type_name)}"


def _module_faults(module: Declaration, path: Path) -> Iterator[tuple[int, str]]:
    target = path.parent / module.head
    if not target.is_file():
        yield _line(module.node), f"there is no {module.head}"
        return
    params = of_kind(target, "param")
    given = properties(module.body).get("params")
    names = properties(given) if given else {}
    for name, node in names.items():
        if name not in params:
            yield _line(node), f"{module.head} has no parameter {name}"
    for name, param in params.items():
        if param.is_required and name not in names:
            yield _line(module.node), f"{module.head} needs the parameter {name}"


class _Names:
    """Follows every name of a file to its declaration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        every = declarations(parse(path))
        self.modules = {each.name: each for each in every if each.kind == "module"}
        self.resources = {each.name: each for each in every if each.kind == "resource"}
        self.functions = {each.name for each in every if each.kind == "func"}
        self.types = {each.name for each in every if each.kind == "type"}
        self.owned = {each.name: each.node for each in every if each.kind in ("param", "var")}
        self.declared = frozenset(each.name for each in every if each.kind in ("param", "var", "resource", "module"))
        self.used: set[str] = set()
        self.found: list[tuple[int, str]] = []

    def unused(self) -> Iterator[tuple[int, str]]:
        """Parameters and variables that nothing refers to."""
        for name, node in self.owned.items():
            if name not in self.used:
                yield _line(node), f"{name} is not used"

    def visit_all(self, parent: Node, scope: frozenset[str]) -> None:
        for node in parent.named_children:
            self.visit(node, scope)

    def visit(self, node: Node, scope: frozenset[str]) -> None:
        """Look at an expression or a declaration, in which the names of ``scope`` are known."""
        match node.type:
            case "identifier":
                self._use(node, scope)
            case "type" | "nullable_type" | "array_type" | "union_type":
                self._visit_type(node)
            case "member_expression":
                self._visit_member(node, scope)
            case "resource_expression":
                self._visit_nested(node, scope)
            case "call_expression":
                self._visit_call(node, scope)
            case "for_statement" | "lambda_expression" | "user_defined_function":
                self._visit_binding(node, scope)
            case "object":
                self.visit_all(node, scope | {each.name for each in declarations(node)})
            case "decorator":
                self._visit_decorator(node, scope)
            case kind if kind == "object_property" or kind.endswith("_declaration"):
                self._visit_named(node, scope)
            case _:
                self.visit_all(node, scope)

    def _use(self, node: Node, scope: frozenset[str]) -> None:
        if text(node) in scope:
            self.used.add(text(node))
        elif text(node) not in self.types or not _in_type(node):
            self._fault(node, f"{text(node)} is not declared")

    def _visit_type(self, node: Node) -> None:
        for each in nodes(node):
            if each.type == "identifier" and text(each) not in self.types:
                self._fault(each, f"the type {text(each)} is not declared")

    def _visit_member(self, node: Node, scope: frozenset[str]) -> None:
        target = node.child_by_field_name("object")
        name = node.child_by_field_name("property")
        assert target is not None
        assert name is not None
        self.visit(target, scope)
        if target.type == "member_expression" and text(target.named_children[-1]) == "outputs":
            module = self.modules.get(text(target.named_children[0]))
            file = self.path.parent / module.head if module else None
            if module and file and file.is_file() and text(name) not in of_kind(file, "output"):
                self._fault(name, f"{module.head} has no output {text(name)}")

    def _visit_nested(self, node: Node, scope: frozenset[str]) -> None:
        parent, nested = node.named_children
        self.visit(parent, scope)
        if text(parent) in self.resources:
            names = {each.name for each in declarations(self.resources[text(parent)].body)}
            if text(nested) not in names:
                self._fault(nested, f"{text(parent)} has no resource {text(nested)}")

    def _visit_call(self, node: Node, scope: frozenset[str]) -> None:
        function, arguments = node.named_children[0], node.named_children[1:]
        if function.type == "identifier":
            if text(function) not in FUNCTIONS | self.functions:
                self._fault(function, f"there is no function {text(function)}")
        else:
            self.visit(function, scope)
        for argument in arguments:
            self.visit_all(argument, scope)

    def _visit_binding(self, node: Node, scope: frozenset[str]) -> None:
        """Loops, lambdas and functions, which bring names of their own into what they span."""
        if node.type == "user_defined_function":
            bound = {text(each.named_children[0]) for each in nodes(node) if each.type == "parameter"}
            for each in nodes(node):
                if each.type == "type":
                    self._visit_type(each)
            self.visit(node.named_children[-1], frozenset(bound))
            return
        first, *rest = node.named_children
        names = [first] if first.type == "identifier" else first.named_children
        for each in rest[:-1]:
            self.visit(each, scope)
        self.visit(rest[-1], scope | {text(each) for each in names})

    def _visit_named(self, node: Node, scope: frozenset[str]) -> None:
        """Everything that begins with its name, which is no use of it."""
        first = next(child for child in node.named_children if child.type != "decorators")
        for child in node.named_children:
            if child != first or first.type != "identifier":
                self.visit(child, scope)

    def _visit_decorator(self, node: Node, scope: frozenset[str]) -> None:
        call = node.named_children[0]
        name = text(call.named_children[0])
        if name not in DECORATORS:
            self._fault(call, f"there is no decorator {name}")
        for argument in call.named_children[1:]:
            self.visit_all(argument, scope)

    def _fault(self, node: Node, told: str) -> None:
        self.found.append((_line(node), told))


def _in_type(node: Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.type == "type_declaration":
            return True
        parent = parent.parent
    return False


def _line(node: Node) -> int:
    return node.start_point.row + 1
