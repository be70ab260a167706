"""The commands at the root of a plan: which query they write, and under which column names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parser.logical_plan.sources import is_managed, table_name
from parser.logical_plan.tree import Node, expression_id
from parser.logical_plan.value import NO_USES, UNKNOWN, Relation, Use, Value, combined
from parser.logical_plan.walker import Walk

INSERTS = {
    "InsertIntoHadoopFsRelationCommand", "InsertIntoDataSourceCommand", "InsertIntoDataSourceDirCommand",
    "InsertIntoHiveTable", "InsertIntoHiveDirCommand", "CreateDataSourceTableAsSelectCommand",
    "CreateHiveTableAsSelectCommand", "OptimizedCreateHiveTableAsSelectCommand", "SaveIntoDataSourceCommand",
    "AppendData", "OverwriteByExpression", "OverwritePartitionsDynamic", "CreateTableAsSelect",
    "ReplaceTableAsSelect", "WriteToDataSourceV2", "WriteToMicroBatchDataSource", "WriteToMicroBatchDataSourceV1",
    "WriteIntoDelta", "WriteIntoDeltaCommand",
    # Statements as parsed
    "InsertIntoStatement", "CreateTableAsSelectStatement", "ReplaceTableAsSelectStatement", "CreateTable",
    "InsertIntoDir",
}  # fmt: skip
#: Row-level commands of V2 tables.
ROW_LEVEL = {"ReplaceData", "WriteDelta", "ReplaceIcebergData", "WriteIcebergDelta"}
MERGES = {"MergeIntoCommand", "MergeIntoCommandEdge", "MergeIntoTable", "DeltaMergeInto"}
_CLAUSES = ("matchedClauses", "notMatchedClauses", "notMatchedBySourceClauses", "matchedActions", "notMatchedActions")


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a plan.

    ``columns`` are the values in the order of the sink's columns; ``names`` are the sink's column names in the plan,
    shorter or empty if it does not contain all, and those of the query (``of_query``) if it contains none or others.
    ``named`` are values by the sink's column name instead (MERGE).
    ``by_name`` says that Spark matches ``names`` with the sink's columns, so that positions mean nothing. ``target`` is
    the number of the leaf that is the sink itself, ``table`` the sink's table name; ``managed`` is that of Leaf.
    """

    columns: tuple[Value, ...] = ()
    names: tuple[str, ...] = ()
    of_query: bool = False
    named: Mapping[str, Value] = field(default_factory=dict)
    uses: frozenset[Use] = NO_USES
    by_name: bool = False
    target: int | None = None
    table: str = ""
    managed: bool = False


def commands(plan: Node) -> tuple[Node, ...]:
    """The commands of a plan that write; several for a statement that inserts into several tables."""
    return tuple(_commands(plan))


def _commands(plan: Node) -> Iterator[Node]:
    if plan.kind in MERGES or plan.kind in INSERTS or plan.kind in ROW_LEVEL:
        yield plan
    elif plan.children and (plan.kind == "Union" or len(plan.children) == 1):
        for child in plan.children:
            yield from _commands(child)


def write_of(command: Node, walk: Walk, sink: Sequence[str] = ()) -> Write | None:
    """What a command writes; None if it has no query. ``sink`` are the column names of the sink's schema."""
    if command.kind in MERGES:
        return _merge(command, walk)
    return next(_insert(command, walk, sink), None)


def _insert(plan: Node, walk: Walk, sink: Sequence[str]) -> Iterator[Write]:
    query = plan.tree("query") or (plan.children[-1] if plan.children else None)
    if query is None:
        return
    by_name = _is_by_name(plan)
    listed = _listed_names(plan) or _table_columns(plan)
    result = _settled(walk.relation(query), (listed, sink))
    listed = () if by_name else listed
    columns = tuple(result.value(position) for position in range(len(result.output)))
    if not result.known:
        columns = tuple(replace(value, known=False) for value in columns)
    is_open = plan.kind == "InsertIntoStatement" and not by_name
    own = () if is_open else tuple(attribute.name for attribute in result.output)
    of_query = len(listed) != len(result.output)
    names = own if of_query else listed
    target = _target_leaf(plan, walk) if plan.kind in ROW_LEVEL else None
    table, managed = table_name(plan), is_managed(plan)
    yield Write(
        columns, names, of_query, uses=result.uses, by_name=by_name, target=target, table=table, managed=managed
    )


def _is_by_name(plan: Node) -> bool:
    """Whether columns are matched by name: DataFrame writes to tables and INSERT … BY NAME; insertInto is not."""
    return plan.params.get("isByName") is True or plan.params.get("byName") is True or plan.kind in ROW_LEVEL


def _target_leaf(plan: Node, walk: Walk) -> int | None:
    """The leaf of a row-level command that reads the table it writes to: the one with the table's own columns."""
    table = plan.tree("originalTable") or plan.tree("table")
    ids = [expression_id(attribute) for attribute in table.trees("output")] if table else []
    sources = [walk.defined[number].sources for number in ids if number in walk.defined]
    leaves = {leaf for columns in sources for leaf, _ in columns}
    return min(leaves) if len(leaves) == 1 else None


