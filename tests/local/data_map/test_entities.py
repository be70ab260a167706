"""The rules for writing entities, where the recorded answers are incomplete."""

from typing import Any

import pytest

from tests.local.data_map.api import ATLAS, OPERATION, RESOURCE_SET, Api, by_name, dataset, entity, error, process


def test_both_bases_are_one_data_map(api: Api) -> None:
    guid = api.stored(dataset("a"))["-1"]
    answer = api.call("GET", f"/catalog/api/atlas/v2/entity/guid/{guid}", **{"api-version": "2023-09-01"})
    assert answer.json()["entity"]["attributes"]["name"] == "a"


def test_error_has_purviews_request_id_in_front(api: Api) -> None:
    answer = api.post(dataset("a", guid="abc"))
    assert error(answer) == (404, "ATLAS-404-00-00A", "Referenced entity abc is not found")
    assert list(answer.json()) == ["requestId", "errorCode", "errorMessage"]


@pytest.mark.parametrize(
    "sent",
    [
        entity("azure_sql_table", "-1", "t"),
        entity("azure_synapse_operation", "-1", "p"),
        entity("azure_synapse_activity", "-1", "a"),
        entity("column", "-1", "c", type="int"),
        entity("azure_sql_column", "-1", "c", data_type="int"),
    ],
    ids=lambda sent: str(sent["typeName"]),
)
def test_composition_parents_are_not_required(api: Api, sent: dict[str, Any]) -> None:
    assert api.post(sent).status_code == 200


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        (entity("column", "-1", "c"), "column.type: mandatory attribute value missing in type column"),
        (
            entity("azure_sql_column", "-1", "c"),
            "azure_sql_column.data_type: mandatory attribute value missing in type azure_sql_column",
        ),
        (
            entity("azure_cosmosdb_sqlapi_collection", "-1", "c"),
            "azure_cosmosdb_sqlapi_collection.resourceLink: mandatory attribute value missing in type "
            "azure_cosmosdb_container",
        ),
    ],
    ids=["column", "azure_sql_column", "inherited"],
)
def test_plain_required_attributes_are_required(api: Api, sent: dict[str, Any], missing: str) -> None:
    text = f"Invalid instance creation/updation parameters passed : {missing}"
    assert error(api.post(sent)) == (404, "ATLAS-404-00-007", text)


