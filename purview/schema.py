"""Writes the columns of a new dataset: with Purview's types for them, and the names that scans give.

A kind of table that has column entities of its own is a line in ``_FORMS``; all others (files, folders, resource sets,
generic assets) have a ``tabular_schema`` with ``column`` entities.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from core.catalog_model import Asset, AssetName
from core.event_model import Field
from core.lineage_model import Note
from purview.limits import NAME_BYTES, REFERENCES, cut, size

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """A kind of column: its type, the attribute with its data type, its name and the table's relationship to it.

    ``name`` is a template over ``{table}`` (the table's qualified name) and ``{column}``; ``{head}`` and ``{tail}``
    are the table's name before and from its last ``@``, as Hive's names end in ``@cluster``. ``parent`` is the
    column's side of the relationship.
    """

    type_name: str
    type_attribute: str = "data_type"
    name: str = "{table}#{column}"
    relationship: str = "columns"
    parent: str = "table"

    def qualified_name(self, table: str, column: str) -> str:
        at = table.rfind("@") if "@" in table else len(table)
        return self.name.format(table=table, column=column, head=table[:at], tail=table[at:])


_COLUMN = _Form("column", "type", "{table}#__tabular_schema//{column}", parent="composeSchema")

# Types, attributes and relationships as in Purview's type definitions (GET /types/typedefs); the names are those of
# scanned assets, where known. The last four are newer than the public dump of the definitions: connectors such as
# https://github.com/sdebruyn/dbt-fabric read them from live accounts, except ``parent``, the name in all older types.
_FORMS: Mapping[str, _Form] = {
    "azure_sql_table": _Form("azure_sql_column"),
    "azure_sql_dw_table": _Form("azure_sql_dw_column"),
    "azure_sql_mi_table": _Form("azure_sql_mi_column"),
    "azure_synapse_dedicated_sql_table": _Form("azure_synapse_dedicated_sql_column"),
    "azure_synapse_serverless_sql_table": _Form("azure_synapse_serverless_sql_column"),
    "mssql_table": _Form("mssql_column"),
    "aws_rds_sql_table": _Form("aws_rds_sql_table_column"),
    "aws_rds_postgresql_table": _Form("aws_rds_postgresql_table_column"),
    "azure_postgresql_table": _Form("azure_postgresql_table_column", "dataType"),
    "azure_mysql_table": _Form("azure_mysql_table_column", "dataType"),
    "azure_mariadb_table": _Form("azure_mariadb_table_column", "dataType"),
    "azure_data_explorer_table": _Form("azure_data_explorer_column"),
    "hive_table": _Form("hive_column", "type", "{head}.{column}{tail}"),
    "oracle_table": _Form("oracle_table_column", "dataType", "{table}/{column}", "table_columns"),
    "bigquery_table": _Form("bigquery_table_column", "dataType", "{table}/{column}", "table_columns"),
    "teradata_table": _Form("teradata_table_column", "dataType", "{table}/{column}", "table_columns"),
    "snowflake_table": _Form("snowflake_table_column", "dataType", "{table}/columns/{column}"),
    "databricks_table": _Form("databricks_table_column", "dataType", "{table}/columns/{column}"),
    "databricks_view": _Form("databricks_view_column", "dataType", "{table}/columns/{column}", parent="view"),
    "fabric_lakehouse_table": _Form("fabric_lakehouse_table_column", "dataType", "{table}/columns/{column}"),
}

RELATIONSHIPS = frozenset(form.relationship for form in _FORMS.values()) | {"columns", "tabular_schema"}
"""The attributes by which an asset refers to its columns, or to their schema."""

TYPE_ATTRIBUTES = frozenset(form.type_attribute for form in (_COLUMN, *_FORMS.values()))
"""The attributes of columns that the app sets in addition to their names."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The entities of a dataset's columns, and the relationship attributes with which the dataset refers to them.

    ``columns`` are the names of the columns among the entities.
    """

    entities: tuple[Entity, ...] = ()
    relationships: Mapping[str, object] | None = None
    notes: tuple[Note, ...] = ()
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Addition:
    """Columns for a dataset that exists; ``schema_guid`` is that of its tabular schema, "" if it has none."""

    asset: Asset
    fields: tuple[Field, ...]
    schema_guid: str = ""


def schema(table: AssetName, fields: Sequence[Field], guids: Iterator[str], unknown: AbstractSet[str]) -> Schema:
    """The schema of a new dataset with these fields, under placeholder guids taken from ``guids``.

    ``unknown`` names types that the catalogue does not have: such columns become plain ones. The dataset refers to
    its columns, not they to it, so that the dataset can be written last: one that exists is complete.
    """
    kept, notes = _fitting(table, fields)
    form = _FORMS.get(table.type_name, _COLUMN)
    if not kept:
        return Schema(notes=notes)
    if form is _COLUMN or form.type_name in unknown:
        if unknown & {"column", "tabular_schema"}:
            return Schema(notes=notes)
        return _tabular_schema(table, kept, guids, notes)
    columns = tuple(_column(form, table, field, next(guids)) for field in kept)
    references = {form.relationship: [{"guid": column["guid"]} for column in columns]}
    return Schema(columns, references, notes, _names(kept))


def added_columns(addition: Addition, guids: Iterator[str], unknown: AbstractSet[str]) -> Schema:
    """Columns for a dataset that exists, in the same form as ``schema`` gives to a new one.

    Each refers to its dataset or schema: a list of columns on the dataset's side would delete columns that are not in
    it.
    """
    table, fields = addition.asset.name, addition.fields
    form = _FORMS.get(table.type_name, _COLUMN)
    if form is not _COLUMN and form.type_name not in unknown:
        return Schema(tuple(_attached(form, table, fields, addition.asset.guid, guids)), columns=_names(fields))
    if unknown & {"column", "tabular_schema"}:
        return Schema()
    if addition.schema_guid:
        columns = tuple(_attached(_COLUMN, table, fields, addition.schema_guid, guids))
        return Schema(columns, columns=_names(fields))
    made = _tabular_schema(table, fields, guids, ())
    made.entities[0]["relationshipAttributes"] = {"associatedDataSets": [{"guid": addition.asset.guid}]}
    return replace(made, relationships=None)


def column_names(table: AssetName, column: str) -> tuple[AssetName, ...]:
    """The names that a column of the table may have: first in the form of its type, then the plain form."""
    forms = dict.fromkeys((_FORMS.get(table.type_name, _COLUMN), _COLUMN))
    return tuple(AssetName(form.type_name, form.qualified_name(table.qualified_name, column)) for form in forms)


def schema_name(table: AssetName) -> AssetName:
    """The name of the schema that the columns of a table are in, if the table has none of its own."""
    return AssetName("tabular_schema", f"{table.qualified_name}#__tabular_schema")


def storable_fields(table: AssetName, fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields that the catalogue can store as columns of the table, one for each name."""
    return tuple(_fitting(table, fields)[0])


def _tabular_schema(table: AssetName, fields: Sequence[Field], guids: Iterator[str], notes: tuple[Note, ...]) -> Schema:
    guid = next(guids)
    name = schema_name(table)
    attributes = {"qualifiedName": name.qualified_name, "name": "tabular_schema"}
    head: Entity = {"typeName": name.type_name, "guid": guid, "attributes": attributes}
    columns = tuple(_attached(_COLUMN, table, fields, guid, guids))
    return Schema((head, *columns), {"tabular_schema": {"guid": guid}}, notes, _names(fields))


def _attached(
    form: _Form, table: AssetName, fields: Sequence[Field], parent: str, guids: Iterator[str]
) -> Iterator[Entity]:
    """Columns that refer to their parent, the guid of a table or of a schema."""
    reference = {"guid": parent}
    if form.type_name == "hive_column":
        # The one kind whose columns have two parents of one name: the other is for partition keys.
        reference["relationshipType"] = "hive_table_columns"
    for field in fields:
        yield _column(form, table, field, next(guids)) | {"relationshipAttributes": {form.parent: reference}}


def _names(fields: Sequence[Field]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


def _column(form: _Form, table: AssetName, field: Field, guid: str) -> Entity:
    attributes = {
        "qualifiedName": form.qualified_name(table.qualified_name, field.name),
        "name": field.name,
        # Mandatory in most of these types.
        form.type_attribute: cut(field.type) or "unknown",
    }
    return {"typeName": form.type_name, "guid": guid, "attributes": attributes}


def _fitting(table: AssetName, fields: Sequence[Field]) -> tuple[list[Field], tuple[Note, ...]]:
    """One field for each name, without those whose name or number is above the limits."""
    by_name = {field.name: field for field in reversed(fields)}
    # The name of a column contains that of its table, and a separator of up to 20 bytes.
    room = NAME_BYTES - size(table.qualified_name) - 20
    kept = [by_name[name] for name in dict.fromkeys(field.name for field in fields) if name and size(name) <= room]
    left_out = len(by_name) - len(kept[:REFERENCES])
    if not left_out:
        return kept, ()
    text = f"{left_out} columns of {table.qualified_name} are not created: too many, or their names are too long."
    return kept[:REFERENCES], (Note("columns-not-created", text),)
