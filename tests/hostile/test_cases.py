"""Malicious bodies, one per line: the answer, and what happens to those that are kept.

Sizes are such that work which grows faster than the input would not end while anybody waits.
"""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from core.errors import BadRequest
from parser.lineage import MOST_PAIRS
from parser.logical_plan import budget
from receiver.body import expand
from receiver.request_limits import Limits
from tests.support.events import body, dataset, event
from tests.support.hostile import drawn, survives, taken
from tests.support.plans import (
    Nodes,
    aliased,
    attribute,
    function,
    insert,
    insert_statement,
    node,
    operator,
    project,
    read,
    relation,
    star,
)
from tests.support.plans import alias as named_as

COLUMNS = [f"c{number}" for number in range(20_000)]
PLAN = ("run", "facets", "spark.logicalPlan", "plan")
ENCODED = {"Content-Encoding": "gzip"}


def a_write(*path: str | int, value: object = None, raw: bytes = b"") -> bytes:
    """An event that writes ``a`` of ``t`` from ``x`` of ``s``, with a value, or raw JSON, in one place."""
    whole: Any = event(inputs=[dataset("s", ["x"])], outputs=[dataset("t", ["a"], {"a": [("s", "x")]})])
    if not path:
        return body(whole)
    place = whole
    for key in path[:-1]:
        place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
    place[path[-1]] = "@raw@" if raw else value
    return json.dumps(whole).encode().replace(b'"@raw@"', raw) if raw else json.dumps(whole).encode()


def nested(opened: str, closed: str, depth: int) -> bytes:
    return (opened * depth + "1" + closed * depth).encode()


def with_plan(plan: Nodes, inputs: int = 1, columns: tuple[str, ...] = ("a",)) -> bytes:
    """A write from some inputs, whose columns come from the plan alone."""
    read_from = [dataset(f"s{number}" if number else "s", ["x"]) for number in range(inputs)]
    whole = event(inputs=read_from, outputs=[dataset("t", columns)])
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": plan}
    return body(whole)


ARRAYS = [("x",), PLAN, ("run", "facets", "x"), ("outputs", 0, "facets", "schema")]
OBJECTS = [("x",), PLAN[:3], ("inputs", 0, "facets", "columnLineage")]
DEEP = [
    *((path, nested("[", "]", 100_000)) for path in ARRAYS),
    *((path, nested('{"a":', "}", 100_000)) for path in OBJECTS),
    (PLAN, nested('[{"class":"a.Project","num-children":0,"p":', "}]", 100_000)),
    (("producer",), nested("[", "]", 1_000_000)),
]


@pytest.mark.parametrize(("path", "raw"), DEEP, ids=range(len(DEEP)))
def test_deep_nesting_is_refused(path: tuple[str | int, ...], raw: bytes) -> None:
    assert taken(a_write(*path, raw=raw)) == (400, [])


@pytest.mark.parametrize("content", [b"[" * 10**6, b'{"a":' * 10**6, b"[" * 10**6 + b"]" * 10**6], ids=range(3))
def test_nesting_without_end_is_refused(content: bytes) -> None:
    assert taken(content) == (400, [])


NUMBERS = [b"1e400", b"-1e400", b"1E+99999999", b"9" * 100_000, b"0." + b"9" * 100_000, b"-0"]
NUMBER_PLACES = [
    ("x",),
    ("run", "facets", "environment-properties", "environment-properties", "spark.databricks.job.id"),
    ("outputs", 0, "facets", "schema", "fields"),
    PLAN,
]


@pytest.mark.parametrize("path", NUMBER_PLACES, ids=range(len(NUMBER_PLACES)))
@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_of_any_size_cost_no_more_than_their_facet(number: bytes, path: tuple[str | int, ...]) -> None:
    assert len(survives(a_write(*path, raw=number))) == 1


NO_JSON = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"01",
    b"'a'",
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\x00"',
    b'"\n"',
    b"[1,]",
]


