"""The lineage page."""

import json
import re

import pytest

from explorer.graph import Focus, LineageGraph, from_json
from explorer.page import SCRIPT
from local.data_map.markup import Html, html, tag
from tests.local.data_map.api import ATLAS, OPERATION, Api, dataset, entity, process


def mapping(source: str, sink: str, *pairs: tuple[str, str]) -> str:
    columns = [{"Source": each, "Sink": to} for each, to in pairs]
    return json.dumps(
        [{"DatasetMapping": {"Source": f"x://{source}", "Sink": f"x://{sink}"}, "ColumnMapping": columns}]
    )


def page(api: Api, guid: str, **params: str) -> str:
    answer = api.call("GET", f"/asset/{guid}", **params)
    assert answer.status_code == 200
    return answer.text


def lineage(text: str) -> LineageGraph:
    """The graph that the explorer on a page shows."""
    found = re.search(r'<script type="application/json" id="lineage">(.*?)</script>', text, re.DOTALL)
    assert found
    return from_json(found[1])


def links(graph: LineageGraph) -> list[tuple[str, str]]:
    """The columns that are joined, without their datasets."""
    steps = (column for process in graph.processes for column in process.columns)
    return sorted((source.column, step.column) for step in steps for source in step.sources)


def names(graph: LineageGraph) -> list[str]:
    """The datasets and processes of a graph."""
    return sorted([*(each.name for each in graph.datasets), *(each.name for each in graph.processes)])


def test_an_empty_page_says_how_to_begin(api: Api) -> None:
    text = api.call("GET", "/").text
    assert "Nothing here yet" in text
    assert "sparklin send event.json --local" in text


def test_lists_processes_first(api: Api) -> None:
    api.stored(dataset("b", "-1"), dataset("a", "-2"), process("p", [{"guid": "-1"}], [{"guid": "-2"}]))
    text = api.call("GET", "/").text
    places = [text.index(f">{name}</a>") for name in ("p", "b", "a")]
    assert places == sorted(places)


@pytest.mark.parametrize(("query", "shown"), [("a1", ["a1"]), ("RESOURCE_set", ["a1", "b1"]), ("none", [])])
def test_search(api: Api, query: str, shown: list[str]) -> None:
    api.stored(dataset("a1", "-1"), dataset("b1", "-2"), process("p1", [], []))
    text = api.call("GET", "/", q=query).text
    assert [name for name in ("a1", "b1", "p1") if f">{name}</a>" in text] == shown
    assert f'value="{query}"' in text


def test_process_with_its_columns(api: Api) -> None:
    table = entity("azure_sql_table", "-1", "in")
    table["relationshipAttributes"] = {"columns": [{"guid": "-2"}]}
    column = entity("azure_sql_column", "-2", "id", data_type="bigint")
    text = mapping("in", "out", ("id", "key"), ("gone", "key"))
    made = process("p", [{"guid": "-1"}], [{"guid": "-3"}], columnMapping=text)
    shown = page(api, api.stored(table, column, dataset("out", "-3"), made)["-9"])
    assert names(lineage(shown)) == ["in", "out", "p"]
    assert links(lineage(shown)) == [("gone", "key"), ("id", "key")]
    assert 'data-process="x://p"' in shown


def test_dataset_is_the_focus(api: Api) -> None:
    text = mapping("a", "b", ("x", "y"))
    made = process("p", [{"guid": "-1"}], [{"guid": "-2"}], columnMapping=text)
    guid = api.stored(dataset("a", "-1"), dataset("b", "-2"), made)["-2"]
    graph = lineage(page(api, guid))
    assert graph.focus == Focus(next(each.id for each in graph.datasets if each.name == "b"), "both")


def test_lineage_reaches_over_all_hops(api: Api) -> None:
    sent = [dataset(f"d{at}", f"-{at}") for at in range(1, 9)]
    sent += [process(f"p{at}", [{"guid": f"-{at}"}], [{"guid": f"-{at + 1}"}], guid=f"-1{at}") for at in range(1, 8)]
    assert len(names(lineage(page(api, api.stored(*sent)["-4"])))) == 15


