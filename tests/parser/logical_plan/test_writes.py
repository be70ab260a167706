"""Which commands of a plan write, the names of their table and columns, and which columns a MERGE leaves unchanged."""

from typing import Any

import pytest

from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.sources import is_managed, table_name
from parser.logical_plan.tree import Node, tree
from parser.logical_plan.value import CONSTANT
from parser.logical_plan.writes import Write, commands, write_of
from tests.support.plans import (
    Nodes,
    alias,
    attribute,
    function,
    insert,
    literal,
    node,
    operator,
    project,
    read,
)

SOURCE = read({"a": 1, "b": 2})
WRITE = insert(SOURCE, "[x, y]")


def plan(nodes: Nodes) -> Node:
    made = tree(nodes)
    assert made
    return made


def found(nodes: Nodes) -> int:
    return len(commands(plan(nodes)))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (WRITE, 1),
        (operator("Union", WRITE, WRITE, WRITE), 3),
        (operator("CommandResult", WRITE), 1),
        (operator("CommandResult", operator("Union", WRITE, WRITE)), 2),
        (operator("Join", WRITE, WRITE), 0),
        (SOURCE, 0),
        (project(SOURCE, attribute("a", 1)), 0),
    ],
    ids=["a command", "a union of them", "below one operator", "both", "below a join", "a leaf", "a query"],
)
def test_commands_are_found_at_the_root_and_below_what_only_passes_them_on(nodes: Nodes, expected: int) -> None:
    assert found(nodes) == expected


def written(nodes: Nodes) -> Write:
    (command,) = commands(plan(nodes))
    write = write_of(command, new_walk())
    assert write
    return write


def sources(write: Write) -> list[set[str]]:
    return [{column for _, column in value.sources} for value in write.columns]


def test_an_insert_writes_the_columns_of_its_query_under_the_names_that_it_lists() -> None:
    write = written(WRITE)
    assert (write.names, sources(write)) == (("x", "y"), [{"a"}, {"b"}])
    assert (write.by_name, write.target, write.table, write.managed) == (False, None, "", False)


def test_without_a_query_nothing_is_written() -> None:
    assert write_of(plan(node("sql.execution.datasources.InsertIntoHadoopFsRelationCommand")), new_walk()) is None


@pytest.mark.parametrize("names", ["[x, ... 27 more fields]", "x, y", [], None], ids=["cut", "bare", "list", "none"])
def test_names_that_are_cut_or_no_list_are_replaced_by_those_of_the_query(names: Any) -> None:
    command = node(
        "sql.execution.datasources.InsertIntoHadoopFsRelationCommand", SOURCE, query=0, outputColumnNames=names
    )
    assert written(command).names == ("a", "b")


THREE = read({"a": 1, "b": 2, "c": 3})
# Drops b or c or both: the plan does not show which.
OPEN = operator(
    "Generate", THREE, generator=function("Explode", function("ArraysZip", attribute("b", 2), attribute("c", 3))),
    unrequiredChildIndex=None, generatorOutput=[attribute("made", 5)],
)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "sink", "expected"),
    [
        ("[a, b, made]", (), {"a": {"a"}, "b": {"b"}, "made": {"b", "c"}}),
        ("[a, c, made]", (), {"a": {"a"}, "c": {"c"}, "made": {"b", "c"}}),
        ("[A, C, Made]", (), {"A": {"a"}, "C": {"c"}, "Made": {"b", "c"}}),
        ("[made, a, b]", (), {"a": {"a"}, "b": {"b"}, "made": {"b", "c"}}),
        ("[x, y]", (), {"x": {"a"}, "y": {"b", "c"}}),
        ("[x, ... 27 more fields]", ("a", "b", "made"), {"a": {"a"}, "b": {"b"}, "made": {"b", "c"}}),
        ("[x, ... 27 more fields]", ("x", "y"), {"a": {"a"}, "made": {"b", "c"}}),
        # None of them is certain to have the names.
        ("[x, y, z]", (), {"a": {"a"}, "made": {"b", "c"}}),
        ("[a, b, B]", (), {"a": {"a"}, "made": {"b", "c"}}),
        ("[a, b, c]", (), {"a": {"a"}, "made": {"b", "c"}}),
        ("[x, ... 27 more fields]", (), {"a": {"a"}, "made": {"b", "c"}}),
    ],
)
def test_the_names_of_the_sink_show_which_columns_a_generate_drops(
    names: str, sink: tuple[str, ...], expected: dict[str, set[str]]
) -> None:
    write = write_of(plan(insert(OPEN, names)), new_walk(), sink)
    assert write
    assert dict(zip(write.names, sources(write), strict=True)) == expected


