"""Every class of operator that a table lists: a small plan with it, and the edges that are drawn."""

from collections.abc import Mapping
from typing import Any

import pytest

from parser.logical_plan.operator_rules import LEAVES, OPAQUE, PASS_THROUGH, RULES, WITHOUT_DATASET, new_walk
from parser.logical_plan.tree import tree
from parser.logical_plan.value import CONSTANT, Relation
from parser.logical_plan.writes import INSERTS, MERGES, ROW_LEVEL
from tests.support.events import dataset
from tests.support.plans import (
    Nodes,
    alias,
    attribute,
    drawn,
    function,
    insert,
    literal,
    node,
    operator,
    project,
    read,
)

A, B, K, V = attribute("a", 1), attribute("b", 2), attribute("k", 21), attribute("v", 22)
ONE = read({"a": 1, "b": 2})
OTHER = read({"k": 21, "v": 22})
INPUTS = [dataset("one", ["a", "b"]), dataset("other", ["k", "v"])]
# The facet differs from the plans below, so that the test shows which of the two is drawn.
FACET = {"x": [("other", "v")], "y": [("other", "v")]}

Edges = dict[str, list[str]]


def edges(query: Nodes, facet: Mapping[str, list[tuple[str, str]]] | None = None) -> Edges:
    """The lineage of a query with two columns that is written as ``x`` and ``y``."""
    return drawn(insert(query, "[x, y]"), INPUTS, "[x, y]", facet)


def relation_of(query: Nodes) -> Relation:
    """The result of the rules for a query."""
    plan = tree(query)
    assert plan
    return new_walk().relation(plan)


def upper(number: int, column: str, made: int) -> Nodes:
    return alias(function("Upper", attribute(column, number)), "made", made)


@pytest.mark.parametrize("kind", [*sorted(PASS_THROUGH), "WholeStageCodegenExec", "ShuffleExchangeExec"])
def test_operators_that_pass_their_input_on_change_no_column(kind: str) -> None:
    assert edges(operator(kind, ONE), FACET) == {"x": ["one.a"], "y": ["one.b"]}


@pytest.mark.parametrize("kind", [*sorted(LEAVES), "FileSourceScanExec", "BatchScanExec"])
def test_the_columns_of_a_dataset_are_their_own_sources(kind: str) -> None:
    assert edges(node(f"sql.execution.{kind}", output=[A, B]), FACET) == {"x": ["one.a"], "y": ["one.b"]}


@pytest.mark.parametrize("kind", sorted(WITHOUT_DATASET - {"UnresolvedInlineTable"}))
def test_rows_without_a_dataset_have_no_sources(kind: str) -> None:
    assert edges(node(f"sql.catalyst.plans.logical.{kind}", output=[A, B]), FACET) == {"x": [], "y": []}


@pytest.mark.parametrize("kind", sorted(OPAQUE))
def test_only_the_facet_gives_the_sources_of_what_a_program_does_with_rows(kind: str) -> None:
    rows = operator(kind, ONE, output=[attribute("a", 31), attribute("b", 32)])
    assert edges(rows) == {"x": [], "y": []}
    assert edges(rows, FACET) == {"x": ["other.v"], "y": ["other.v"]}


@pytest.mark.parametrize("parameter", ["output", "serializer", "outputObjAttr"])
def test_what_a_program_makes_of_rows_has_the_columns_that_it_lists(parameter: str) -> None:
    listed = [attribute("x", 31), attribute("y", 32), attribute("z", 33)]
    rows = relation_of(operator("MapPartitions", ONE, **{parameter: listed}))
    assert ([column.name for column in rows.output], rows.known) == (["x", "y", "z"], False)


def test_what_a_program_makes_of_rows_has_those_of_its_input_if_it_lists_none() -> None:
    assert [column.name for column in relation_of(operator("MapPartitions", ONE)).output] == ["a", "b"]


def joined(kind: str, join_type: str = "Inner") -> Nodes:
    product = {"object": f"org.apache.spark.sql.catalyst.plans.{join_type}$"}
    return operator(kind, ONE, OTHER, joinType=product, condition=function("EqualTo", A, K))


def chosen(kind: str) -> Nodes:
    """A join, and one column of each side."""
    return project(joined(kind), B, V)


def aggregated(kind: str) -> Nodes:
    """A physical aggregate in two steps: the final one refers to the output of the partial one."""
    maximum = node(
        "sql.catalyst.expressions.aggregate.AggregateExpression", function("Max", B), resultId={"id": 40}, filter=None
    )
    more = {"groupingExpressions": [A], "aggregateExpressions": [maximum], "aggregateAttributes": [attribute("m", 40)]}
    partial = operator(kind, ONE, **more, resultExpressions=[A, attribute("buffer", 39)])
    return operator(kind, partial, **more, resultExpressions=[A, alias(attribute("m", 40), "most", 41)])