def _settled(result: Relation, sinks: Iterable[Sequence[str]]) -> Relation:
    """The result with the columns that the names of the sink's columns show, if a Generate drops some and not others.

    If no list of names shows them, those that it has for certain are left.
    """
    if not result.is_open:
        return result
    for names in sinks:
        if fitted := result.fitted(len(names)):
            return fitted
        wanted = [name.lower() for name in names]
        chosen = [c for c in result.output if not c.is_optional or c.name.lower() in wanted]
        by_name = {c.name.lower(): c for c in chosen}
        if len(chosen) == len(wanted) and by_name.keys() == set(wanted):
            return replace(result, output=tuple(by_name[name] for name in wanted))
    return replace(result, output=result.required)


def _listed_names(plan: Node) -> tuple[str, ...]:
    """The sink's column names. Spark writes them as one text, cut after 25 names; cut texts are of no use."""
    text = plan.params.get("outputColumnNames") or plan.params.get("userSpecifiedCols")
    if not isinstance(text, str) or not text.startswith("[") or " more fields]" in text:
        return ()
    return tuple(text[1:-1].split(", "))


def _table_columns(plan: Node) -> tuple[str, ...]:
    """The columns of the table that a V2 command writes to; it matches them by position."""
    table = plan.tree("table")
    names = [attribute.params.get("name") for attribute in table.trees("output")] if table else []
    return tuple(name for name in names if isinstance(name, str))


def _merge(plan: Node, walk: Walk) -> Write:
    target_plan, source_plan = _side(plan, "target"), _side(plan, "source")
    if target_plan is None or source_plan is None:
        return Write()
    target_leaf = len(walk.leaves)
    target = walk.relation(target_plan)
    is_leaf = len(walk.leaves) == target_leaf + 1
    source = walk.relation(source_plan)
    both = Relation((), {**target.values, **source.values}, target.uses | source.uses)
    uses = both.uses | walk.uses_of([plan.tree("condition") or plan.tree("mergeCondition")], both, "JOIN")
    named: dict[str, Value] = {}
    for name, value in _assignments(plan, both, target, walk):
        named[name] = _of_clauses(named[name], value) if name in named else value
    if not (target.known and source.known):
        named = {name: replace(value, known=False) for name, value in named.items()}
    return Write(named=named, uses=uses, target=target_leaf if is_leaf else None, table=table_name(plan))


def _of_clauses(one: Value, other: Value) -> Value:
    """The value of a column that two clauses set; its expression is known if both have the same."""
    merged = combined([one, other])
    return replace(merged, definition=one.definition) if one.definition == other.definition else merged


def _side(plan: Node, name: str) -> Node | None:
    return plan.tree(name) or plan.tree(f"{name}Table")


def _assignments(plan: Node, both: Relation, target: Relation, walk: Walk) -> Iterator[tuple[str, Value]]:
    """Each assignment of each clause: the target's column and its value, influenced by the clause's condition."""
    for clause in (clause for parameter in _CLAUSES for clause in plan.trees(parameter)):
        decides = walk.uses_of([clause.tree("condition")], both, "CONDITIONAL")
        for action in clause.trees("actions") or clause.trees("assignments"):
            names = _target_columns(action, target)
            expression = action.tree("expr") or action.tree("value")
            if len(names) > 1:
                yield from ((name, UNKNOWN) for name in names)
            elif names and expression and not _keeps(expression, names[0], target):
                value = walk.evaluate(expression, both)
                yield names[0], replace(value, uses=value.uses | decides, definition=expression)


def _keeps(expression: Node, name: str, target: Relation) -> bool:
    """Whether an assignment leaves the target's column as it is."""
    number = expression_id(expression) if expression.kind == "AttributeReference" else None
    return any(attribute.id == number and attribute.name.lower() == name.lower() for attribute in target.output)


def _target_columns(action: Node, target: Relation) -> tuple[str, ...]:
    """The column that an action sets; several if each of them may be meant, none if it cannot be read.

    The field ``b`` of a column ``a`` and a column ``a, b`` are written alike, ``[a, b]``.
    """
    text = action.params.get("targetColNameParts")
    if not isinstance(text, str) or not text.startswith("["):
        key = action.tree("key")
        name = key.params.get("name") if key else None
        return (name,) if isinstance(name, str) and name else ()
    parts = text[1:-1].split(", ")
    *outer, whole = (", ".join(parts[:count]) for count in range(1, len(parts) + 1))
    types = {column.name.lower(): column.type for column in target.output}
    structs = [name for name in outer if types.get(name.lower()) in ("", "struct")]
    if outer and not types:
        return ()
    return (*structs, whole) if whole.lower() in types or not structs else tuple(structs)