def test_a_comma_in_a_name_moves_no_column() -> None:
    """Spark writes the names as one text, so ``[b, x, y]`` may be two columns."""
    query = operator(
        "Generate", SOURCE, generator=function("Explode", attribute("a", 1)), unrequiredChildIndex=None,
        generatorOutput=[attribute("x, y", 5)],
    )  # fmt: skip
    write = written(insert(query, "[b, x, y]"))
    assert (write.names, sources(write)) == (("b", "x, y"), [{"b"}, {"a"}])


@pytest.mark.parametrize("names", ["[z]", "[b]", "[a, z, b]"])
def test_names_of_more_or_fewer_columns_than_the_query_has_are_not_used(names: str) -> None:
    write = written(insert(SOURCE, names))
    assert (write.names, sources(write)) == (("a", "b"), [{"a"}, {"b"}])


@pytest.mark.parametrize("parameter", ["isByName", "byName"])
def test_a_command_says_whether_its_columns_are_matched_by_name(parameter: str) -> None:
    command = operator("AppendData", SOURCE, query=0, **{parameter: True})
    assert written(command).by_name
    assert not written(operator("AppendData", SOURCE, query=0, **{parameter: False})).by_name


def test_a_statement_as_parsed_without_a_list_has_no_names() -> None:
    assert written(operator("InsertIntoStatement", SOURCE, query=0)).names == ()
    assert written(operator("InsertIntoStatement", SOURCE, query=0, byName=True)).names == ("a", "b")
    assert written(operator("InsertIntoStatement", SOURCE, query=0, userSpecifiedCols="[x, y]")).names == ("x", "y")


def catalogue(kind: str, database: str | None = "db") -> dict[str, Any]:
    identifier = {"table": "t", **({"database": database} if database else {})}
    return {"identifier": identifier, "tableType": {"name": kind}}


@pytest.mark.parametrize("parameter", ["catalogTable", "tableMeta", "table"])
def test_the_table_of_a_command_stands_in_one_of_three_parameters(parameter: str) -> None:
    def command(kind: str, database: str | None) -> Node:
        return plan(operator("InsertIntoHiveTable", SOURCE, query=0, **{parameter: catalogue(kind, database)}))

    assert table_name(command("MANAGED", "db")) == "db.t"
    assert table_name(command("MANAGED", None)) == "t"
    assert [is_managed(command(kind, "db")) for kind in ("MANAGED", "EXTERNAL")] == [True, False]


def test_a_name_without_a_catalogue_table_is_used_unchanged() -> None:
    assert table_name(plan(operator("AppendData", SOURCE, query=0, identifier="db.t"))) == "db.t"
    assert table_name(plan(operator("AppendData", SOURCE, query=0, catalogTable={"identifier": "db.t"}))) == ""
    assert not is_managed(plan(operator("AppendData", SOURCE, query=0)))