@pytest.mark.parametrize("raw", NO_JSON, ids=range(len(NO_JSON)))
@pytest.mark.parametrize("path", [("x",), ("run", "runId"), ("job", "name"), ("outputs", 0, "name"), ("eventTime",)])
def test_invalid_json_is_refused_wherever_it_is(raw: bytes, path: tuple[str | int, ...]) -> None:
    """Halves of characters among them, so none of them gets into a key, a filter, a log line or the catalogue."""
    assert taken(a_write(*path, raw=raw)) == (400, [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
def test_other_encodings_than_utf_8_are_refused(encoding: str) -> None:
    assert taken(a_write("job", "name", value="ünïcode").decode().encode(encoding)) == (400, [])


def test_the_last_of_two_equal_keys_counts() -> None:
    twice = a_write().replace(b'"name":"t"', b'"name":"forged","name":"t"')
    assert survives(twice) == survives(a_write())


LONG = 10_000_000
NAMES = [("run", "runId"), ("job", "name"), ("job", "namespace")]


@pytest.mark.parametrize("path", NAMES, ids=str)
def test_long_names_of_runs_and_jobs_are_refused(path: tuple[str, ...]) -> None:
    """Patterns of the settings are searched in them while Spark waits."""
    assert taken(a_write(*path, value="x" * LONG)) == (400, [])
    assert taken(a_write(*path, value="x" * 65_536))[0] == 202


@pytest.mark.parametrize("text", ["[", "[x", "2024-05-01T12:00:00Z[", "0", ":", "\u0660"])
def test_a_long_time_is_refused(text: str) -> None:
    assert taken(a_write("eventTime", value=text * (1_500_000 // len(text)))) == (400, [])


PIECES = [
    "x",
    "/",
    "../",
    "[",
    ";",
    ";a=",
    "=/a",
    "{N}",
    "{,",
    "(HOST=a)(",
    '"',
    "`",
    "\u0000",
    ":a",
    "oracle:thin",
    ".dfs.core\n",
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", [("inputs", 0, "name"), ("outputs", 0, "namespace"), ("outputs", 0, "name")], ids=str)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_name_of_a_dataset_is_a_generic_asset(piece: str, place: tuple[str | int, ...]) -> None:
    (process,) = survives(a_write(*place, value=piece * (1_500_000 // len(piece))))
    assert all(len(json.dumps(entity)) < 100_000 for entity in process["entities"])


TEXTS = [
    ("inputs", 0, "facets", "schema", "fields", 0, "name"),
    ("outputs", 0, "facets", "schema", "fields", 0, "type"),
    ("outputs", 0, "facets", "columnLineage", "fields", "a", "inputFields", 0, "field"),
    ("run", "facets", "environment-properties", "environment-properties", "spark.databricks.notebook.path"),
    ("producer",),
    ("eventType",),
]


@pytest.mark.parametrize("path", TEXTS, ids=range(len(TEXTS)))
def test_long_texts_elsewhere_have_no_other_cost(path: tuple[str | int, ...]) -> None:
    (process,) = survives(a_write(*path, value="\U0001f600" * 1_000_000))
    assert all(len(json.dumps(entity)) < 100_000 for entity in process["entities"])


WIDE = {f"k{number}": number for number in range(200_000)}
ITEMS: list[object] = [0] * 100_000


@pytest.mark.parametrize("value", [WIDE, ITEMS, [ITEMS[:300]] * 300, [{}] * 100_000], ids=range(4))
@pytest.mark.parametrize(
    "path", [("x",), ("run", "facets"), ("outputs", 0, "facets", "schema", "fields"), PLAN], ids=str
)
def test_wide_objects_and_long_arrays(path: tuple[str | int, ...], value: object) -> None:
    assert len(survives(a_write(*path, value=value))) == 1


@pytest.mark.exhaustive
def test_ten_thousand_inputs() -> None:
    names = [f"s{number}" for number in range(10_000)]
    written = dataset("t", ["a"], {"a": [(name, "x") for name in names]})
    (process,) = survives(body(event(inputs=[dataset(name, ["x"]) for name in names], outputs=[written])))
    assert len(process["process"]["inputs"]) == len(process["columns"][0]["from"]) == 10_000


@pytest.mark.exhaustive
def test_twenty_thousand_columns() -> None:
    written = dataset("t", COLUMNS, {column: [("s", column)] for column in COLUMNS})
    (process,) = survives(body(event(inputs=[dataset("s", COLUMNS)], outputs=[written])))
    assert sum(len(column["from"]) for column in process["columns"]) == 20_000


def test_one_column_listed_twenty_thousand_times() -> None:
    written = dataset("t", ["c"] * 20_000, {"c": [("s", "c")] * 20_000})
    (process,) = survives(body(event(inputs=[dataset("s", ["c"] * 20_000)], outputs=[written])))
    assert [column["column"] for column in process["columns"]] == ["c"]


def test_one_dataset_listed_ten_thousand_times_under_other_names() -> None:
    listed = [dataset("s", ["x"]) for _ in range(10_000)]
    for number, item in enumerate(listed):
        item["facets"]["symlinks"] = {"identifiers": [{"namespace": "n", "name": f"d.t{number}", "type": "TABLE"}]}
    (process,) = survives(body(event(inputs=listed, outputs=[dataset("t")])))
    assert len(process["process"]["inputs"]) == 1


def test_more_pairs_than_can_be_drawn_are_reported() -> None:
    many = [dataset(f"d{number}") for number in range(1000)]
    status, kept = taken(body(event(inputs=many, outputs=many)))
    assert (status, drawn(kept), MOST_PAIRS < 1000 * 1000) == (202, [], True)


def test_workarounds_for_agents_do_not_search_among_thousands() -> None:
    found = [(f"warehouse/s{number}", "x") for number in range(4_000)]
    whole = event(outputs=[dataset("t", ["a"], {"a": found})])
    whole["producer"] = "https://github.com/OpenLineage/OpenLineage/tree/1.22.0/integration/spark"
    (process,) = survives(body(whole))
    assert len(process["process"]["inputs"]) == 4_000


def chain(kind: str, depth: int, below: Nodes, **params: object) -> Nodes:
    return [*({**node(kind, child=0, **params)[0], "num-children": 1} for _ in range(depth)), *below]


def stars(depth: int) -> Nodes:
    """Each SELECT doubles the columns below it."""
    return insert_statement(chain("Project", depth, relation("s"), projectList=[star(), star()]))


def shared(depth: int) -> Nodes:
    """Each query of WITH joins the one before it with itself."""
    names = [f"q{number}" for number in range(depth)]
    queries = {names[0]: project(relation("s"), star())}
    for before, name in pairwise(names):
        both = operator("Join", relation(before, "l"), relation(before, "r"), left=0, right=1)
        queries[name] = project(both, star())
    listed = [{"_1": name, "_2": aliased(query, name)} for name, query in queries.items()]
    return insert_statement(operator("With", project(relation(names[-1]), star()), cteRelations=listed))


def all_of_all(columns: int) -> Nodes:
    """Each of many columns is computed from one that is computed from all columns of the source."""
    names = COLUMNS[:columns]
    whole = function("Coalesce", *(attribute(name, number) for number, name in enumerate(names)))
    below = project(read({name: number for number, name in enumerate(names)}), named_as(whole, "z", columns))
    twice = function("Add", attribute("z", columns), attribute("z", columns))
    return insert(
        project(below, *(named_as(twice, name, columns + n + 1) for n, name in enumerate(names))),
        f"[{', '.join(names)}]",
    )


def filters(columns: int) -> Nodes:
    """Each filter adds a column that decides."""
    plan: Nodes = []
    for number in range(columns):
        condition = function("EqualTo", attribute(f"c{number}", number), attribute("c0", 0))
        plan += [{**operator("Filter", condition=condition, child=0)[0], "num-children": 1}]
    return insert([*plan, *read({f"c{number}": number for number in range(columns)})], "[a]")


TOO_MUCH: dict[str, Callable[[], bytes]] = {
    "stars": lambda: with_plan(stars(60)),
    "queries of WITH": lambda: with_plan(shared(18)),
    "all of all": lambda: with_plan(all_of_all(3_000), columns=tuple(COLUMNS[:3_000])),
    "filters": lambda: with_plan(filters(12_000)),
    "tables": lambda: with_plan(
        insert(operator("Union", *(read({"x": n}) for n in range(3_000))), "[a]"), inputs=3_000
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_plan_that_says_too_much_is_skipped_with_a_note(case: str) -> None:
    (process,) = survives(TOO_MUCH[case]())
    assert "plan-too-large" in {note["code"] for note in process["notes"]}


X = attribute("x", 1)
ODD_PLANS: list[Callable[[], Nodes]] = [
    lambda: insert(chain("Filter", 30_000, read({"x": 1}), condition=X), "[a]"),
    lambda: insert(chain("Unheard", 30_000, read({"x": 1})), "[a]"),
    lambda: insert(project(read({"x": 1}), named_as(chain("Upper", 30_000, X), "a", 2)), "[a]"),
    lambda: insert(project(read({"x": 1}), named_as(chain("GetStructField", 30_000, X, ordinal=0), "a", 2)), "[a]"),
    lambda: insert(operator("Filter", read({"x": 1}), condition=chain("Not", 30_000, X)), "[a]"),
    lambda: insert(project(read({"x": 1}), named_as(attribute("x", 2), "a", 2)), "[a]"),
    lambda: insert(
        project(project(read({"x": 1}), named_as(attribute("a", 2), "b", 3)), named_as(attribute("b", 3), "a", 2)),
        "[a]",
    ),
    lambda: insert(operator("CTERelationRef", cteId=0), "[a]"),
    lambda: insert(operator("WithCTE", operator("CTERelationDef", operator("CTERelationRef", cteId=0), id=0)), "[a]"),
    lambda: insert(operator("Union", *(read({"x": number}) for number in range(3_000))), "[a]"),
    lambda: insert_statement(chain("Project", 5_000, relation("s"), projectList=[star()])),
    lambda: [{"class": "a.InsertIntoHadoopFsRelationCommand", "num-children": count} for count in (10**18, 2, 1)],
    lambda: [{"class": "a.B", "num-children": -1}],
    lambda: [{"class": "a.B", "num-children": True}, {"class": "a.C"}],
    lambda: [{"class": "$" * 50_000}, {"class": "." * 50_000}, {"class": "a$" * 50_000}],
    lambda: [{"class": {}, "num-children": {}}],
    lambda: [{}],
]


@pytest.mark.parametrize("plan", ODD_PLANS, ids=range(len(ODD_PLANS)))
def test_a_cyclic_broken_or_deep_plan_costs_at_most_columns(plan: Callable[[], Nodes]) -> None:
    (process,) = survives(with_plan(plan()))
    assert [item["qualifiedName"].rsplit("/")[-2] for item in process["process"]["inputs"]] == ["s"]


def test_nested_subqueries() -> None:
    plan = read({"x": 1})
    for number in range(100):
        query = node("sql.catalyst.expressions.ScalarSubquery", plan=plan, exprId={"id": number + 10})
        plan = project(read({"x": 1}), named_as(query, "x", 1))
    assert len(survives(with_plan(insert(plan, "[a]")))) == 1


def test_the_limits_of_plans_are_far_above_what_is_recorded() -> None:
    assert budget.MOST_EDGES > 100 * 400
    assert budget.MOST_STEPS > budget.MOST_EDGES


def test_a_bomb_takes_no_more_memory_than_its_limit() -> None:
    limit = 4_000_000
    bomb = gzip.compress(bytes(200_000_000), 1)
    tracemalloc.start()
    with pytest.raises(BadRequest, match="MAX_EXPANDED_BYTES"):
        expand(ENCODED, bomb, Limits(32_000_000, limit))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * limit


GZIPS = [
    (gzip.compress(gzip.compress(a_write())), "gzip", 400),
    (gzip.compress(gzip.compress(a_write())), "gzip, gzip", 415),
    (gzip.compress(a_write()) * 2, "gzip", 400),
    (gzip.compress(a_write()) + gzip.compress(b" "), "gzip", 202),
    (gzip.compress(b""), "gzip", 400),
    (gzip.compress(b"") * 1_000_000, "gzip", 400),
    (gzip.compress(a_write()), "", 400),
    (gzip.compress(a_write()), "identity", 400),
    (a_write(), "gzip", 400),
    (a_write(), "gzip;q=1", 415),
    (a_write(), "identity, identity", 202),
    (a_write(), "\u00e9" * 9000, 415),
]


@pytest.mark.parametrize(("content", "encoding", "status"), GZIPS, ids=range(len(GZIPS)))
def test_compression_is_undone_once(content: bytes, encoding: str, status: int) -> None:
    assert taken(content, {"Content-Encoding": encoding})[0] == status


HEADERS = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Length": "-1"},
    {"Content-Length": "x"},
    {"Transfer-Encoding": "chunked, chunked"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"": "", "\r\n": "\r\n"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
def test_other_headers_change_nothing(headers: dict[str, str]) -> None:
    assert taken(a_write(), headers) == taken(a_write())
