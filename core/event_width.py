"""How many columns and plan nodes an OpenLineage event has, counted without decoding it."""

from dataclasses import dataclass

import msgspec

from core.event_fields import ABSENT, UNREADABLE, Item, RunFacets, unreadable

_NODE_KEY = b'"num-children"'
_COLUMN_KEY = b'"inputFields"'


@dataclass(frozen=True, slots=True)
class Width:
    """The numbers of columns (in schemas and column lineage) and of nodes of the logical plan."""

    columns: int
    plan_nodes: int


class _SchemaFacet(msgspec.Struct, gc=False):
    fields: list[Item] | None = None


class _Facets(msgspec.Struct, gc=False):
    schema: _SchemaFacet | None = None
    columnLineage: msgspec.Raw = ABSENT  # noqa: N815


class _Dataset(msgspec.Struct, gc=False):
    facets: _Facets | None = None


class _Run(msgspec.Struct, gc=False):
    facets: RunFacets | None = None


class _Usual(msgspec.Struct, gc=False):
    run: _Run | None = None
    inputs: list[_Dataset] | None = None
    outputs: list[_Dataset] | None = None


class _Odd(msgspec.Struct, gc=False):
    run: msgspec.Raw = ABSENT
    inputs: msgspec.Raw = ABSENT
    outputs: msgspec.Raw = ABSENT


_usual = msgspec.json.Decoder(_Usual)
_odd = msgspec.json.Decoder(_Odd)


def width(body: bytes) -> Width:
    """Count the columns and plan nodes of an event; those of an event of an odd shape are estimated, never too low.

    :raises BadEvent: the body is no JSON.
    """
    try:
        event = _usual.decode(body)
    except msgspec.ValidationError:
        return _estimate(body)
    except UNREADABLE as error:
        raise unreadable(error) from None
    datasets = [*(event.inputs or ()), *(event.outputs or ())]
    facets = [dataset.facets for dataset in datasets if dataset.facets]
    listed = sum(len(facet.schema.fields) for facet in facets if facet.schema and facet.schema.fields)
    drawn = sum(bytes(facet.columnLineage).count(_COLUMN_KEY) for facet in facets if facet.columnLineage)
    plan = event.run.facets.plan if event.run and event.run.facets else None
    return Width(listed + drawn, bytes(plan.plan).count(_NODE_KEY) if plan else 0)


def _estimate(body: bytes) -> Width:
    try:
        event = _odd.decode(body)
    except UNREADABLE as error:
        raise unreadable(error) from None
    columns = sum(bytes(items).count(b",") + 1 for items in (event.inputs, event.outputs) if items)
    return Width(columns, bytes(event.run).count(_NODE_KEY))