OTHER = read({"k": 21, "v": 22})
BOTH = operator("Join", OTHER, SOURCE)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (operator("ReplaceData", BOTH, query=0, originalTable=SOURCE), 1),
        (operator("WriteDelta", BOTH, query=0, table=OTHER), 0),
        (operator("ReplaceIcebergData", BOTH, query=0, originalTable=OTHER, table=SOURCE), 0),
        (operator("WriteIcebergDelta", BOTH, query=0, table=read({"a": 1, "v": 22})), None),
        (operator("WriteDelta", BOTH, query=0, table=read({"a": 31, "b": 2})), 1),
        (operator("WriteDelta", BOTH, query=0, table=read({"a": 31, "b": 32})), None),
        (operator("WriteDelta", BOTH, query=0), None),
        (operator("AppendData", BOTH, query=0, table=SOURCE), None),
    ],
    ids=["original", "table", "original first", "of two leaves", "partly", "not read", "no table", "no such command"],
)
def test_a_row_level_command_reads_the_table_that_it_writes(command: Nodes, expected: int | None) -> None:
    assert written(command).target == expected


@pytest.mark.parametrize(
    ("query", "expected"), [(0, [{"a"}, {"b"}]), (1, [{"k"}, {"v"}]), (None, [{"k"}, {"v"}])], ids=repr
)
def test_the_query_of_a_command_is_the_one_that_it_names_or_else_its_last_child(
    query: int | None, expected: list[set[str]]
) -> None:
    command = plan(node("sql.catalyst.plans.logical.AppendData", SOURCE, OTHER, query=query))
    write = write_of(command, new_walk())
    assert write
    assert sources(write) == expected


TARGET = read({"id": 11, "n": 12})
INCOMING = read({"id": 21, "n": 22})


def merge(*actions: Nodes, condition: Nodes | None = None, **clauses: Any) -> Write:
    """A MERGE of one WHEN MATCHED clause with these actions."""
    clause = node("sql.catalyst.plans.logical.UpdateAction", condition=condition, assignments=list(actions))
    matched = function("EqualTo", attribute("id", 11), attribute("id", 21))
    given = {"matchedActions": [clause], **clauses}
    nodes = node(
        "sql.catalyst.plans.logical.MergeIntoTable", TARGET, INCOMING,
        targetTable=0, sourceTable=1, mergeCondition=matched, **given,
    )  # fmt: skip
    return written(nodes)


def assignment(name: str, number: int, value: Nodes) -> Nodes:
    return node("sql.catalyst.plans.logical.Assignment", key=attribute(name, number), value=value)


def named(write: Write) -> dict[str, set[tuple[int, str]]]:
    return {name: set(value.sources) for name, value in write.named.items()}


def test_a_merge_gives_the_values_of_its_assignments_and_its_target_is_a_leaf() -> None:
    write = merge(assignment("n", 12, attribute("n", 22)))
    assert named(write) == {"n": {(1, "n")}}
    assert write.target == 0
    assert {(column, kind) for column, kind in write.uses if kind == "JOIN"} == {
        ((0, "id"), "JOIN"),
        ((1, "id"), "JOIN"),
    }


def test_a_value_that_a_merge_keeps_in_its_own_column_is_no_edge() -> None:
    assert named(merge(assignment("n", 12, attribute("n", 12)))) == {}
    assert named(merge(assignment("n", 12, attribute("id", 11)))) == {"n": {(0, "id")}}


def typed(name: str, number: int, data_type: object) -> Nodes:
    (column,) = attribute(name, number)
    return [{**column, "dataType": data_type}]