def cached(kind: str, plan: Nodes, *output: Nodes) -> Nodes:
    return node(f"sql.execution.columnar.{kind}", output=list(output), cacheBuilder={"cachedPlan": plan})


def with_udf(kind: str, results: str) -> Nodes:
    called = node("sql.catalyst.expressions.PythonUDF", B, name="f")
    made = operator(kind, ONE, udfs=[called], **{results: [attribute("made", 50)]})
    return project(made, A, attribute("made", 50))


def table_function(kind: str) -> Nodes:
    called = node("sql.catalyst.expressions.PythonUDTF", B, name="f")
    return operator(kind, ONE, udtf=called, resultAttrs=[attribute("made", 50)], requiredChildOutput=[A])


def windowed(kind: str, parameter: str) -> Nodes:
    rank = node("sql.catalyst.expressions.WindowExpression", function("Max", B), function("WindowSpecDefinition", A))
    return project(operator(kind, ONE, **{parameter: [alias(rank, "w", 50)]}), A, attribute("w", 50))


def recursive() -> Nodes:
    """The loop adds up ``a``, and hands ``b`` on from its first query."""
    again = node("sql.catalyst.plans.logical.UnionLoopRef", loopId=1, output=[attribute("n", 51), attribute("m", 52)])
    step = project(again, alias(function("Add", attribute("n", 51), literal("1")), "n", 53), attribute("m", 52))
    return operator("UnionLoop", ONE, step, id=1, outputAttrIds=[{"id": 54}, {"id": 55}])


def shared() -> Nodes:
    """A common table expression that is used twice: each reference has its own ids."""
    definition = operator("CTERelationDef", project(ONE, A, upper(2, "b", 60)), id=7)

    def reference(first: int) -> Nodes:
        output = [attribute("a", first), attribute("made", first + 1)]
        return node("sql.catalyst.plans.logical.CTERelationRef", cteId=7, output=output)

    both = operator("Join", reference(61), reference(63), joinType={"object": "plans.Inner$"}, condition=None)
    return operator("WithCTE", definition, project(both, attribute("made", 64), attribute("a", 61)))


def lateral() -> Nodes:
    """The right side refers to a column of the left one."""
    query = project(
        OTHER, alias(function("Concat", V, node("sql.catalyst.expressions.OuterReference", e=B)), "made", 70)
    )
    right = node("sql.catalyst.expressions.LateralSubquery", B, plan=query)
    made = operator("LateralJoin", ONE, right=right, joinType={"object": "plans.Inner$"}, condition=None)
    return project(made, A, attribute("made", 70))


def merged_rows() -> Nodes:
    keep = node("sql.catalyst.plans.logical.MergeRows$Keep", condition=function("IsNull", A), output=[K, V])
    return operator(
        "MergeRows",
        joined("Join"),
        output=[attribute("x", 80), attribute("y", 81)],
        matchedInstructions=[keep],
        notMatchedInstructions=[],
        notMatchedBySourceInstructions=[],
    )


EXPANDED = operator(
    "Expand",
    ONE,
    projections=[[A, literal(None)], [literal(None), B]],
    output=[attribute("a", 90), attribute("b", 91)],
)
GENERATED = operator(
    "Generate",
    ONE,
    generator=function("Explode", B),
    generatorOutput=[attribute("item", 50)],
)
ADAPTIVE = node("sql.execution.adaptive.AdaptiveSparkPlanExec", inputPlan=ONE)

AS_READ = {"x": ["one.a"], "y": ["one.b"]}
BOTH_SIDES = {"x": ["one.b"], "y": ["other.v"]}

