"""The nouns of the rules: what a rules file says, compiled and checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from qualified_names.patterns import Pattern
from qualified_names.templates import Template


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of the namespace or name that must match one of the patterns."""

    field: str
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset's name is composed: of parts between dots (a table) or between slashes (a path)."""

    pattern: Pattern
    dotted: bool


@dataclass(frozen=True, slots=True)
class Need:
    """A value without which the rule gives no name, and the note that says where people can give it."""

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


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What one file says."""

    rules: tuple[Rule, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in the order in which they are tried."""

    rules: tuple[Rule, ...]
