"""A dataset of a type with mandatory attributes is created with them, and so under that type."""

import pytest

from core.catalog_model import AssetName, Resolution
from core.event_model import DatasetId
from core.replacing import replace
from purview.catalog import Catalog
from purview.entities import preview_entities
from purview.uploader import upload
from tests.purview.helpers import DataMap, MemoryCache, MemoryRecord, ThreadLocks, copy_of, folder, resolve_all

NAME = "https://acct.example.net/store/my%20items"
CASES = {
    "aws_s3_v2_directory": {"objectPrefix": "store/my items"},
    "azure_cosmosdb_container": {"resourceLink": "store/my items"},
    "azure_cosmosdb_mongoapi_collection": {"resourceLink": "store/my items"},
    "azure_cosmosdb_sqlapi_collection": {"resourceLink": "store/my items"},
    "azure_file": {"path": "store/my items"},
    "azure_file_directory": {"path": "store/my items"},
    "fs_path": {"path": NAME},
    "hbase_table": {"uri": NAME},
    "hdfs_path": {"path": NAME},
    "kafka_topic": {"topic": "items", "uri": NAME},
}


#: Types of which the local Data Map has no whole definition.
PARTIAL = ("fs_path", "hdfs_path")
WORK = copy_of(folder("raw"), folder("gold"), "id")


def resolutions(type_name: str) -> dict[DatasetId, Resolution]:
    """The sink is of a type."""
    found, asset = resolve_all(WORK), AssetName(type_name, NAME)
    sink = replace(found[WORK.sink.id], asset=asset, candidates=(asset,), short_name="items")
    return {**found, WORK.sink.id: sink}


@pytest.mark.parametrize(("type_name", "attributes"), CASES.items())
def test_mandatory_attributes_are_sent(type_name: str, attributes: dict[str, str]) -> None:
    draft = preview_entities(WORK, resolutions(type_name))
    (sent,) = [entity for entity in draft.entities if entity["typeName"] == type_name]
    assert sent["attributes"] == {"qualifiedName": NAME, "name": "items", **attributes}


@pytest.mark.parametrize("type_name", [name for name in CASES if name not in PARTIAL])
def test_with_them_the_type_is_accepted(catalog: Catalog, data_map: DataMap, type_name: str) -> None:
    upload(WORK, resolutions(type_name), catalog, MemoryCache(), MemoryRecord(), ThreadLocks())
    assert data_map.named(NAME)["typeName"] == type_name