PLANS: dict[str, tuple[Nodes, Edges]] = {
    "Project": (project(ONE, B, upper(1, "a", 5)), {"x": ["one.b"], "y": ["one.a"]}),
    "Aggregate": (
        operator("Aggregate", ONE, groupingExpressions=[A], aggregateExpressions=[A, upper(2, "b", 5)]),
        AS_READ,
    ),
    "HashAggregate": (aggregated("HashAggregate"), AS_READ),
    "SortAggregate": (aggregated("SortAggregateExec"), AS_READ),
    "ObjectHashAggregate": (aggregated("ObjectHashAggregate"), AS_READ),
    "TakeOrderedAndProject": (
        operator("TakeOrderedAndProjectExec", ONE, sortOrder=[A], projectList=[B, A]),
        {"x": ["one.b"], "y": ["one.a"]},
    ),
    "Window": (windowed("Window", "windowExpressions"), AS_READ),
    "WindowInPandas": (windowed("WindowInPandasExec", "windowExpression"), AS_READ),
    "Generate": (project(GENERATED, A, attribute("item", 50)), AS_READ),
    "Expand": (EXPANDED, AS_READ),
    "BatchEvalPython": (with_udf("BatchEvalPython", "resultAttrs"), AS_READ),
    "ArrowEvalPython": (with_udf("ArrowEvalPythonExec", "resultAttrs"), AS_READ),
    "AggregateInPandas": (with_udf("AggregateInPandas", "output"), AS_READ),
    "BatchEvalPythonUDTF": (table_function("BatchEvalPythonUDTF"), AS_READ),
    "ArrowEvalPythonUDTF": (table_function("ArrowEvalPythonUDTF"), AS_READ),
    "MergeRows": (merged_rows(), {"x": ["other.k"], "y": ["other.v"]}),
    "UnionLoop": (recursive(), AS_READ),
    "UnionLoopRef": (recursive(), AS_READ),
    "Filter": (operator("Filter", ONE, condition=function("IsNotNull", A)), AS_READ),
    "Sort": (operator("Sort", ONE, order=[B]), AS_READ),
    "Deduplicate": (operator("Deduplicate", ONE, keys=[B]), AS_READ),
    "DeduplicateWithinWatermark": (operator("DeduplicateWithinWatermark", ONE, keys=[B]), AS_READ),
    **{
        kind: (chosen(kind), BOTH_SIDES)
        for kind in (
            "Join", "AsOfJoin", "BroadcastHashJoin", "SortMergeJoin", "ShuffledHashJoin", "BroadcastNestedLoopJoin",
            "CartesianProduct",
        )
    },
    "LateralJoin": (lateral(), {"x": ["one.a"], "y": ["one.b", "other.v"]}),
    "Union": (operator("Union", ONE, OTHER), {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}),
    "WithCTE": (shared(), {"x": ["one.b"], "y": ["one.a"]}),
    "View": (operator("View", ONE, output=[attribute("c", 95), attribute("d", 96)]), AS_READ),
    "Intersect": (operator("Intersect", ONE, OTHER), AS_READ),
    "Except": (operator("Except", ONE, OTHER), AS_READ),
    "InMemoryRelation": (
        cached("InMemoryRelation", aggregated("HashAggregateExec"), attribute("c", 97), attribute("d", 98)),
        AS_READ,
    ),
    "InMemoryTableScan": (cached("InMemoryTableScanExec", ONE, B, A), {"x": ["one.b"], "y": ["one.a"]}),
    "AdaptiveSparkPlan": (ADAPTIVE, AS_READ),
    "CTERelationDef": (shared(), {"x": ["one.b"], "y": ["one.a"]}),
    "CTERelationRef": (shared(), {"x": ["one.b"], "y": ["one.a"]}),
    # Rows of a program: without a micro-batch around the run, only the facet gives their sources.
    "LogicalRDD": (
        operator("LogicalRDD", output=[attribute("a", 99), attribute("b", 100)]),
        {"x": ["other.v"], "y": ["other.v"]},
    ),
}  # fmt: skip


def test_every_rule_has_a_plan() -> None:
    assert RULES.keys() == PLANS.keys() | PASS_THROUGH | LEAVES | WITHOUT_DATASET | OPAQUE


@pytest.mark.parametrize("kind", PLANS)
def test_each_operator_makes_its_columns_of_its_input(kind: str) -> None:
    query, expected = PLANS[kind]
    assert edges(query, FACET) == expected


@pytest.mark.parametrize("join_type", ["LeftSemi", "LeftAnti"])
def test_a_join_that_only_asks_gives_the_columns_of_the_left_side(join_type: str) -> None:
    assert edges(joined("SortMergeJoin", join_type), FACET) == AS_READ


def uses(query: Nodes) -> set[tuple[str, str]]:
    """What determines the rows of a query: columns and kinds."""
    return {(column, kind) for (_, column), kind in relation_of(query).uses}


A_IS_SET, B_IS_ONE = function("IsNotNull", A), function("EqualTo", B, literal("1"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (operator("Filter", ONE, condition=B_IS_ONE), {("b", "FILTER")}),
        (operator("Filter", ONE, condition=A_IS_SET), {("a", "NOT_NULL")}),
        (operator("Filter", ONE, condition=function("And", A_IS_SET, B_IS_ONE)), {("a", "NOT_NULL"), ("b", "FILTER")}),
        (operator("Filter", ONE, condition=function("Or", A_IS_SET, B_IS_ONE)), {("a", "FILTER"), ("b", "FILTER")}),
        (operator("Filter", ONE), set()),
        (operator("Sort", ONE, order=[B]), {("b", "SORT")}),
        (operator("SortExec", ONE, sortOrder=[B]), {("b", "SORT")}),
        (operator("TakeOrderedAndProjectExec", ONE, sortOrder=[B], projectList=[A]), {("b", "SORT")}),
        (operator("Deduplicate", ONE, keys=[B]), {("b", "GROUP_BY")}),
        (operator("Aggregate", ONE, groupingExpressions=[A], aggregateExpressions=[B]), {("a", "GROUP_BY")}),
        (
            operator("HashAggregate", operator("Filter", ONE, condition=B_IS_ONE), groupingExpressions=[A],
                     resultExpressions=[A]),
            {("b", "FILTER"), ("a", "GROUP_BY")},
        ),
        (joined("Join"), {("a", "JOIN"), ("k", "JOIN")}),
        (
            operator("Join", operator("Sort", ONE, order=[B]), operator("Sort", OTHER, order=[K]), condition=None),
            {("b", "SORT"), ("k", "SORT")},
        ),
        (joined("Join", "LeftSemi"), {("a", "JOIN"), ("k", "JOIN")}),
        (operator("SortMergeJoinExec", ONE, OTHER, leftKeys=[B], rightKeys=[V]), {("b", "JOIN"), ("v", "JOIN")}),
        (
            operator("Union", operator("Sort", ONE, order=[B]), operator("Sort", OTHER, order=[K])),
            {("b", "SORT"), ("k", "SORT")},
        ),
        (operator("Sort", operator("Filter", ONE, condition=B_IS_ONE), order=[A]), {("b", "FILTER"), ("a", "SORT")}),
    ],
)  # fmt: skip
def test_what_decides_about_the_rows(query: Nodes, expected: set[tuple[str, str]]) -> None:
    assert uses(query) == expected


