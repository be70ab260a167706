"""Reads a rules file and checks all of it, so that a fault is reported at the start and not at the first dataset.

Every fault is one sentence: file, rule, field, what is wrong. All faults of a file are reported at once.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from core.errors import SettingsError
from qualified_names import fields
from qualified_names.fields import Fault
from qualified_names.matching import FACTS
from qualified_names.patterns import Pattern, PatternError, compile_pattern
from qualified_names.rule import AssetForm, Condition, FileStore, Layout, Need, NoteText, Rule, RuleFile
from qualified_names.table_name import PART
from qualified_names.templates import Template, TemplateError, compile_template

# The conditions, and what separates the pieces of each.
CONDITIONS: Mapping[str, str] = {
    "scheme": "",
    "user": "",
    "host": ".",
    "port": "",
    "directory": "/",
    "namespace": ":/",
    "whole_name": "",
    "unquoted_name": "",
}

_TOP_FIELDS = ("rule", "remove")
_CASE_COUNTS = ("user", "directory")
_ASSET_FIELDS = ("type", "qualified_name", "also")
_STORE_TYPES = ("root", "folder", "file", "resource_set")
_OTHER_FIELDS = ("name", "about", "table_name", "path_name", "let", "needs", "files", "short_name", "note")
FIELDS = (*CONDITIONS, *_OTHER_FIELDS, *_ASSET_FIELDS, "any_case", "for_symlinks")

T = TypeVar("T")
Alternatives = tuple[Template, ...]


def read(path: Path, title: str) -> RuleFile:
    """Read and check a file; ``title`` names it in messages.

    :raises SettingsError: with a sentence for each fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError((f"{title} cannot be read: {error.strerror or error}",)) from None
    except ValueError as error:
        raise SettingsError((f"{title} is not valid TOML: {error}",)) from None
    return read_text(text, title)


def read_text(text: str, title: str) -> RuleFile:
    """Check the text of a file; ``title`` names it in messages.

    :raises SettingsError: with a sentence for each fault.
    """
    data = _toml(text, title)
    unknown = sorted(data.keys() - set(_TOP_FIELDS))
    problems = [f"{title}: unknown field {key!r}; {fields.instead(key, _TOP_FIELDS)}" for key in unknown]
    remove, tables = data.get("remove", []), data.get("rule", [])
    if not fields.is_texts(remove):
        problems.append(f"{title}: remove must be a list of rule names")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError((*problems, f"{title}: rules are written as [[rule]] tables"))
    readers = [_RuleReader(table, f"{title}: rule {_title(table, n)}") for n, table in enumerate(tables, 1)]
    rules = tuple(reader.rule() for reader in readers)
    problems.extend(problem for reader in readers for problem in reader.problems)
    problems.extend(_doubles([rule.name for rule in rules], title))
    if problems:
        raise SettingsError(tuple(problems))
    return RuleFile(rules, tuple(remove))


