"""The lineage page."""

import json
import re

import pytest

from local.data_map.columns import Pair, read_mapping
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


def links(text: str) -> list[tuple[str, str]]:
    """The columns that lines of the picture join, without the boxes."""
    found = re.findall(r'data-from="[^"]*/([^"]*)" data-to="[^"]*/([^"]*)"', text)
    return sorted(found)


def boxes(text: str) -> list[str]:
    """The titles of the picture's boxes."""
    return re.findall(r"<h3><a [^>]*>([^<]*)</a></h3>", text)


def test_says_how_to_begin(api: Api) -> None:
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
    assert boxes(shown) == ["p", "in", "out"]
    assert links(shown) == [("gone", "key"), ("id", "key")]
    assert "bigint" in shown
    assert "gone: named by the mapping, but not in the schema" in shown
    assert 'rowspan="2"' in shown


@pytest.mark.parametrize(("depth", "shown"), [("1", 3), ("2", 5), ("99", 7), ("x", 5)])
def test_depth(api: Api, depth: str, shown: int) -> None:
    sent = [dataset(f"d{at}", f"-{at}") for at in range(1, 5)]
    sent += [process(f"p{at}", [{"guid": f"-{at}"}], [{"guid": f"-{at + 1}"}], guid=f"-1{at}") for at in range(1, 4)]
    assert len(boxes(page(api, api.stored(*sent)["-1"], depth=depth))) == shown


def test_a_dataset_read_and_written_has_a_box_on_either_side(api: Api) -> None:
    text = mapping("d", "d", ("a", "a"))
    guids = api.stored(dataset("d", "-1"), process("p", [{"guid": "-1"}], [{"guid": "-1"}], columnMapping=text))
    assert boxes(page(api, guids["-9"])) == ["p", "d", "d"]
    assert links(page(api, guids["-9"])) == [("a", "a")]
    assert boxes(page(api, guids["-1"])) == ["d", "p", "d", "p", "d"]


def test_any_input(api: Api) -> None:
    text = mapping("in", "out", ("a", "b")).replace("x://in", "*")
    made = process("p", [{"guid": "-1"}], [{"guid": "-2"}], columnMapping=text)
    guid = api.stored(dataset("in", "-1"), dataset("out", "-2"), made)["-9"]
    assert links(page(api, guid)) == [("a", "b")]


def test_direct_lineage(api: Api) -> None:
    guids = api.stored(dataset("a", "-1"), dataset("b", "-2"))
    body = {
        "typeName": "direct_lineage_dataset_dataset",
        "end1": {"guid": guids["-1"]},
        "end2": {"guid": guids["-2"]},
        "attributes": {"columnMapping": '[{"Source":"c","Sink":"d"}]'},
    }
    assert api.call("POST", f"{ATLAS}/relationship", body).status_code == 200
    assert links(page(api, guids["-2"])) == [("c", "d")]


def test_many_columns_are_folded(api: Api) -> None:
    text = mapping("in", "out", *((f"a{at}", f"b{at}") for at in range(300)))
    made = process("p", [{"guid": "-1"}], [{"guid": "-2"}], columnMapping=text)
    guid = api.stored(dataset("in", "-1"), dataset("out", "-2"), made)["-9"]
    folded = page(api, guid)
    assert folded.count("280 more columns") == 2
    assert len(links(folded)) == 21
    assert len(links(page(api, guid, columns="all"))) == 300


def test_a_mapping_that_is_no_mapping(api: Api) -> None:
    guid = api.stored(process("p", [], [], columnMapping=[{"a": 1}]))["-9"]
    assert "nothing can be drawn of it" in page(api, guid)


def test_everything_is_escaped(api: Api) -> None:
    evil = '<script>alert("x")</script>'
    text = mapping(evil, "out", (evil, evil))
    made = process(evil, [{"guid": "-1"}], [{"guid": "-2"}], columnMapping=text, description=evil)
    guid = api.stored(dataset(evil, "-1"), dataset("out", "-2"), made)["-9"]
    for shown in (page(api, guid), api.call("GET", "/").text, api.call("GET", "/", q=evil).text):
        assert evil not in shown
        assert "&lt;script&gt;alert(&quot;x&quot;)" in shown
    policy = api.call("GET", f"/asset/{guid}").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_not_found(api: Api) -> None:
    for path in ("/asset/nothing", "/nothing"):
        answer = api.call("GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ()),
        ("", ()),
        (mapping("i", "o", ("a", "b")), (Pair("x://i", "a", "x://o", "b"),)),
        ("[{a=1}]", None),
        ("{}", None),
        ('[{"DatasetMapping": {"Source": "i"}}]', None),
        ("7", None),
    ],
)
def test_read_mapping(text: str | None, expected: object) -> None:
    assert read_mapping(text) == expected


def test_markup() -> None:
    made = tag("a", "<b>", Html("<i></i>"), ["x", None], href='"', class_="c", data_key=1, hidden=True, title=None)
    assert made == '<a href="&quot;" class="c" data-key="1" hidden>&lt;b&gt;<i></i>x</a>'
    assert tag("input", name="q") == '<input name="q">'
    assert html(None) == ""


def test_the_type_of_an_asset_is_shown(api: Api) -> None:
    shown = page(api, api.stored(entity("azure_sql_server", "-1", "s"))["-1"])
    assert "azure_sql_server" in shown
    assert OPERATION not in shown