def existence(flag: Nodes | None) -> Nodes:
    kind = {"product-class": "org.apache.spark.sql.catalyst.plans.ExistenceJoin", "exists": flag}
    return operator("Join", ONE, OTHER, joinType=kind, condition=function("EqualTo", A, K))


def test_an_existence_join_adds_a_column_that_its_keys_decide_about() -> None:
    rows = relation_of(existence(attribute("exists", 30)))
    assert [column.name for column in rows.output] == ["a", "b", "exists"]
    assert rows.value(2).uses == rows.uses == {((0, "a"), "JOIN"), ((1, "k"), "JOIN")}
    assert [column.name for column in relation_of(existence(None)).output] == ["a", "b"]


def test_a_union_of_structs_keeps_their_fields_apart() -> None:
    def packed(first: Nodes, second: Nodes, made: int) -> Nodes:
        return alias(function("CreateNamedStruct", literal("p"), first, literal("q"), second), "s", made)

    struct = attribute("s", 51)
    fields = [node("sql.catalyst.expressions.GetStructField", struct, child=0, ordinal=at) for at in (0, 1)]
    union = operator("Union", project(ONE, packed(A, B, 51)), project(OTHER, packed(K, V, 52)))
    picked = project(union, *(alias(field, "f", 60 + at) for at, field in enumerate(fields)))
    assert edges(picked, FACET) == {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}


def test_a_union_is_known_only_if_all_its_sides_are_of_one_width() -> None:
    narrow, unknown = project(OTHER, K), operator("NewInSpark9", OTHER)
    assert relation_of(operator("Union", ONE, OTHER)).known
    assert not relation_of(operator("Union", ONE, narrow)).known
    assert not relation_of(operator("Union", narrow, ONE)).known
    assert not relation_of(operator("Union", ONE, operator("MapPartitions", OTHER, output=[K, V]))).known
    assert not relation_of(operator("Union", ONE, unknown)).known


@pytest.mark.parametrize("kind", ["Union", "Intersect", "WithCTE", "Sort"])
def test_an_operator_without_an_input_has_no_columns(kind: str) -> None:
    assert relation_of(operator(kind)) == Relation()


def test_the_columns_of_a_view_keep_their_ids_if_the_query_below_has_them() -> None:
    as_it_is = relation_of(operator("View", ONE, output=[attribute("x", 1), attribute("y", 2)]))
    other_width = relation_of(operator("View", ONE, output=[attribute("x", 95)]))
    assert [column.name for column in (*as_it_is.output, *other_width.output)] == ["a", "b", "a", "b"]


def test_conditions_of_a_row_level_command_determine_what_comes_from_rows() -> None:
    keep = node("sql.catalyst.plans.logical.MergeRows$Keep", condition=function("IsNull", B), output=[A, literal("1")])
    rows = relation_of(operator("MergeRows", ONE, output=[attribute("x", 80), attribute("y", 81)],
                                matchedInstructions=[keep]))  # fmt: skip
    assert [(set(rows.value(at).sources), set(rows.value(at).uses)) for at in (0, 1)] == [
        ({(0, "a")}, {((0, "b"), "CONDITIONAL")}),
        (set(), set()),
    ]