class TestColumns:
    """Columns are their own entities; either end of the relationship may be set."""

    def test_tabular_schema_from_the_columns(self, api: Api) -> None:
        table = {**dataset("t", "-1"), "relationshipAttributes": {"tabular_schema": {"guid": "-2"}}}
        column = {
            **entity("column", "-3", "c", type="int"),
            "relationshipAttributes": {"composeSchema": {"guid": "-2"}},
        }
        api.stored(table, entity("tabular_schema", "-2", "s"), column)
        assert api.dump()["s"]["relationships"] == {
            "associatedDataSets": [[RESOURCE_SET, "x://t"]],
            "columns": [["column", "x://c"]],
        }

    def test_tabular_schema_from_the_schema(self, api: Api) -> None:
        schema = entity("tabular_schema", "-2", "s")
        schema["relationshipAttributes"] = {"columns": [{"guid": "-3"}], "associatedDataSets": [{"guid": "-1"}]}
        api.stored(dataset("t", "-1"), schema, entity("column", "-3", "c", type="int"))
        assert api.dump()["t"]["relationships"] == {"tabular_schema": [["tabular_schema", "x://s"]]}
        assert api.dump()["c"]["relationships"] == {"composeSchema": [["tabular_schema", "x://s"]]}

    @pytest.mark.parametrize("place", ["attributes", "relationshipAttributes"])
    def test_columns_of_a_table(self, api: Api, place: str) -> None:
        table = entity("azure_sql_table", "-1", "t")
        table.setdefault(place, {})["columns"] = [{"guid": "-2"}, {"guid": "-3"}]
        columns = [entity("azure_sql_column", f"-{n}", f"c{n}", data_type="int") for n in (2, 3)]
        api.stored(table, *columns)
        shown = api.named("t", "azure_sql_table")["relationshipAttributes"]["columns"]
        assert [each["displayText"] for each in shown] == ["c2", "c3"]
        assert api.named("c2", "azure_sql_column")["relationshipAttributes"]["table"]["displayText"] == "t"

    def test_a_column_has_one_table(self, api: Api) -> None:
        column = entity("azure_sql_column", "-2", "c", data_type="int")
        api.stored(entity("azure_sql_table", "-1", "t"), column | {"relationshipAttributes": {"table": {"guid": "-1"}}})
        moved = entity("azure_sql_table", "-1", "u")
        moved["relationshipAttributes"] = {"columns": [by_name("c", "azure_sql_column")]}
        api.stored(moved)
        assert api.dump()["c"]["relationships"] == {"table": [["azure_sql_table", "x://u"]]}
        assert api.dump()["t"]["relationships"] == {}

    def test_a_column_that_the_table_drops_is_dropped(self, api: Api) -> None:
        table = entity("azure_sql_table", "-1", "t")
        columns = [entity("azure_sql_column", f"-{n}", f"c{n}", data_type="int") for n in (2, 3)]
        api.stored(table | {"relationshipAttributes": {"columns": [{"guid": "-2"}, {"guid": "-3"}]}}, *columns)
        kept = table | {"relationshipAttributes": {"columns": [by_name("c2", "azure_sql_column")]}}
        answer = api.post(kept).json()["mutatedEntities"]
        assert [each["displayText"] for each in answer["DELETE"]] == ["c3"]
        deleted = api.call("DELETE", f"{ATLAS}/entity/guid/{api.named('t', 'azure_sql_table')['guid']}").json()
        assert [each["displayText"] for each in deleted["mutatedEntities"]["DELETE"]] == ["t", "c2"]
        assert api.dump() == {}

    def test_one_attribute_name_for_two_relationships(self, api: Api) -> None:
        column = entity("hive_column", "-2", "c", type="int")
        column["relationshipAttributes"] = {"table": {"guid": "-1", "relationshipType": "hive_table_partitionkeys"}}
        api.stored(entity("hive_table", "-1", "t"), column)
        assert api.dump()["t"]["relationships"] == {"partitionKeys": [["hive_column", "x://c"]]}


class TestTransactions:
    def test_a_wrong_reference_undoes_everything(self, api: Api) -> None:
        answer = api.post(dataset("a", "-1"), process("p", [{"guid": "-1"}], [{"guid": "-9"}]))
        wanted = "invalid relationshipDef: process_dataset_outputs: end type 1: DataSet, end type 2: " + OPERATION
        assert error(answer) == (400, "ATLAS-400-00-036", wanted)
        assert api.dump() == {}

    def test_names_in_the_same_request_are_not_yet_known(self, api: Api) -> None:
        answer = api.post(dataset("a", "-1"), process("p", [by_name("a")], []))
        assert error(answer)[:2] == (404, "ATLAS-404-00-00A")
        assert api.dump() == {}

    def test_a_supertype_finds_the_existing_asset(self, api: Api) -> None:
        guid = api.stored(entity("azure_sql_table", "-1", "t", objectType="U"))["-1"]
        assert api.stored(entity("DataSet", "-1", "t"))["-1"] == guid
        assert api.named("t", "azure_sql_table")["attributes"]["objectType"] == "U"


class TestCollections:
    def test_new_assets_land_in_the_root_collection(self, api: Api) -> None:
        assert api.get(api.stored(dataset("a"))["-1"])["collectionId"] == "root"

    def test_every_entity_of_the_request_moves(self, api: Api) -> None:
        api.stored(dataset("old"))
        answer = api.post(dataset("old", "-1"), dataset("new", "-2"), collectionId="abc123").json()
        assert [each["displayText"] for each in answer["mutatedEntities"]["CREATE"]] == ["new"]
        assert {name: each["collectionId"] for name, each in api.dump().items()} == {"old": "abc123", "new": "abc123"}
        assert api.found(filter={"collectionId": "abc123"}) == ["new", "old"]

    def test_no_collection_leaves_assets_where_they_are(self, api: Api) -> None:
        api.stored(dataset("a"), collectionId="abc123")
        api.stored(dataset("a", description="changed"))
        assert api.dump()["a"]["collectionId"] == "abc123"

    def test_moving_by_guid(self, api: Api) -> None:
        guid = api.stored(dataset("a"))["-1"]
        answer = api.call("POST", "/datamap/api/entity/moveTo", {"entityGuids": [guid]}, collectionId="abc123")
        assert answer.status_code == 200
        assert api.dump()["a"]["collectionId"] == "abc123"


