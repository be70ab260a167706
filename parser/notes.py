"""Notes on what a lineage lacks."""

from collections.abc import Iterator, Sequence

from core.lineage_model import Lineage, Note, SinkColumn


def missing(lineage: Lineage) -> Iterator[Note]:
    """A note if no input is known, or nothing about columns. Made for all runs together: one may know more."""
    sink = lineage.sink.id
    if not lineage.inputs:
        yield Note("no-inputs", "The events name no dataset that this write read from.", sink)
    elif not any(map(_is_known, lineage.columns)):
        yield Note("table-level", "The events contain nothing about columns; only tables are connected.", sink)


def some(names: Sequence[str]) -> str:
    """The first ten names, as a note has room for."""
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


def _is_known(column: SinkColumn) -> bool:
    return bool(column.sources or column.indirect or column.expression or column.constant)