STRUCT = {"type": "struct", "fields": []}


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("[n]", {"id": "string", "n": "string"}, {"n": {"n"}}),
        ("[N]", {"id": "string", "n": "string"}, {"N": {"n"}}),
        ("[new]", {"id": "string"}, {"new": {"n"}}),
        ("[n]", {}, {"n": {"n"}}),
        # The column ``last, first``, not a field of ``last``, which has none.
        ("[last, first]", {"id": "string", "last": "string", "last, first": "string"}, {"last, first": {"n"}}),
        ("[last, first]", {"last, first": "string"}, {"last, first": {"n"}}),
        ("[last, first]", {"id": "string", "last": "string"}, {"last, first": {"n"}}),
        ("[name, last]", {"id": "string", "name": STRUCT}, {"name": {"n"}}),
        ("[Name, last, first]", {"name": STRUCT, "last": "string"}, {"Name": {"n"}}),
        ("[a, b, c]", {"a, b": STRUCT}, {"a, b": {"n"}}),
        # Either the field or the column.
        ("[last, first]", {"last": STRUCT, "last, first": "string"}, {"last": None, "last, first": None}),
        ("[a, b, c]", {"a": STRUCT, "a, b": STRUCT}, {"a": None, "a, b": None}),
        ("[last, first]", {}, {}),
    ],
)
def test_a_name_with_a_comma_is_no_field_of_another_column(
    text: str, columns: dict[str, object], expected: dict[str, set[str] | None]
) -> None:
    output = [typed(name, 11 + at, kind) for at, (name, kind) in enumerate(columns.items())]
    target = node("sql.execution.datasources.LogicalRelation", output=output)
    action = node("sql.catalyst.plans.logical.DeltaMergeAction", targetColNameParts=text, expr=attribute("n", 22))
    clause = node("sql.catalyst.plans.logical.DeltaMergeIntoMatchedUpdateClause", condition=None, actions=[action])
    command = node("sql.delta.commands.MergeIntoCommand", source=INCOMING, target=target, matchedClauses=[clause])
    found = written(command).named
    assert {name: {c for _, c in value.sources} if value.known else None for name, value in found.items()} == expected


def test_several_clauses_of_a_merge_give_one_column_all_their_values() -> None:
    other = node("sql.catalyst.plans.logical.InsertAction", assignments=[assignment("n", 12, attribute("id", 21))])
    write = merge(assignment("n", 12, attribute("n", 22)), notMatchedActions=[other])
    assert named(write) == {"n": {(1, "n"), (1, "id")}}


def test_the_condition_of_a_clause_decides_about_its_assignments() -> None:
    condition = function("EqualTo", attribute("id", 21), literal("7"))
    write = merge(assignment("n", 12, attribute("n", 22)), condition=condition)
    assert write.named["n"].uses == {((1, "id"), "CONDITIONAL")}


def test_a_merge_without_one_of_its_sides_gives_no_columns() -> None:
    command = plan(node("sql.catalyst.plans.logical.MergeIntoTable", TARGET, targetTable=0))
    assert write_of(command, new_walk()) == Write()


def test_a_column_of_literals_is_constant() -> None:
    (value, *_) = written(insert(project(SOURCE, alias(literal("1"), "x", 31), attribute("b", 2)), "[x, y]")).columns
    assert (value.sources, value.literal) == (CONSTANT.sources, True)


def test_the_expression_of_a_column_is_known_if_all_clauses_of_a_merge_have_the_same() -> None:
    def of(second: Nodes) -> bool:
        other = node("sql.catalyst.plans.logical.InsertAction", assignments=[assignment("n", 12, second)])
        write = merge(assignment("n", 12, function("Upper", attribute("n", 22))), notMatchedActions=[other])
        return write.named["n"].definition is not None

    assert of(function("Upper", attribute("n", 22)))
    assert not of(function("Lower", attribute("n", 22)))


def test_a_merge_with_a_side_that_is_not_known_knows_none_of_its_values() -> None:
    def known(target: Nodes, source: Nodes) -> bool:
        clause = node("sql.catalyst.plans.logical.UpdateAction", assignments=[assignment("n", 12, attribute("n", 22))])
        command = node("sql.catalyst.plans.logical.MergeIntoTable", target, source, targetTable=0, sourceTable=1,
                       matchedActions=[clause])  # fmt: skip
        return written(command).named["n"].known

    def narrowed(side: Nodes) -> Nodes:
        """A union whose sides do not fit together."""
        return operator("Union", side, project(read({"z": 98}), attribute("z", 98)))

    assert known(TARGET, INCOMING)
    assert not known(narrowed(TARGET), INCOMING)
    assert not known(TARGET, narrowed(INCOMING))