class TestSeveralByName:
    PATH = f"{ATLAS}/entity/bulk/uniqueAttribute/type"

    def names(self, api: Api, type_name: str, *names: str) -> list[str]:
        params = {f"attr_{at}:qualifiedName": f"x://{name}" for at, name in enumerate(names)}
        answer = api.call("GET", f"{self.PATH}/{type_name}", **params)
        assert answer.status_code == 200
        return [each["attributes"]["name"] for each in answer.json()["entities"]]

    def test_existing_entities_are_listed(self, api: Api) -> None:
        api.stored(dataset("a", "-1"), dataset("b", "-2"), entity("azure_datalake_gen2_path", "-3", "c"))
        assert self.names(api, RESOURCE_SET, "b", "no", "a", "c") == ["b", "a"]
        assert self.names(api, "DataSet", "a", "c") == ["a", "c"]

    def test_none(self, api: Api) -> None:
        assert self.names(api, RESOURCE_SET, "a") == []

    def test_unknown_type(self, api: Api) -> None:
        answer = api.call("GET", f"{self.PATH}/no_such_type", **{"attr_0:qualifiedName": "x"})
        assert error(answer) == (400, "ATLAS-400-00-014", "Type ENTITY with name no_such_type does not exist")


class TestPartialUpdate:
    def test_one_attribute_by_guid(self, api: Api) -> None:
        guid = api.stored(dataset("a"))["-1"]
        answer = api.call("PUT", f"{ATLAS}/entity/guid/{guid}", "new", name="description")
        assert [each["guid"] for each in answer.json()["partialUpdatedEntities"]] == [guid]
        assert api.get(guid)["attributes"]["description"] == "new"

    def test_lists_are_refused_by_guid(self, api: Api) -> None:
        guid = api.stored(process("p", [], []))["-9"]
        assert api.call("PUT", f"{ATLAS}/entity/guid/{guid}", [], name="inputs").status_code == 400

    def test_unknown_name(self, api: Api) -> None:
        path = f"{ATLAS}/entity/uniqueAttribute/type/{RESOURCE_SET}"
        answer = api.call("PUT", path, {"entity": dataset("a")}, **{"attr:qualifiedName": "x://a"})
        assert error(answer)[:2] == (404, "ATLAS-404-00-009")


class TestRelationships:
    def test_direct_lineage(self, api: Api) -> None:
        guids = api.stored(dataset("a", "-1"), dataset("b", "-2"))
        body = {
            "typeName": "direct_lineage_dataset_dataset",
            "end1": {"guid": guids["-1"]},
            "end2": {"guid": guids["-2"]},
            "attributes": {"columnMapping": '[{"Source":"c","Sink":"d"}]', "unknown": 1},
        }
        made = api.call("POST", f"{ATLAS}/relationship", body).json()
        assert made["attributes"] == {"columnMapping": '[{"Source":"c","Sink":"d"}]'}
        again = error(api.call("POST", f"{ATLAS}/relationship", body))
        assert again[:2] == (409, "ATLAS-409-00-004")
        relations = api.call("GET", f"{ATLAS}/lineage/{guids['-1']}").json()["relations"]
        assert [(each["fromEntityId"], each["toEntityId"]) for each in relations] == [(guids["-1"], guids["-2"])]
        assert api.call("DELETE", f"{ATLAS}/relationship/guid/{made['guid']}").status_code == 204
        assert api.dump()["a"]["relationships"] == {}

    def test_unknown_type(self, api: Api) -> None:
        answer = api.call("POST", f"{ATLAS}/relationship", {"typeName": "nothing"})
        assert error(answer) == (400, "ATLAS-400-00-014", "Type RELATIONSHIP with name nothing does not exist")
