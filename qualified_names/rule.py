"""The data classes of naming rules: the content of a rules file, compiled and checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.memo import remembers_short
from qualified_names.namespace import Namespace, parse
from qualified_names.patterns import Pattern
from qualified_names.templates import Template


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of the namespace or name that must match one of the patterns."""

    field: str
    patterns: tuple[Pattern, ...]

    @property
    def is_of_name(self) -> bool:
        """Whether the dataset's name must match, and not a part of the namespace."""
        return self.field.endswith("_name")

    def match(self, text: str) -> Mapping[str, str] | None:
        """The captures of the first pattern that matches; None if none matches."""
        return next((found for each in self.patterns if (found := each.match(text)) is not None), None)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset's name is composed: of parts between dots (a table) or between slashes (a path)."""

    pattern: Pattern
    dotted: bool


@dataclass(frozen=True, slots=True)
class Need:
    """A value that the rule needs, and the note that says where people can set it."""

    value: str
    code: str
    text: Template


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note on every dataset of the rule."""

    code: str
    text: Template


@dataclass(frozen=True, slots=True)
class AssetForm:
    """The type and qualified name of an asset; of each the first alternative that can be filled."""

    types: tuple[Template, ...]
    qualified_names: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class FileStore:
    """Where and under which types the catalogue keeps files, folders and sets of files.

    ``base`` is the name of the container, ``path`` the path in it. A type that is "" does not exist in this store.
    """

    base: Template
    path: Template
    root: str
    folder: str
    file: str
    resource_set: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``forms`` (tables) and ``stores`` (files) exclude each other; the first of them is what is created."""

    name: str
    conditions: tuple[Condition, ...]
    layouts: tuple[Layout, ...]
    values: Mapping[str, tuple[Template, ...]]
    needs: tuple[Need, ...]
    forms: tuple[AssetForm, ...]
    stores: tuple[FileStore, ...]
    short_name: Template | None
    note: NoteText | None
    for_symlinks: bool


#: A rule, and what its conditions on the namespace capture.
FittingRule = tuple[Rule, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The content of one file."""

    rules: tuple[Rule, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """All rules in the order in which they are tried."""

    rules: tuple[Rule, ...]

    @cached_property
    def of_namespace(self) -> Callable[[str], Sequence[FittingRule]]:
        """The rules whose conditions on the namespace hold, in their order.

        They are remembered by namespace, because the datasets of a workspace share a few.
        """
        return remembers_short(1024)(self._of_namespace)

    def _of_namespace(self, text: str) -> Sequence[FittingRule]:
        namespace = parse(text)
        found = ((rule, _captured(rule, text, namespace)) for rule in self.rules)
        return tuple((rule, captures) for rule, captures in found if captures is not None)


def _captured(rule: Rule, text: str, namespace: Namespace) -> Mapping[str, str] | None:
    """The captures of the rule's conditions on the namespace if all hold; None if one does not."""
    captures: dict[str, str] = {}
    for condition in rule.conditions:
        if not condition.is_of_name:
            part = text if condition.field == "namespace" else getattr(namespace, condition.field)
            found = condition.match(part)
            if found is None:
                return None
            captures.update(found)
    return captures
