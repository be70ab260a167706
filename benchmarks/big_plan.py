"""How long the parser takes for one very large event, compared with decoding its bytes: ``make bench``.

The event is made up: a union of three projections of 500 columns, each computed by CASE over two others, as the
logical plan facet contains it; about 23 MB, the largest that users have reported.
"""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec

from core.events import read_event
from parser.lineage import LineageRules, derive
from parser.merge import merge

LAKE = "abfss://data@contosolake.dfs.core.windows.net"
COLUMNS = 500
BRANCHES = 3
DEPTH = 12


def main() -> None:
    """Print size, times and memory."""
    body = json.dumps(big_event()).encode()
    decode = _seconds(lambda: msgspec.json.decode(body))
    parse = _seconds(lambda: derive(merge([read_event(body)]), LineageRules()))
    tracemalloc.start()
    (lineage,) = derive(merge([read_event(body)]), LineageRules()).lineages
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    edges = sum(len(column.sources) for column in lineage.columns)
    print(f"event: {len(body) / 1e6:.1f} MB, {len(lineage.columns)} columns, {edges} edges")
    print(f"msgspec.json.decode: {decode:.2f} s; parsed to lineage: {parse:.2f} s ({parse / decode:.1f} times)")
    print(f"peak memory: {peak / 1e6:.0f} MB ({peak / len(body):.1f} times the event)")


def big_event() -> dict[str, Any]:
    """The event as JSON."""
    names = [f"column_{number:03}" for number in range(COLUMNS)]
    plan: list[dict[str, Any]] = [_node("execution.datasources.InsertIntoHadoopFsRelationCommand", 1, query=0)]
    plan.append(_node("catalyst.plans.logical.Union", BRANCHES, children=list(range(BRANCHES))))
    for branch in range(BRANCHES):
        plan.extend(_branch(names, branch * 100_000))
    schema = {"fields": [{"name": name, "type": "string"} for name in names]}
    inputs = [
        {"namespace": LAKE, "name": f"raw/part{n}", "facets": {"schema": {"fields": [*schema["fields"], _marker(n)]}}}
        for n in range(BRANCHES)
    ]
    return {
        "eventType": "COMPLETE",
        "eventTime": "2024-05-01T12:00:00Z",
        "run": {"runId": "01a204f9-ced0-75cb-96b6-56e74817518a", "facets": {"spark.logicalPlan": {"plan": plan}}},
        "job": {"namespace": "bench", "name": "big.execute_insert_into_hadoop_fs_relation_command.out"},
        "inputs": inputs,
        "outputs": [{"namespace": LAKE, "name": "out", "facets": {"schema": schema}}],
    }


def _branch(names: list[str], first: int) -> list[dict[str, Any]]:
    """Projections over each other, down to a relation."""
    nodes = []
    for level in range(DEPTH, 0, -1):
        at, below = first + level * 1000, first + (level - 1) * 1000
        listed = [_computed(names, number, at, below) for number in range(COLUMNS)]
        nodes.append(_node("catalyst.plans.logical.Project", 1, projectList=listed, child=0))
    marker = first // 100_000
    output = [[_attribute(name, first + number)] for number, name in enumerate(names)]
    output.append([_attribute(_marker(marker)["name"], first + COLUMNS)])
    nodes.append(_node("execution.datasources.LogicalRelation", 0, output=output, relation=None))
    return nodes


def _computed(names: list[str], number: int, at: int, below: int) -> list[dict[str, Any]]:
    """``CASE WHEN next IS NULL THEN own ELSE 'x' END AS own``, a list of nodes in pre-order."""
    own = _attribute(names[number], below + number)
    other = _attribute(names[(number + 1) % COLUMNS], below + (number + 1) % COLUMNS)
    literal = _node("catalyst.expressions.Literal", 0, value="x", dataType="string")
    case = _node("catalyst.expressions.CaseWhen", 3, branches=[{"_1": 0, "_2": 1}], elseValue=2)
    alias = _node("catalyst.expressions.Alias", 1, child=0, name=names[number], exprId=_id(at + number))
    return [alias, case, _node("catalyst.expressions.IsNull", 1, child=0), other, own, literal]


def _attribute(name: str, number: int) -> dict[str, Any]:
    more = {"dataType": "string", "nullable": True, "metadata": {}, "exprId": _id(number), "qualifier": []}
    return _node("catalyst.expressions.AttributeReference", 0, name=name, **more)


def _id(number: int) -> dict[str, Any]:
    jvm = "26de343b-68c9-4851-9cf9-5fb8ad103105"
    return {"product-class": "org.apache.spark.sql.catalyst.expressions.ExprId", "id": number, "jvmId": jvm}


def _node(kind: str, count: int, /, **params: Any) -> dict[str, Any]:
    return {"class": f"org.apache.spark.sql.{kind}", "num-children": count, **params}


def _marker(number: int) -> dict[str, str]:
    return {"name": f"only_in_{number}", "type": "string"}


def _seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


if __name__ == "__main__":
    main()
