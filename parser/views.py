"""Views in the events of old agents: their lineage, for LineageDetails.

A view is not an asset: a run that reads it is drawn from its base tables, since Spark replaces the view by its query.
Only agents up to 1.0, and those on Spark up to 3.2, send CREATE VIEW; their plans name tables, but no folders.
"""

from collections.abc import Iterator

from core.event_model import ColumnRef, Dataset, DatasetId, Field
from core.lineage_model import Application, Lineage, Note, SinkColumn
from parser.logical_plan.budget import PlanTooLargeError
from parser.logical_plan.expression_texts import ExpressionTexts, names_of
from parser.logical_plan.operator_rules import new_walk
from parser.logical_plan.resolution import resolved
from parser.logical_plan.scope import named_parts
from parser.logical_plan.tree import Node, object_name, tree
from parser.logical_plan.walker import Walk
from parser.merge import MergedRun

#: Namespaces of views and tables that have only a name in Spark's catalogue.
VIEW, TABLE = "view", "table"
_KINDS = {"GlobalTempView": "global temporary", "LocalTempView": "temporary", "PersistedView": "persistent"}
_COMMANDS = ("CreateViewCommand", "CreateViewStatement", "CreateTempViewUsing")


def view_lineage(run: MergedRun, application: Application, *, show_literals: bool = True) -> Lineage | None:
    """The lineage of the view that the run created; None if its plan contains none.

    The sink is ``view/database.name``, inputs are ``table/database.name``.
    """
    plans = (plan for event in run.events if (plan := tree(event.plan)) and plan.kind in _COMMANDS)
    plan = next(plans, None)
    name = _name(plan) if plan else ""
    if plan is None or not name:
        return None
    walk = new_walk()
    try:
        columns = tuple(_columns(plan, walk, show_literals=show_literals))
    except PlanTooLargeError:
        columns = ()
    tables = sorted({dataset for leaf in walk.leaves if (dataset := _table(leaf.table, leaf.dataset))})
    sink = Dataset(DatasetId(VIEW, name), tuple(Field(column.name) for column in columns))
    return Lineage(
        application=application,
        operation="create view",
        sink=sink,
        inputs=tuple(Dataset(table) for table in tables),
        columns=columns,
        notes=() if columns else (Note("view-open", f"The columns of view {name} could not be determined.", sink.id),),
        view=_kind(plan),
    )


def _columns(plan: Node, walk: Walk, *, show_literals: bool) -> Iterator[SinkColumn]:
    """The view's columns. Names that the statement gives are not in the plan: then there are none."""
    query = resolved(plan, lambda parts: Dataset(DatasetId(TABLE, ".".join(parts))))
    query = query.tree("query") if query else None
    if query is None:
        return
    result = walk.relation(query)
    if plan.params.get("userSpecifiedColumns"):
        return
    texts = ExpressionTexts(names_of(walk, {}), show_literals)
    for position, attribute in enumerate(result.output):
        value = result.value(position)
        found = {(_table(walk.leaves[leaf].table, walk.leaves[leaf].dataset), column) for leaf, column in value.sources}
        sources = tuple(sorted(ColumnRef(table, column) for table, column in found if table))
        yield SinkColumn(attribute.name, sources, expression=texts.expression(value))


def _table(name: str, dataset: DatasetId | None) -> DatasetId | None:
    return dataset or (DatasetId(TABLE, name) if name else None)


def _name(plan: Node) -> str:
    identifier = plan.params.get("name") or plan.params.get("tableIdent")
    if isinstance(identifier, dict):
        parts = [identifier.get("database"), identifier.get("table")]
        return ".".join(part for part in parts if isinstance(part, str))
    return ".".join(named_parts(plan, "viewName"))


def _kind(plan: Node) -> str:
    if plan.kind == "CreateTempViewUsing":
        return "global temporary" if plan.params.get("global") is True else "temporary"
    return _KINDS.get(object_name(plan.params.get("viewType")), "persistent")
