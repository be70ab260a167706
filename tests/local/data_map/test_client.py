"""The Data Map through pyapacheatlas, as the product uses it."""

import pytest
from pyapacheatlas.auth import BasicAuthentication
from pyapacheatlas.core import AtlasClient, AtlasEntity, AtlasException, AtlasProcess
from pyapacheatlas.core.discovery.purview import PurviewDiscoveryClient
from pyapacheatlas.core.typedef import AtlasAttributeDef, EntityTypeDef, RelationshipTypeDef
from pyapacheatlas.core.util import GuidTracker

from tests.local.data_map.api import OPERATION, RESOURCE_SET, Api


@pytest.fixture(params=["/catalog/api/atlas/v2", "/datamap/api/atlas/v2"])
def client(api: Api, request: pytest.FixtureRequest) -> AtlasClient:
    return AtlasClient(endpoint_url=api.address + request.param, authentication=BasicAuthentication("any", "one"))


def upload(client: AtlasClient) -> dict[str, str]:
    """Uploads a → p → b and returns the guids by name."""
    guid = GuidTracker()
    a, b = (AtlasEntity(name, RESOURCE_SET, f"x://{name}", guid=guid.get_guid()) for name in "ab")
    p = AtlasProcess("p", OPERATION, "x://p", inputs=[a], outputs=[b], guid=guid.get_guid())
    answer = client.upload_entities([a, b, p])
    return {each["attributes"]["name"]: each["guid"] for each in answer["mutatedEntities"]["CREATE"]}


def test_upload_and_read(client: AtlasClient) -> None:
    guids = upload(client)
    by_guid = client.get_entity(guid=list(guids.values()))["entities"]
    by_name = client.get_entity(typeName=RESOURCE_SET, qualifiedName=["x://b", "x://no", "x://a"])["entities"]
    assert [each["attributes"]["name"] for each in by_guid] == ["a", "b", "p"]
    assert [each["guid"] for each in by_name] == [guids["b"], guids["a"]]
    assert client.get_single_entity(guid=guids["p"])["entity"]["attributes"]["inputs"][0]["guid"] == guids["a"]
    assert client.get_entity_header(guids["a"])["displayText"] == "a"


def test_relationships_can_be_left_out(client: AtlasClient) -> None:
    guids = upload(client)
    assert "relationshipAttributes" not in client.get_single_entity(guids["p"], ignoreRelationships=True)["entity"]


def test_second_upload_changes_nothing(client: AtlasClient) -> None:
    upload(client)
    entity = AtlasEntity("a", RESOURCE_SET, "x://a", guid=-1)
    assert "mutatedEntities" not in client.upload_entities([entity])


def test_lineage(client: AtlasClient) -> None:
    guids = upload(client)
    relations = client.get_entity_lineage(guids["a"])["relations"]
    ends = {(each["fromEntityId"], each["toEntityId"]) for each in relations}
    assert ends == {(guids["a"], guids["p"]), (guids["p"], guids["b"])}


def test_partial_update(client: AtlasClient) -> None:
    guids = upload(client)
    client.partial_update_entity(guid=guids["a"], attributes={"description": "by guid"})
    assert client.get_single_entity(guids["a"])["entity"]["attributes"]["description"] == "by guid"
    client.partial_update_entity(typeName=RESOURCE_SET, qualifiedName="x://a", attributes={"description": "by name"})
    assert client.get_single_entity(guids["a"])["entity"]["attributes"]["description"] == "by name"


def test_delete(client: AtlasClient) -> None:
    guids = upload(client)
    assert len(client.delete_entity(guid=[guids["a"], guids["b"]])["mutatedEntities"]["DELETE"]) == 2
    client.delete_entity(typeName=OPERATION, qualifiedName="x://p")
    with pytest.raises(AtlasException, match="ATLAS-404-00-005"):
        client.get_entity(guid=[guids["p"]])


def test_types(client: AtlasClient) -> None:
    assert client.get_typedef(name="azure_sql_table")["superTypes"] == ["DataSet"]
    names = {each["name"] for each in client.get_all_typedefs()["entityDefs"]}
    assert {"column", "databricks_process", "fabric_lakehouse_table"} <= names
    with pytest.raises(AtlasException, match="ATLAS-404-00-001"):
        client.get_typedef(name="no_such_type")


def test_custom_types(client: AtlasClient, api: Api) -> None:
    process_type = EntityTypeDef(
        "my_process", superTypes=["Process"], attributeDefs=[AtlasAttributeDef("columnMapping")]
    )
    part = EntityTypeDef("my_part", superTypes=["DataSet"])
    parts = RelationshipTypeDef(
        name="my_parts",
        relationshipCategory="COMPOSITION",
        endDef1={"type": "my_process", "name": "parts", "isContainer": True, "cardinality": "SET"},
        endDef2={"type": "my_part", "name": "whole", "isContainer": False, "cardinality": "SINGLE"},
    )
    client.upload_typedefs(entityDefs=[process_type, part], relationshipDefs=[parts])
    made = AtlasProcess("p", "my_process", "x://p", inputs=[], outputs=[], guid=-1, attributes={"columnMapping": "[]"})
    held = AtlasEntity("q", "my_part", "x://q", guid=-2, relationshipAttributes={"whole": {"guid": "-1"}})
    client.upload_entities([made, held])
    assert api.dump()["p"]["attributes"]["columnMapping"] == "[]"
    assert api.dump()["p"]["relationships"] == {"parts": [["my_part", "x://q"]]}
    with pytest.raises(AtlasException, match="ATLAS-409-00-001"):
        client.upload_typedefs(entityDefs=[process_type])
    client.upload_typedefs(entityDefs=[process_type], force_update=True)
    with pytest.raises(AtlasException, match="ATLAS-400-00-029"):
        client.upload_typedefs(entityDefs=[EntityTypeDef("orphan", superTypes=["nothing"])])


def test_search(client: AtlasClient, api: Api) -> None:
    upload(client)
    discovery = PurviewDiscoveryClient(f"{api.address}/catalog/api", BasicAuthentication("any", "one"))
    condition = {"attributeName": "qualifiedName", "operator": "eq", "attributeValue": "x://a"}
    assert discovery.query(keywords=None, filter=condition)["@search.count"] == 1
    assert [each["name"] for each in discovery.search_entities("*", limit=2)] == ["a", "b", "p"]
