"""Which types of assets mean the same file, folder or table, and which of them is preferred."""

from purview.dataset_entities import GENERIC_TYPE

# Placeholders for a dataset that no scan has found yet: Sparklin's own, and that of Microsoft's Databricks accelerator.
_PLACEHOLDERS = (GENERIC_TYPE, "purview_custom_connector_generic_entity_with_columns")

# Types that one file, folder or table may have in the catalogue. A type without a family is searched for alone.
_FILE_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("azure_datalake_gen2_resource_set", "azure_datalake_gen2_path", "azure_blob_resource_set", "azure_blob_path"),
    ("azure_datalake_gen1_resource_set", "azure_datalake_gen1_path"),
    ("aws_s3_v2_resource_set", "aws_s3_v2_directory", "aws_s3_v2_object"),
)
# Stores that accept a table's name in any case; the catalogue has the name as it was created.
_TABLE_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("azure_sql_table", "azure_sql_view"),
    ("azure_sql_dw_table", "azure_sql_dw_view"),
    ("azure_sql_mi_table", "azure_sql_mi_view"),
    ("azure_synapse_dedicated_sql_table", "azure_synapse_dedicated_sql_view"),
    ("azure_synapse_serverless_sql_table", "azure_synapse_serverless_sql_view"),
    ("mssql_table", "mssql_view"),
    ("databricks_table", "databricks_view"),
    ("snowflake_table", "snowflake_view"),
    ("oracle_table", "oracle_view"),
    ("teradata_table", "teradata_view"),
)
_FAMILY_OF = {type_name: types for types in (*_FILE_FAMILIES, *_TABLE_FAMILIES) for type_name in types}
_TABLES = frozenset(type_name for types in _TABLE_FAMILIES for type_name in types)


def family(type_name: str) -> tuple[str, ...]:
    """The types that the dataset of an asset of this type may have in the catalogue."""
    return _FAMILY_OF.get(type_name, (type_name,))


def rank(type_name: str) -> int:
    """Which of several assets of one dataset is used: the one of the lowest rank."""
    if type_name in _PLACEHOLDERS:
        return 2
    return 0 if type_name.endswith("_resource_set") else 1


def is_table(type_name: str) -> bool:
    """Whether the store of the type accepts a table's name in any case."""
    return type_name in _TABLES