@pytest.mark.parametrize(
    ("generator", "width", "made"),
    [
        (function("Explode", B), 1, [{"b"}]),
        (function("PosExplode", B), 2, [{"b"}, {"b"}]),
        # stack(2, a, b, b, a): two rows of two columns.
        (function("Stack", literal(2), A, B, B, A), 2, [{"a", "b"}, {"a", "b"}]),
        (function("Stack", literal(2), A, B, A, B), 2, [{"a"}, {"b"}]),
        (function("Stack", literal(1), A, B), 2, [{"a"}, {"b"}]),
        (function("Stack", literal(1), A, B, A), 3, [{"a"}, {"b"}, {"a"}]),
        (function("ReplicateRows", literal(2), A, B), 2, [{"a"}, {"b"}]),
        (function("ReplicateRows", literal(2), A), 2, [{"a"}, set()]),
        (function("Inline", function("CreateArray", function("CreateNamedStruct", literal("f"), A, literal("g"), B))),
         2, [{"a"}, {"b"}]),
        (function("Inline", B), 2, [{"b"}, {"b"}]),
        (function("Inline", function("ArraysZip", A, B)), 2, [{"a"}, {"b"}]),
        (function("Explode", function("CreateMap", literal("a"), A, literal("b"), B)), 2, [set(), {"a", "b"}]),
        (function("PosExplode", function("CreateMap", A, B)), 3, [{"a", "b"}, {"a"}, {"b"}]),
        (function("Explode", B), 2, [{"b"}, {"b"}]),
        # An array of maps, and one of structs: elements, not keys and values.
        (function("Explode", function("CreateArray", function("CreateMap", A, B))), 1, [{"a", "b"}]),
        (function("PosExplode", function("ArraysZip", A, B)), 2, [{"a", "b"}, {"a", "b"}]),
    ],
)  # fmt: skip
def test_which_arguments_of_a_generator_make_which_column(generator: Nodes, width: int, made: list[set[str]]) -> None:
    output = [attribute(f"made{at}", 50 + at) for at in range(width)]
    rows = relation_of(operator("Generate", ONE, generator=generator, generatorOutput=output))
    assert [column.name for column in rows.output] == ["a", "b", *(f"made{at}" for at in range(width))]
    assert [{name for _, name in rows.value(2 + at).sources} for at in range(width)] == made


def test_the_columns_of_a_generator_that_cannot_be_read_are_unknown() -> None:
    rows = relation_of(operator("Generate", ONE, generator=None, generatorOutput=[attribute("made", 50)]))
    assert [rows.value(at).known for at in range(3)] == [True, True, False]


def generate(kind: str, below: Nodes, generator: Nodes | None, *made: int, **more: Any) -> Nodes:
    output = [attribute(f"made{number}", number) for number in made]
    return operator(kind, below, generator=generator, generatorOutput=output, **more)


def exploded(below: Nodes, array: Nodes, made: int) -> Nodes:
    """An explode that drops arrays: Spark writes null for the list of their positions."""
    return generate("Generate", below, function("Explode", array), made, unrequiredChildIndex=None)


ZIP = function("ArraysZip", A, B)


@pytest.mark.parametrize(
    ("array", "more", "required", "optional"),
    [
        (A, {}, ["a", "b", "made50"], []),
        (A, {"unrequiredChildIndex": []}, ["a", "b", "made50"], []),
        (A, {"unrequiredChildIndex": None}, ["b", "made50"], []),
        (ZIP, {"unrequiredChildIndex": []}, ["a", "b", "made50"], []),
        (ZIP, {"unrequiredChildIndex": None}, ["made50"], ["a", "b"]),
        (None, {"unrequiredChildIndex": None}, ["made50"], ["a", "b"]),
        (A, {"requiredChildOutput": [B]}, ["b", "made50"], []),
        (ZIP, {"requiredChildOutput": []}, ["made50"], []),
    ],
    ids=["no list", "drops none", "drops its array", "drops none of two", "drops some of two", "no generator",
         "physical", "physical, drops both"],
)  # fmt: skip
def test_a_generate_drops_arguments_of_its_generator(
    array: Nodes | None, more: dict[str, Any], required: list[str], optional: list[str]
) -> None:
    rows = relation_of(generate("Generate", ONE, function("Explode", array) if array else None, 50, **more))
    assert [column.name for column in rows.required] == required
    assert [column.name for column in rows.output if column.is_optional] == optional


def test_what_one_explode_perhaps_drops_is_as_uncertain_above_another() -> None:
    rows = relation_of(exploded(exploded(read({"a": 1, "b": 2, "c": 3}), ZIP, 50), attribute("c", 3), 51))
    assert [(column.name, column.is_optional) for column in rows.output] == [
        ("a", True),
        ("b", True),
        ("made50", False),
        ("made51", False),
    ]


