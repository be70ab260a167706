"""Matches one rule against one place, and fills in what the rule says.

A rule matches if all its conditions hold and, if it has layouts, one of them fits the dataset's name *and* gives every
value that the first qualified name needs. ``db.t`` thus fits ``{schema}.{table}`` if the namespace contains the
database, else ``{database}.{table}``. The first such layout counts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.catalog_model import AssetName, NameContext
from core.lineage_model import Note
from qualified_names import context_maps
from qualified_names.files import StoreNames, file_names
from qualified_names.locations import Location
from qualified_names.rule import FileStore, FittingRule, Layout, Rule
from qualified_names.table_name import PART, table_name, without_quoted
from qualified_names.templates import Template

# Well-known schemas of SQL Server and PostgreSQL; each would be an unusual name for a database.
_SCHEMAS = ("dbo", "public", "sys", "guest", "information_schema")

#: The values that every template may use, in addition to ``property.*`` and what its rule captures and defines.
FACTS: Mapping[str, Callable[[Location, NameContext], str | None]] = {
    "namespace": lambda place, _: place.id.namespace,
    "name": lambda place, _: place.id.name,
    "scheme": lambda place, _: place.namespace.scheme,
    "user": lambda place, _: place.namespace.user,
    "host": lambda place, _: place.namespace.host,
    "port": lambda place, _: place.namespace.port,
    "directory": lambda place, _: place.namespace.directory,
    "hive_cluster": lambda _, context: context.hive_cluster,
    "only_metastore": lambda _, context: context_maps.single(context.metastore_ids),
}


@dataclass(frozen=True, slots=True)
class Match:
    """The result of a rule for a place. ``names`` is empty if a needed value is missing; ``notes`` say which."""

    rule: Rule
    names: tuple[AssetName, ...]
    short_name: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Values:
    """The values that templates may use: captures first, then the rule's ``let``, then parts of the address.

    ``defining`` are the values of ``let`` that are being filled. In its own templates such a name means the part of the
    address, so that ``port = ["{port}", "8123"]`` gives a default, and no definition can go round in circles.
    """

    place: Location
    rule: Rule
    context: NameContext
    captures: Mapping[str, str] = field(default_factory=dict)
    defining: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """The value; None where it is unknown or empty."""
        captured = self.captures.get(name)
        if captured:
            return captured
        if name in self.rule.values and name not in self.defining:
            inside = Values(self.place, self.rule, self.context, self.captures, self.defining | {name})
            return inside.first(self.rule.values[name])
        return self._fact(name) or None

    def fill(self, template: Template) -> str | None:
        return template.fill(self.get, self.context)

    def first(self, templates: tuple[Template, ...]) -> str | None:
        """The first alternative that can be filled."""
        return next((text for text in map(self.fill, templates) if text), None)

    def _fact(self, name: str) -> str | None:
        if name.startswith("property."):
            return self.place.namespace.properties.get(name.removeprefix("property."))
        return FACTS[name](self.place, self.context) if name in FACTS else None


def fits_name(fitting: FittingRule, place: Location) -> Mapping[str, str] | None:
    """The captures of all conditions of a rule that fits the namespace; None if one on the name does not hold."""
    rule, captures = fitting
    for condition in rule.conditions:
        if condition.is_of_name:
            name = place.id.name
            found = condition.match(without_quoted(name) if condition.field == "unquoted_name" else name)
            if found is None:
                return None
            captures = {**captures, **found}
    return captures


def match(fitting: FittingRule, place: Location, context: NameContext) -> Match | None:
    """The result of a rule that fits the namespace; None if the name does not fit its conditions and layouts."""
    rule = fitting[0]
    captures = fits_name(fitting, place)
    if captures is None:
        return None
    for values in _readings(Values(place, rule, context, captures)):
        missing = tuple(_missing(values))
        names = () if missing else tuple(dict.fromkeys(_names(values)))
        if missing or names:
            unsure = missing or tuple(_missing_database(values))
            return Match(rule, () if unsure else names, _short_name(values), unsure or _notes(values))
    return None


def _readings(values: Values) -> Iterator[Values]:
    """The values with the captures of each layout that fits the name; unchanged if the rule has no layouts."""
    if not values.rule.layouts:
        yield values
    for layout in values.rule.layouts:
        found = _read(layout, values.place.id.name)
        if found is not None:
            yield Values(values.place, values.rule, values.context, {**values.captures, **found})


def _read(layout: Layout, name: str) -> Mapping[str, str] | None:
    if not layout.dotted:
        return layout.pattern.match(name)
    parts = table_name(name)
    if {"database", "schema"} <= set(layout.pattern.captures) and _has_database_before(parts):
        parts = parts[1:]
    found = layout.pattern.match(PART.join(parts))
    return None if found is None else {key: text.replace(PART, ".") for key, text in found.items()}


def _has_database_before(parts: Sequence[str]) -> bool:
    """Whether an agent put the database of the address before a name that has one: ``shop.shop.dbo.orders``.

    ``shop.crm.Big.Table`` may be a table with a dot in its name, as long as its third part is no usual schema.
    """
    first, second, third, *_ = [part.lower() for part in (*parts, "", "", "")]
    return len(parts) > 3 and (first == second or (third in _SCHEMAS and second not in _SCHEMAS))


def _names(values: Values) -> Iterator[AssetName]:
    """All names the rule gives; none where the first of its assets cannot be named."""
    if values.rule.stores:
        stores = (filled for store in values.rule.stores if (filled := _store(store, values)))
        yield from file_names(stores, is_folder=values.place.is_folder)
        return
    for index, form in enumerate(values.rule.forms):
        type_name, name = values.first(form.types), values.first(form.qualified_names)
        if type_name and name:
            yield AssetName(type_name, name)
        elif index == 0:
            return


def _store(store: FileStore, values: Values) -> StoreNames | None:
    base = values.fill(store.base)
    if not base:
        return None
    path = values.fill(store.path) or ""
    return StoreNames(base, path, store.root, store.folder, store.file, store.resource_set)


def _short_name(values: Values) -> str:
    """The name for people: as the rule says, or the table, the last part of the path, or the container."""
    name = values.fill(values.rule.short_name) if values.rule.short_name else None
    table = values.get("table") if any(layout.dotted for layout in values.rule.layouts) else None
    last = values.place.id.name.rpartition("/")[2]
    namespace = values.place.namespace
    return name or table or last or namespace.user or namespace.host or namespace.text


def _notes(values: Values) -> tuple[Note, ...]:
    note = values.rule.note
    text = values.fill(note.text) if note else None
    return (Note(note.code, text, values.place.id),) if note and text else ()


def _missing(values: Values) -> Iterator[Note]:
    """A note on each value that the rule needs and that is unknown."""
    for need in values.rule.needs:
        if not values.get(need.value):
            yield Note(need.code, values.fill(need.text) or need.text.text, values.place.id)


def _missing_database(values: Values) -> Iterator[Note]:
    """A note if ``dbo.orders`` could only be read as ``database.table``, because its database is unknown.

    Only rules with a default schema read it so; if the namespace contains the database, another layout fits.
    """
    database, name = values.captures.get("database", ""), values.place.id.name
    two_parts = values.captures.keys() >= {"database", "table"} and len(table_name(name)) == 2
    if two_parts and "schema" in values.rule.values and database.lower() in _SCHEMAS:
        text = (
            f"{database!r} in {name} is a schema, and the database is unknown: name it in the JDBC URL, "
            "jdbc:sqlserver://host;databaseName=shop, jdbc:postgresql://host/shop."
        )
        yield Note("database-missing", text, values.place.id)
