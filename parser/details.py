"""The columns of LineageDetails that people and reports read; their names are those of the original Sparklin."""

import json
from collections.abc import Mapping

from core.event_model import ColumnRef
from core.lineage_model import Lineage, SinkColumn

_ROW_KINDS = ("JOIN", "FILTER", "GROUP_BY", "SORT")


def details(lineage: Lineage) -> Mapping[str, str | bool]:
    """What the process shows, as JSON texts: tables as ``namespace/name``, columns as ``namespace/name#column``."""
    return {
        "application": lineage.application.shown,
        "operation": lineage.operation,
        "input_tables": _json([str(dataset.id) for dataset in lineage.inputs]),
        "output_table": str(lineage.sink.id),
        "input_columns": _json(sorted({_text(ref) for column in lineage.columns for ref in column.sources})),
        "output_columns": _json([column.name for column in lineage.columns] or [f.name for f in lineage.sink.fields]),
        "derived_columns": _json([_derived(column) for column in lineage.columns]),
        "joinconditions": _json([*({"condition": text} for text in lineage.conditions), *_row_uses(lineage)]),
        "isdelta": lineage.sink.storage_layer == "delta",
        "isintermediate": bool(lineage.view),
        "isglobal": lineage.view == "global temporary",
    }


def _row_uses(lineage: Lineage) -> list[Mapping[str, str]]:
    uses = (use for use in lineage.indirect if use.kind in _ROW_KINDS)
    return [{"kind": use.kind, "column": _text(use.column)} for use in uses]


def _derived(column: SinkColumn) -> Mapping[str, object]:
    return {
        "column": column.name,
        "from": [_text(ref) for ref in column.sources],
        "indirect": [{"kind": use.kind, "column": _text(use.column)} for use in column.indirect],
        "expression": column.expression,
        "constant": column.constant,
    }


def _text(ref: ColumnRef) -> str:
    return f"{ref.dataset}#{ref.column}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
