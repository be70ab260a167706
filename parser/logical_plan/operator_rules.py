"""Which rule belongs to which class of operator.

Operators that pass their input on unchanged, and leaves without a dataset, are listed like all others, so that nothing
is skipped by accident. For a class that is on no list, the sources of all columns are unknown, and it is reported.
Physical operators occur below cached relations; their names are those of the logical ones with ``Exec`` behind.
"""

from parser.application_facts import MicroBatch
from parser.logical_plan import column_operators as projections
from parser.logical_plan import recursion, row_level, sources
from parser.logical_plan import row_operators as rows
from parser.logical_plan.tree import Node
from parser.logical_plan.walker import Rule, Walk

PASS_THROUGH = {
    "AQEShuffleRead", "BroadcastExchange", "BroadcastQueryStage", "CTEInChildren", "Coalesce", "CollectMetrics",
    "ColumnarToRow", "CommandResult", "CustomShuffleReader", "Distinct", "EventTimeWatermark", "GlobalLimit",
    "InputAdapter", "Limit", "LocalLimit", "Offset", "QueryStage", "RebalancePartitions", "Repartition",
    "RepartitionByExpression", "ResolvedHint", "ReturnAnswer", "ReusedExchange", "RowToColumnar", "Sample",
    "ShuffleExchange", "ShuffleQueryStage", "Subquery", "SubqueryAlias", "Tail", "UnresolvedHint",
    "WholeStageCodegen", "WindowGroupLimit", "WriteFiles",
}  # fmt: skip
WITHOUT_DATASET = {
    "LocalRelation",
    "OneRowRelation",
    "Range",
    "LocalTableScan",
    "EmptyRelation",
    "UnresolvedInlineTable",
}
LEAVES = {
    "LogicalRelation", "HiveTableRelation", "DataSourceV2Relation", "DataSourceV2ScanRelation", "FileSourceScan",
    "StreamingRelation", "StreamingRelationV2", "StreamingExecutionRelation", "StreamingDataSourceV2Relation",
    "BatchScan", "HiveTableScan", "RowDataSourceScan", "UnresolvedCatalogRelation", "StreamingDataSourceV2ScanRelation",
}  # fmt: skip
#: Rows become objects of the user's program here; the plan does not contain what the program does with them.
OPAQUE = {
    "ExternalRDD", "DeserializeToObject", "SerializeFromObject", "MapElements", "MapPartitions",
    "MapPartitionsInR", "MapPartitionsInPandas", "MapInPandas", "PythonMapInArrow", "FlatMapGroupsInPandas",
    "FlatMapCoGroupsInPandas", "FlatMapGroupsWithState", "MapGroups", "CoGroup", "TypedFilter", "AppendColumns",
    "ScriptTransformation", "FlatMapGroupsInR", "RDDScan", "TypedColumn", "ArrowMapPartitions",
}  # fmt: skip

RULES: dict[str, Rule] = {
    "Project": projections.project,
    "Aggregate": projections.aggregate,
    "HashAggregate": projections.physical_aggregate,
    "SortAggregate": projections.physical_aggregate,
    "ObjectHashAggregate": projections.physical_aggregate,
    "TakeOrderedAndProject": projections.first_rows,
    "Window": projections.window,
    "WindowInPandas": projections.window,
    "Generate": projections.generate,
    "Expand": projections.expand,
    "BatchEvalPython": projections.python,
    "ArrowEvalPython": projections.python,
    "AggregateInPandas": projections.python,
    "BatchEvalPythonUDTF": projections.table_function,
    "ArrowEvalPythonUDTF": projections.table_function,
    "MergeRows": row_level.merge_rows,
    "UnionLoop": recursion.loop,
    "UnionLoopRef": recursion.reference,
    "Filter": rows.filter_rows,
    "Sort": rows.sort_rows,
    "Deduplicate": rows.deduplicate,
    "DeduplicateWithinWatermark": rows.deduplicate,
    "Join": rows.join,
    "AsOfJoin": rows.join,
    "LateralJoin": rows.lateral_join,
    "BroadcastHashJoin": rows.join,
    "SortMergeJoin": rows.join,
    "ShuffledHashJoin": rows.join,
    "BroadcastNestedLoopJoin": rows.join,
    "CartesianProduct": rows.join,
    "Union": rows.union,
    "View": rows.view,
    "WithCTE": rows.with_ctes,
    "Intersect": rows.left_side,
    "Except": rows.left_side,
    "InMemoryRelation": sources.cached,
    "InMemoryTableScan": sources.cached,
    "LogicalRDD": sources.program_rows,
    "AdaptiveSparkPlan": sources.adaptive,
    "CTERelationDef": sources.shared,
    "CTERelationRef": sources.reference,
    **dict.fromkeys(PASS_THROUGH, rows.handed_on),
    **dict.fromkeys(LEAVES, sources.leaf),
    **dict.fromkeys(WITHOUT_DATASET, sources.without_dataset),
    **dict.fromkeys(OPAQUE, sources.opaque),
}


def new_walk(batches: tuple[MicroBatch, ...] = ()) -> Walk:
    """A walk that knows all these rules; ``batches`` are micro-batches whose rows the plan may read."""
    return Walk(rule_of, batches=batches)


def rule_of(node: Node) -> Rule | None:
    """The rule for a node; None for a class that is on no list. One without children counts as a leaf without data."""
    rule = RULES.get(node.kind.removesuffix("Exec"))
    if rule is None and not node.children:
        return sources.opaque
    return rule