ONE_EXPLODED, OTHER_EXPLODED = exploded(ONE, A, 50), exploded(OTHER, V, 51)
# The array is the first column of one, and the last one of the other.
BOTH_EXPLODED = {"x": ["one.b", "other.k"], "y": ["one.a", "other.v"]}
ZIPPED = function("ArraysZip", K, V)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ONE_EXPLODED, OTHER, BOTH_EXPLODED),
        (OTHER, ONE_EXPLODED, BOTH_EXPLODED),
        (ONE_EXPLODED, OTHER_EXPLODED, BOTH_EXPLODED),
        (OTHER, operator("GlobalLimit", operator("Filter", ONE_EXPLODED, condition=B)), BOTH_EXPLODED),
        (
            ONE,
            generate("Generate", OTHER, function("PosExplode", ZIPPED), 51, 52, unrequiredChildIndex=None),
            {"x": ["one.a", "other.k", "other.v"], "y": ["one.b", "other.k", "other.v"]},
        ),
        (
            operator("Union", ONE, project(OTHER, K, V)),
            exploded(OTHER, K, 51),
            {"x": ["one.a", "other.k", "other.v"], "y": ["one.b", "other.k", "other.v"]},
        ),
    ],
    ids=["first side", "second side", "both sides", "below others", "of two arrays", "of three sides"],
)
def test_a_union_takes_the_columns_that_an_explode_leaves(first: Nodes, second: Nodes, expected: Edges) -> None:
    assert edges(operator("Union", first, second), FACET) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ONE, exploded(OTHER, ZIPPED, 51), {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}),
        (exploded(ONE, ZIP, 50), OTHER, {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}),
        (exploded(ONE, ZIP, 50), exploded(OTHER, ZIPPED, 51), {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}),
        (ONE, project(OTHER, V), {"x": ["one.a", "other.k"], "y": ["one.b", "other.v"]}),
    ],
    ids=["second side", "first side", "both sides", "of other widths"],
)
def test_a_union_whose_columns_are_not_certain_adds_nothing_to_the_facet(
    first: Nodes, second: Nodes, expected: Edges
) -> None:
    facet = {
        name: [(place.split(".")[0], place.split(".")[1]) for place in places] for name, places in expected.items()
    }
    assert edges(operator("Union", first, second), facet) == expected


def by_position(kind: str, query: Nodes) -> Nodes:
    """A plan that knows the columns of a query by their position only."""
    columns = [attribute("x", 71), attribute("y", 72)]
    if kind == "CTERelationRef":
        reference = node("sql.catalyst.plans.logical.CTERelationRef", cteId=7, output=columns)
        return operator("WithCTE", operator("CTERelationDef", query, id=7), reference)
    if kind == "UnionLoop":
        return operator("UnionLoop", query, project(ONE, B, A), id=1, outputAttrIds=[{"id": 71}, {"id": 72}])
    return cached(kind, query, *columns) if kind == "InMemoryRelation" else operator(kind, query, output=columns)


@pytest.mark.parametrize("kind", ["CTERelationRef", "UnionLoop", "InMemoryRelation", "View"])
def test_what_refers_to_columns_by_position_takes_those_that_an_explode_leaves(kind: str) -> None:
    expected = {"x": ["one.b"], "y": ["one.a"]}
    physical = generate("GenerateExec", ONE, function("Explode", A), 50, requiredChildOutput=[B])
    assert edges(by_position(kind, ONE_EXPLODED), FACET) == expected
    assert edges(by_position(kind, physical), FACET) == expected


@pytest.mark.parametrize("kind", ["CTERelationRef", "UnionLoop", "InMemoryRelation"])
def test_what_refers_by_position_to_columns_that_are_not_certain_leaves_them_to_the_facet(kind: str) -> None:
    rows = relation_of(by_position(kind, exploded(ONE, ZIP, 50)))
    assert [(rows.value(at).known, "a" in {name for _, name in rows.value(at).sources}) for at in (0, 1)] == [
        (False, False),
        (False, kind == "UnionLoop"),
    ]


def test_a_subquery_whose_column_is_not_certain_is_unknown() -> None:
    def chosen_from(query: Nodes) -> bool:
        subquery = node("sql.catalyst.expressions.ScalarSubquery", plan=query)
        return relation_of(project(OTHER, alias(subquery, "chosen", 70))).value(0).known

    assert chosen_from(ONE_EXPLODED)
    assert not chosen_from(exploded(ONE, ZIP, 50))


def test_a_row_of_an_expansion_may_be_shorter_than_its_columns() -> None:
    output = [attribute("x", 90), attribute("y", 91), attribute("z", 92)]
    rows = relation_of(operator("Expand", ONE, projections=[[A], [literal(None), B]], output=output))
    values = [rows.value(at) for at in range(3)]
    assert [{name for _, name in value.sources} if value.known else None for value in values] == [{"a"}, {"b"}, None]


def test_new_columns_of_a_row_level_command_without_projections_are_unknown() -> None:
    output = [A, attribute("__row_operation", 60), attribute("x", 61)]
    rows = relation_of(operator("Expand", ONE, projections=None, output=output))
    assert [rows.value(at).known for at in range(3)] == [True, False, False]


def typed(name: str, number: int, data_type: str) -> Nodes:
    (listed,) = attribute(name, number)
    return [{**listed, "dataType": data_type}]


