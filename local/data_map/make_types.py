"""Makes types.json, the compact table of Purview's types: ``python -m local.data_map.make_types PATH``.

PATH is a JSON file with the type definitions of a Purview account (``base_and_relevant_entityDefs``,
``relationshipDefs``, ``all_type_names_2021``, ``types_with_columnMapping_attribute_2021``). Types that the dump only
names get the supertypes that the ``subTypes`` of the others show, and no attributes of their own except columnMapping
(``"partial": true``). Types that Purview added after the dump are listed below.

Shape of the table::

    {"entityTypes": {name: {"superTypes": [...], "serviceType"?, "attributes"?: {name: "string" | "string!"},
                            "columns"?: relationship attribute that has the columns, "partial"?: true}},
     "relationshipTypes": {name: {"category", "end1": [type, attribute, cardinality, container], "end2": [...],
                                  "attributes"?: {...}}}}

``!`` marks a required attribute. Relationship attributes aren't repeated: each end of a relationship is one.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("types.json")

# Supertypes of types that were added after the dump. Only names, and the few attributes given, are known.
LATER_PROCESSES = [
    "databricks_process",
    "databricks_job",
    "databricks_job_task",
    "databricks_notebook",
    "databricks_notebook_task",
    "databricks_python_task",
    "databricks_python_wheel_task",
    "databricks_spark_jar_task",
    "azure_synapse_dataflow_activity",
    "openlineage_job",
    "fabric_pipeline",
]
LATER_CONTAINERS = [
    "databricks_workspace",
    "databricks_metastore",
    "databricks_catalog",
    "databricks_schema",
    "fabric_workspace",
    "snowflake_database",
    "snowflake_schema",
]
LATER_DATASETS = [
    "databricks_table",
    "databricks_view",
    "fabric_lakehouse",
    "fabric_lake_warehouse",
    "fabric_data_warehouse",
    "fabric_lakehouse_table",
    "fabric_lakehouse_path",
    "fabric_warehouse_view",
    "fabric_kusto_database",
    "snowflake_table",
    "snowflake_view",
    "snowflake_procedure",
    "postgresql_table",
    "mysql_table",
    "db2_table",
    "dataverse_table",
    "purview_custom_connector_generic_entity_with_columns",
]
LATER_COLUMNS = {
    "databricks_table": "databricks_table_column",
    "databricks_view": "databricks_view_column",
    "fabric_lakehouse_table": "fabric_lakehouse_table_column",
    "snowflake_table": "snowflake_table_column",
    "snowflake_view": "snowflake_view_column",
}
LATER_ATTRIBUTES = {
    "databricks_process": {"columnMapping": "string"},
    "databricks_table": {
        "comment": "string",
        "tableType": "string",
        "catalogName": "string",
        "schemaName": "string",
    },
}
# Only for Fabric (dataType) is it known which of the two spellings a later column type uses: both are kept.
LATER_COLUMN_ATTRIBUTES = {"dataType": "string", "data_type": "string"}
DIRECT_LINEAGE = {
    "category": "ASSOCIATION",
    "end1": ["DataSet", "sources", "SET", False],
    "end2": ["DataSet", "sinks", "SET", False],
    "attributes": {"columnMapping": "string"},
}


def make_types(dump: dict[str, Any]) -> dict[str, Any]:
    """Returns the table (see the module's docstring) for a dump of type definitions."""
    definitions = dump["base_and_relevant_entityDefs"]
    entities = {each["name"]: _entity_type(each) for each in definitions}
    parents = defaultdict(list)
    for each in definitions:
        for child in each["subTypes"]:
            parents[child].append(each["name"])
    for name in dump["all_type_names_2021"]:
        entities.setdefault(name, {"superTypes": sorted(parents[name]), "partial": True})
    for name in dump["types_with_columnMapping_attribute_2021"]:
        entities[name].setdefault("attributes", {})["columnMapping"] = "string"
    relationships = {each["name"]: _relationship_type(each) for each in dump["relationshipDefs"]}
    relationships["direct_lineage_dataset_dataset"] = DIRECT_LINEAGE
    _add_later_types(entities, relationships)
    return {
        "entityTypes": dict(sorted(entities.items())),
        "relationshipTypes": dict(sorted(relationships.items())),
    }


def _entity_type(definition: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"superTypes": definition["superTypes"]}
    if definition.get("serviceType"):
        made["serviceType"] = definition["serviceType"]
    if definition["attributeDefs"]:
        made["attributes"] = _attributes(definition["attributeDefs"])
    columns = (definition.get("options") or {}).get("schemaElementsAttribute")
    if columns:
        made["columns"] = columns
    return made


def _attributes(definitions: list[dict[str, Any]]) -> dict[str, str]:
    return {each["name"]: each["typeName"] + ("" if each["isOptional"] else "!") for each in definitions}


def _relationship_type(definition: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"category": definition["relationshipCategory"]}
    for end in ("end1", "end2"):
        given = definition[f"endDef{end[-1]}"]
        made[end] = [given["type"], given["name"], given["cardinality"], given["isContainer"]]
    if definition.get("attributeDefs"):
        made["attributes"] = _attributes(definition["attributeDefs"])
    return made


def _add_later_types(entities: dict[str, Any], relationships: dict[str, Any]) -> None:
    kinds = (("Process", LATER_PROCESSES), ("Asset", LATER_CONTAINERS), ("DataSet", LATER_DATASETS))
    for parent, names in kinds:
        for name in names:
            made: dict[str, Any] = {"superTypes": [parent], "partial": True}
            if name in LATER_ATTRIBUTES:
                made["attributes"] = LATER_ATTRIBUTES[name]
            entities.setdefault(name, made)
    entities["fabric_artifact"] = {"superTypes": ["Asset"], "partial": True}
    entities["fabric_synapse_notebook"] = {
        "superTypes": ["powerbi_resource", "fabric_artifact", "openlineage_job", "Process"],
        "partial": True,
    }
    for table, column in LATER_COLUMNS.items():
        entities[column] = {"superTypes": ["DataSet"], "attributes": LATER_COLUMN_ATTRIBUTES, "partial": True}
        entities[table]["columns"] = "columns"
        relationships[f"{table}_columns"] = {
            "category": "COMPOSITION",
            "end1": [table, "columns", "SET", True],
            "end2": [column, table.rpartition("_")[2], "SINGLE", False],
        }


def write_table(table: dict[str, Any], path: Path = TABLE) -> None:
    """Writes the table with one type a line: compact, and a change shows as one line."""
    parts = []
    for section, types in table.items():
        lines = ",\n".join(f"{json.dumps(name)}:{_compact(made)}" for name, made in types.items())
        parts.append(f"{json.dumps(section)}:{{\n{lines}\n}}")
    path.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> None:
    """Reads the dump named on the command line and writes types.json beside this module."""
    parser = argparse.ArgumentParser(description="Make types.json from a dump of Purview's type definitions.")
    parser.add_argument("dump", type=Path)
    write_table(make_types(json.loads(parser.parse_args().dump.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