def _toml(text: str, title: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError((f"{title} is not valid TOML: {error}",)) from None


def _title(table: Mapping[str, Any], number: int) -> str:
    name = table.get("name")
    return repr(name) if isinstance(name, str) and name else f"number {number}"


def _doubles(names: list[str], title: str) -> Iterator[str]:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"{title}: two rules have the name {name!r}"


class _RuleReader:
    """Reads one table. ``known`` are the values that templates may use: all facts, captures and, in turn, ``let``."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.where = where
        self.problems: list[str] = []
        self.known: set[str] = set(FACTS)

    def rule(self) -> Rule:
        self._check_fields()
        conditions, layouts = tuple(self._conditions()), tuple(self._layouts())
        self._learn(conditions, layouts)
        # Before all other templates, as those may use what it defines.
        values = self._try("let", self._let) or {}
        return Rule(
            name=self._try("name", fields.text) or "",
            conditions=conditions,
            layouts=layouts,
            values=values,
            needs=tuple(self._try("needs", self._needs) or ()),
            forms=tuple(self._forms()),
            stores=tuple(self._try("files", self._stores) or ()),
            short_name=self._optional("short_name", self._template),
            note=self._optional("note", self._note),
            for_symlinks=bool(self._optional("for_symlinks", fields.flag)),
        )

    def _check_fields(self) -> None:
        for field in self.table:
            if field not in FIELDS:
                self._fault(field, f"is unknown; {fields.instead(field, FIELDS)}")
            if field in _ASSET_FIELDS and "files" in self.table:
                self._fault(field, "cannot stand beside files")
        if not any(field in self.table for field in CONDITIONS):
            self._fault("scheme", f"is missing: a rule has at least one of {', '.join(CONDITIONS)}")

    def _fault(self, field: str, text: str) -> None:
        self.problems.append(f"{self.where}, field {field!r}: {text}")

    def _try(self, field: str, parse: Callable[[Any], T]) -> T | None:
        try:
            return parse(self.table.get(field))
        except (Fault, TemplateError) as error:
            self._fault(field, str(error))
            return None

    def _optional(self, field: str, parse: Callable[[Any], T]) -> T | None:
        return self._try(field, parse) if field in self.table else None

    def _conditions(self) -> Iterator[Condition]:
        for field, separator in CONDITIONS.items():
            if field in self.table:
                # An empty text is a pattern here: the part is missing, as in a host without a port.
                patterns = self._patterns(field, fields.texts_or_blanks, separator, field not in _CASE_COUNTS)
                yield Condition(field, tuple(patterns))

    def _layouts(self) -> Iterator[Layout]:
        any_case = bool(self._optional("any_case", fields.flag))
        for field, dotted in (("table_name", True), ("path_name", False)):
            if field in self.table:
                parse, separator = (_table_layouts, PART) if dotted else (fields.texts, "/")
                for pattern in self._patterns(field, parse, separator, ignore_case=any_case):
                    yield Layout(pattern, dotted)

    def _patterns(
        self, field: str, parse: Callable[[Any], tuple[str, ...]], separator: str, ignore_case: bool
    ) -> Iterator[Pattern]:
        for text in self._try(field, parse) or ():
            try:
                yield compile_pattern(text, separator, ignore_case=ignore_case)
            except PatternError as error:
                self._fault(field, str(error).replace(PART, "."))

    def _learn(self, conditions: tuple[Condition, ...], layouts: tuple[Layout, ...]) -> None:
        patterns = [pattern for condition in conditions for pattern in condition.patterns]
        for pattern in [*patterns, *(layout.pattern for layout in layouts)]:
            self.known.update(pattern.captures)

    def _let(self, value: Any) -> Mapping[str, Alternatives]:
        values: dict[str, Alternatives] = {}
        for name, texts in fields.table({} if value is None else value).items():
            values[name] = self._alternatives(texts)
            self.known.add(name)
        return values

    def _template(self, value: Any) -> Template:
        template = compile_template(fields.text(value))
        for name in template.names:
            if name not in self.known and not name.startswith("property."):
                raise Fault(
                    f"uses the unknown value {{{name}}}; {fields.instead(name, {*self.known, 'property.*'}, '{{{}}}')}"
                )
        return template

    def _alternatives(self, value: Any) -> Alternatives:
        return tuple(self._template(text) for text in fields.texts(value))

    def _needs(self, value: Any) -> list[Need]:
        return [self._need(item) for item in fields.tables(value, ("value", "code", "text"))]

    def _need(self, item: Mapping[str, Any]) -> Need:
        name = fields.text(item.get("value"))
        if name not in self.known:
            raise Fault(f"needs the unknown value {name!r}; {fields.instead(name, self.known)}")
        return Need(name, fields.text(item.get("code")), self._template(item.get("text")))

    def _note(self, value: Any) -> NoteText:
        table = fields.table(value, ("code", "text"))
        return NoteText(fields.text(table.get("code")), self._template(table.get("text")))

    def _forms(self) -> Iterator[AssetForm]:
        if "files" in self.table:
            return
        names = self._try("qualified_name", self._alternatives) or ()
        yield AssetForm(self._try("type", self._alternatives) or (), names)
        yield from self._try("also", lambda value: self._also(value, names)) or ()

    def _also(self, value: Any, names: Alternatives) -> list[AssetForm]:
        return [
            AssetForm(
                self._alternatives(item.get("type")),
                self._alternatives(item["qualified_name"]) if "qualified_name" in item else names,
            )
            for item in fields.tables(value, ("type", "qualified_name"))
        ]

    def _stores(self, value: Any) -> list[FileStore]:
        stores = [self._store(item) for item in fields.tables(value, ("base", "path", *_STORE_TYPES))]
        if not stores and "files" in self.table:
            raise Fault("must have at least one store")
        return stores

    def _store(self, item: Mapping[str, Any]) -> FileStore:
        types = {kind: fields.text(item[kind]) if kind in item else "" for kind in _STORE_TYPES}
        if not types["folder"]:
            raise Fault("must name the type of a folder")
        return FileStore(self._template(item.get("base")), self._template(item.get("path", "{name}")), **types)


def _table_layouts(value: Any) -> tuple[str, ...]:
    """Layouts of a table's name; the dots of a capture like ``{table...}`` separate nothing."""
    return tuple(re.sub(r"\.(?!\.*\})", PART, text) for text in fields.texts(value))