def test_other_inputs_say_what_else_writes_them(api: Api) -> None:
    sent = [dataset(f"d{at}", f"-{at}") for at in range(1, 5)]
    sent += [process("p", [{"guid": "-1"}, {"guid": "-2"}], [{"guid": "-3"}], guid="-11")]
    sent += [process("q", [{"guid": "-4"}], [{"guid": "-2"}], guid="-12")]
    graph = lineage(page(api, api.stored(*sent)["-1"]))
    assert names(graph) == ["d1", "d2", "d3", "p"]
    assert [each.more_upstream for each in graph.datasets] == [0, 1, 0]


def test_a_dataset_that_is_read_and_written(api: Api) -> None:
    text = mapping("d", "d", ("a", "a"))
    guids = api.stored(dataset("d", "-1"), process("p", [{"guid": "-1"}], [{"guid": "-1"}], columnMapping=text))
    graphs = [lineage(page(api, guids[each])) for each in ("-9", "-1")]
    assert [names(each) for each in graphs] == [["d", "p"], ["d", "p"]]
    assert [links(each) for each in graphs] == [[("a", "a")], [("a", "a")]]


def test_direct_lineage(api: Api) -> None:
    guids = api.stored(dataset("a", "-1"), dataset("b", "-2"))
    body = {
        "typeName": "direct_lineage_dataset_dataset",
        "end1": {"guid": guids["-1"]},
        "end2": {"guid": guids["-2"]},
        "attributes": {"columnMapping": '[{"Source":"c","Sink":"d"}]'},
    }
    assert api.call("POST", f"{ATLAS}/relationship", body).status_code == 200
    assert links(lineage(page(api, guids["-2"]))) == [("c", "d")]


def test_a_mapping_that_is_no_mapping(api: Api) -> None:
    guid = api.stored(dataset("d", "-1"), process("p", [], [{"guid": "-1"}], columnMapping=[{"a": 1}]))["-9"]
    assert [note.code for note in lineage(page(api, guid)).notes] == ["mapping-unreadable"]


def test_an_asset_without_lineage(api: Api) -> None:
    shown = page(api, api.stored(dataset("d", "-1"))["-1"])
    assert "Nothing flows into this asset or out of it." in shown
    assert "explorer.js" not in shown


def test_the_script_is_served(api: Api) -> None:
    answer = api.call("GET", "/explorer.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text == SCRIPT


def test_everything_is_escaped(api: Api) -> None:
    evil = '<script>alert("x")</script>'
    text = mapping(evil, "out", (evil, evil))
    made = process(evil, [{"guid": "-1"}], [{"guid": "-2"}], columnMapping=text, description=evil)
    guid = api.stored(dataset(evil, "-1"), dataset("out", "-2"), made)["-9"]
    for shown in (page(api, guid), api.call("GET", "/").text, api.call("GET", "/", q=evil).text):
        assert evil not in shown
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(&quot;x&quot;)" in shown
    policy = api.call("GET", f"/asset/{guid}").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_not_found(api: Api) -> None:
    for path in ("/asset/nothing", "/nothing"):
        answer = api.call("GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_markup() -> None:
    made = tag("a", "<b>", Html("<i></i>"), ["x", None], href='"', class_="c", data_key=1, hidden=True, title=None)
    assert made == '<a href="&quot;" class="c" data-key="1" hidden>&lt;b&gt;<i></i>x</a>'
    assert tag("input", name="q") == '<input name="q">'
    assert html(None) == ""


def test_the_type_of_an_asset_is_shown(api: Api) -> None:
    shown = page(api, api.stored(entity("azure_sql_server", "-1", "s"))["-1"])
    assert "azure_sql_server" in shown
    assert OPERATION not in shown
