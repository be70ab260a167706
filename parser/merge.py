"""Merges all stored events of a run, whatever their order and however often they were sent.

Inputs and outputs are united by identity. If events differ in a facet, COMPLETE is believed over FAIL and ABORT, these
over the last RUNNING, and that over START: agents up to 1.27 leave inputs out of COMPLETE, others leave outputs out of
START, and statistics or schemas are only right at the end. Facets are merged column by column: what was cached may be
gone when COMPLETE describes it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from core.event_model import ColumnLineageFacet, Dataset, DatasetId, EventDataset, JobRef, RunEvent, Symlink
from core.identity import run_key
from core.lineage_model import RunRef
from core.replacing import replace
from parser.agent_workarounds import without_mingled, without_phantoms, without_rdd_columns
from parser.dataset_aliases import aliases, renamed
from parser.input_schemas import Schemas, data_read, schemas, without_refuted

_RANK = {"OTHER": 0, "START": 1, "RUNNING": 2, "ABORT": 3, "FAIL": 3, "COMPLETE": 4}
_NOISE = re.compile(
    r"(?:^|/)(?:(?:_delta_log|_temporary|_checkpoints|_spark_metadata|_SUCCESS)(?:/|\Z)|\.spark-staging)"
)

_T = TypeVar("_T")


class RunState(Enum):
    """OPEN: no end seen yet. FAILED: a FAIL or ABORT was seen, before or after any other event."""

    OPEN = "open"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class MergedRun:
    """The content of all events of a run together.

    ``events`` are distinct, the least believed first; ``schemas`` are the columns of the inputs that have a schema.
    """

    run_key: str
    job_namespace: str
    job_name: str
    job_type: str
    processing_type: str
    parent: JobRef | None
    state: RunState
    started: datetime
    ended: datetime
    inputs: tuple[EventDataset, ...]
    outputs: tuple[EventDataset, ...]
    environment: Mapping[str, Any]
    properties: Mapping[str, Any]
    events: tuple[RunEvent, ...]
    schemas: Schemas

    @property
    def ref(self) -> RunRef:
        """The run as it is stored in the histories of its processes."""
        application_run = run_key(self.parent.run_id) if self.parent else ""
        return RunRef(self.ended, self.started, self.run_key, application_run)

    def ref_of(self, sink: DatasetId) -> RunRef:
        """The run as it is stored in a history, with what it wrote to one of its outputs."""
        return replace(self.ref, written=next((each.written for each in self.outputs if each.dataset.id == sink), None))


def merge(events: Iterable[RunEvent]) -> MergedRun:
    """Merge the events of one run; there must be at least one."""
    distinct = {event.digest: event for event in events}.values()
    sent = [without_rdd_columns(e) for e in sorted(distinct, key=lambda e: (_RANK[e.event_type], e.time, e.digest))]
    names = aliases(sent)
    ordered = tuple(renamed(event, names) for event in sent)
    known = schemas(item for event in ordered for item in event.inputs)
    return MergedRun(
        run_key=ordered[-1].run_key,
        job_namespace=ordered[-1].job_namespace,
        job_name=ordered[-1].job_name,
        job_type=_last(event.job_type for event in ordered) or "",
        processing_type=_last(event.processing_type for event in ordered) or "",
        parent=_last(event.parent for event in ordered),
        state=_state({event.event_type for event in ordered}),
        started=min(event.time for event in ordered),
        ended=max(event.time for event in ordered),
        inputs=_unite(dataset for event in ordered for dataset in data_read(event.inputs)),
        outputs=_unite(dataset for event in ordered for dataset in _outputs(event, known)),
        environment=_stated(event.environment for event in ordered),
        properties=_stated(event.properties for event in ordered),
        events=ordered,
        schemas=known,
    )


def _state(event_types: set[str]) -> RunState:
    if event_types & {"FAIL", "ABORT"}:
        return RunState.FAILED
    return RunState.COMPLETED if "COMPLETE" in event_types else RunState.OPEN


def _stated(facets: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The properties that facets contain; of a property with several values, the last value that is not empty."""
    return {key: value for facet in facets for key, value in facet.items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    """Whether a value is empty, so that the value of an earlier event counts."""
    return value is None or value in ("", [], {})


def _last(values: Iterable[_T]) -> _T | None:
    found = None
    for value in values:
        found = value or found
    return found


def _unite(datasets: Iterable[EventDataset]) -> tuple[EventDataset, ...]:
    """One entry per identity, in the order of identities; ``datasets`` come with the least believed first."""
    united: dict[DatasetId, EventDataset] = {}
    links: dict[DatasetId, set[Symlink]] = {}
    for new in datasets:
        key = new.dataset.id
        if not is_noise(key):
            old = united.get(key, new)
            links.setdefault(key, set()).update(new.dataset.symlinks)
            united[key] = EventDataset(
                _believed(old.dataset, new.dataset),
                _fuller(old.column_lineage, new.column_lineage),
                new.written or old.written,
            )
    return tuple(_linked(united[key], links[key]) for key in sorted(united))


def _linked(item: EventDataset, links: set[Symlink]) -> EventDataset:
    return replace(item, dataset=replace(item.dataset, symlinks=tuple(sorted(links)))) if links else item


def _outputs(event: RunEvent, known: Schemas) -> Iterator[EventDataset]:
    inputs = {item.dataset.id for item in event.inputs}
    for output in event.outputs:
        facet = output.column_lineage
        if facet:
            facet = without_phantoms(without_refuted(without_mingled(facet), known), event.agent, inputs)
        yield replace(output, column_lineage=facet)


def _believed(old: Dataset, new: Dataset) -> Dataset:
    return replace(
        new,
        fields=new.fields or old.fields,
        storage_layer=new.storage_layer or old.storage_layer,
        is_folder=new.is_folder or old.is_folder,
    )


def _fuller(old: ColumnLineageFacet | None, new: ColumnLineageFacet | None) -> ColumnLineageFacet | None:
    """The newer facet, with the older one's entries for columns that the newer one lacks."""
    if old is None or new is None:
        return new or old
    stated = {name: entries for name, entries in new.fields.items() if entries}
    fields = {**new.fields, **old.fields, **stated}
    return ColumnLineageFacet(fields, new.dataset or old.dataset, new.mingled | old.mingled)


def is_noise(dataset: DatasetId) -> bool:
    """Whether a name is that of internal files of a table or stream: Delta's log, staging folders."""
    return _NOISE.search(dataset.name) is not None