def expanded(*new: Nodes, kept: Nodes = A) -> list[set[str] | None]:
    """UNPIVOT of a table with an int, two strings and a double, without its projections: the columns it makes."""
    table = node("sql.execution.datasources.LogicalRelation", output=[
        typed("a", 1, "int"), typed("s", 2, "string"), typed("t", 3, "string"), typed("d", 4, "double"),
    ])  # fmt: skip
    rows = relation_of(operator("Expand", table, projections=None, output=[kept, *new]))
    values = [rows.value(1 + at) for at in range(len(new))]
    return [{name for _, name in value.sources} if value.known else None for value in values]


NAME, TEXT, NUMBER = typed("name", 50, "string"), typed("text", 51, "string"), typed("number", 52, "double")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([NUMBER], [{"s", "t", "d"}]),
        ([NAME, NUMBER], [set(), {"s", "t", "d"}]),
        ([NAME, TEXT], [set(), {"s", "t", "d"}]),
        # With more columns of values the first may be one of them, because some of the given ones are strings.
        ([NAME, TEXT, NUMBER], [None, None, {"d"}]),
        ([NUMBER, TEXT], [{"d"}, {"s", "t"}]),
        ([NUMBER, typed("other", 53, "double")], [None, None]),
        ([typed("when", 53, "date"), NUMBER], [None, {"d"}]),
    ],
)
def test_an_unpivot_without_projections(new: list[Nodes], expected: list[set[str] | None]) -> None:
    assert expanded(*new) == expected


def test_an_unpivot_of_no_texts_has_names_first_and_a_text_among_the_values_is_unknown() -> None:
    table = node("sql.execution.datasources.LogicalRelation", output=[typed("a", 1, "int"), typed("d", 4, "double")])
    rows = relation_of(operator("Expand", table, projections=None, output=[typed("a", 1, "int"), NAME, TEXT, NUMBER]))
    assert [rows.value(at).known for at in (1, 2, 3)] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gid", set()),
        ("spark_grouping_id", set()),
        ("a", {"a"}),
        ("CAST(sales.one.`b` AS BIGINT)", {"b"}),
        ("concat(one.a, 'b')", {"a"}),
        ("concat(one.a, one.b)", {"a", "b"}),
        ("CASE WHEN (one.a > 1) THEN one.b END", {"b"}),
        ("CASE WHEN (one.a > 1) THEN one.b ELSE one.a END", {"a", "b"}),
        ("if((one.a > 1), one.b, one.a)", None),
        ("upper(one.z)", None),
    ],
)
def test_the_copies_of_rows_for_several_distinct_counts_have_columns_named_after_their_expressions(
    name: str, expected: set[str] | None
) -> None:
    rows = relation_of(operator("Expand", ONE, projections=None, output=[attribute(name, 60), attribute("gid", 61)]))
    value = rows.value(0)
    assert ({column for _, column in value.sources} if value.known else None) == expected


@pytest.mark.parametrize(("name", "expected"), [("one.a", None), ("b", {"b"}), ("k", {"k"})])
def test_a_distinct_count_of_a_name_that_two_tables_have_is_unknown(name: str, expected: set[str] | None) -> None:
    both = operator("Join", ONE, read({"a": 21, "k": 22}), joinType={"object": "sql.catalyst.plans.Inner$"})
    rows = relation_of(operator("Expand", both, projections=None, output=[attribute(name, 60), attribute("gid", 61)]))
    value = rows.value(0)
    assert ({column for _, column in value.sources} if value.known else None) == expected


def test_what_decides_about_the_rows_below_decides_about_groups_too() -> None:
    below = operator("Filter", ONE, condition=B_IS_ONE)
    grouped = operator("Aggregate", below, groupingExpressions=[A], aggregateExpressions=[A])
    assert uses(grouped) == {("b", "FILTER"), ("a", "GROUP_BY")}


@pytest.mark.parametrize(
    ("first", "listed", "known"),
    [
        ([A, B], 2, [True, True]),
        # The second query gives the first column what the loop has as the second one.
        ([A, attribute("missing", 99)], 2, [False, False]),
        ([attribute("missing", 99), B], 2, [False, True]),
        ([A], 1, [False]),
    ],
    ids=["known", "the second column is not", "the first one is not", "there is no second column"],
)
def test_a_column_of_a_recursion_is_known_if_those_are_that_it_refers_to(
    first: list[Nodes], listed: int, known: list[bool]
) -> None:
    again = node("sql.catalyst.plans.logical.UnionLoopRef", loopId=1, output=[attribute("n", 51), attribute("m", 52)])
    step = project(again, *[attribute("m", 52)] * listed)
    ids = [{"id": 54 + at} for at in range(listed)]
    rows = relation_of(operator("UnionLoop", project(ONE, *first), step, id=1, outputAttrIds=ids))
    assert [rows.value(at).known for at in range(listed)] == known


def test_a_recursion_within_a_recursion_has_rows_of_its_own() -> None:
    def again(loop: int, number: int) -> Nodes:
        return node("sql.catalyst.plans.logical.UnionLoopRef", loopId=loop, output=[attribute("n", number)])

    inner = operator("UnionLoop", project(OTHER, K), again(2, 61), id=2, outputAttrIds=[{"id": 62}])
    step = operator("Union", again(1, 63), inner)
    outer = relation_of(operator("UnionLoop", project(ONE, A), step, id=1, outputAttrIds=[{"id": 64}]))
    assert {name for _, name in outer.value(0).sources} == {"a", "k"}


def test_a_recursion_may_refer_to_the_rows_of_the_one_around_it() -> None:
    around = node("sql.catalyst.plans.logical.UnionLoopRef", loopId=1, output=[attribute("p", 61), attribute("q", 62)])
    step = project(around, attribute("q", 62), alias(literal("1"), "x", 65))
    inner = operator("UnionLoop", OTHER, step, id=2, outputAttrIds=[{"id": 63}, {"id": 64}])
    rows = relation_of(operator("UnionLoop", ONE, inner, id=1, outputAttrIds=[{"id": 66}, {"id": 67}]))
    assert [{name for _, name in rows.value(at).sources} for at in (0, 1)] == [{"a", "k", "b", "v"}, {"b", "v"}]


@pytest.mark.parametrize(
    "more",
    [{"outputAttrIds": None}, {"outputAttrIds": []}, {"outputAttrIds": [{"id": 54}, {"no": 1}]}],
    ids=["no list", "empty", "one cannot be read"],
)
def test_a_recursion_whose_columns_cannot_be_read_is_unknown(more: dict[str, Any]) -> None:
    rows = relation_of(operator("UnionLoop", ONE, OTHER, id=1, **more))
    assert (rows.output, rows.known) == ((), False)


def test_a_row_that_a_subquery_chooses_is_known_only_if_its_query_is_known() -> None:
    def chosen_from(query: Nodes) -> Relation:
        return relation_of(project(ONE, alias(node("sql.catalyst.expressions.ScalarSubquery", plan=query), "c", 70)))

    narrow = operator("Union", project(OTHER, K), OTHER)
    assert [chosen_from(query).value(0).known for query in (OTHER, narrow)] == [True, False]
    typed_in = chosen_from(project(OTHER, alias(literal("1"), "c", 71))).value(0)
    assert (typed_in.known, set(typed_in.sources), typed_in.literal) == (True, set(), False)
    filtered = chosen_from(operator("Filter", OTHER, condition=function("EqualTo", V, literal("1"))))
    assert filtered.value(0).uses == {((1, "v"), "FILTER")}


def test_the_result_of_an_operator_that_no_rule_knows_is_unknown_but_for_what_decides_about_its_rows() -> None:
    rows = relation_of(operator("NewInSpark9", operator("Sort", ONE, order=[B]), output=[A]))
    assert ([column.name for column in rows.output], rows.known, rows.value(0).known) == (["a"], False, False)
    assert rows.uses == {((0, "b"), "SORT")}


def test_rows_typed_in_are_constant() -> None:
    rows = relation_of(node("sql.catalyst.plans.logical.LocalRelation", output=[A, B]))
    assert [rows.value(at) for at in (0, 1)] == [CONSTANT, CONSTANT]


MERGE: dict[str, Any] = {
    "condition": function("EqualTo", A, K),
    "matchedClauses": [
        node(
            "sql.catalyst.plans.logical.DeltaMergeIntoUpdateClause",
            actions=[node("sql.catalyst.plans.logical.DeltaMergeAction", targetColNameParts="[y]", expr=V)],
        )
    ],
}


@pytest.mark.parametrize("kind", sorted(INSERTS))
def test_each_insert_writes_its_query(kind: str) -> None:
    names = {"outputColumnNames": "[x, y]"} if kind != "InsertIntoStatement" else {"userSpecifiedCols": "[x, y]"}
    plan = node(f"sql.execution.{kind}", project(ONE, B, A), query=0, **names)
    assert drawn(plan, INPUTS, "[x, y]", FACET) == {"x": ["one.b"], "y": ["one.a"]}


@pytest.mark.parametrize("kind", sorted(ROW_LEVEL))
def test_each_row_level_command_writes_its_query_by_name(kind: str) -> None:
    query = project(ONE, alias(B, "y", 5), alias(A, "x", 6))
    assert drawn(node(f"sql.execution.{kind}", query, query=0), INPUTS, "[x, y]", FACET) == {
        "x": ["one.a"],
        "y": ["one.b"],
    }


@pytest.mark.parametrize("kind", sorted(MERGES))
def test_each_merge_writes_its_assignments(kind: str) -> None:
    target = read({"x": 31, "y": 32})
    plan = node(f"sql.delta.{kind}", target, OTHER, target=0, source=1, **MERGE)
    assert drawn(plan, [INPUTS[1]], "[x, y]", {"y": [("one", "a")]})["y"] == ["other.v"]
