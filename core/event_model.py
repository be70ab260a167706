"""What OpenLineage events say: datasets, their columns, and the run events themselves. Frozen, without behaviour.

Those of which a run has thousands are structs of msgspec: they are made, compared and hashed in C, and, because they
never refer to each other in a circle, the garbage collector need not look at them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec


class DatasetId(msgspec.Struct, frozen=True, order=True, gc=False):
    """A dataset's identity: OpenLineage namespace and name in one spelling (see core.identity)."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Field(msgspec.Struct, frozen=True, gc=False):
    """A column of a dataset's schema; ``type`` is Spark's name for it, "" if unknown."""

    name: str
    type: str = ""


class Symlink(msgspec.Struct, frozen=True, order=True, gc=False):
    """Another name of a dataset; ``type`` is TABLE or LOCATION."""

    namespace: str
    name: str
    type: str


class Dataset(msgspec.Struct, frozen=True, gc=False):
    """A dataset as one or more events describe it; ``storage_layer`` is delta, iceberg, or "" if unknown.

    ``is_folder`` is true where a path is known to be a folder, whatever its name looks like.
    """

    id: DatasetId
    fields: tuple[Field, ...] = ()
    symlinks: tuple[Symlink, ...] = ()
    storage_layer: str = ""
    is_folder: bool = False


class ColumnRef(msgspec.Struct, frozen=True, order=True, gc=False):
    """A column of a dataset."""

    dataset: DatasetId
    column: str


class InputField(msgspec.Struct, frozen=True, gc=False):
    """One source in a columnLineage facet; ``transformations`` are (type, subtype), empty up to agent 1.16."""

    column: ColumnRef
    transformations: tuple[tuple[str, str], ...] = ()


class ColumnLineageFacet(msgspec.Struct, frozen=True, gc=False):
    """The columnLineage facet: sources of each output column, and what affects every row.

    ``mingled`` are the columns whose sources were taken out, because the agent mixes them up with all others.
    """

    fields: Mapping[str, tuple[InputField, ...]]
    dataset: tuple[InputField, ...] = ()
    mingled: frozenset[str] = frozenset()


class Written(NamedTuple):
    """What a run wrote to a dataset; each number is None where no event contains it.

    A tuple, because a history keeps one for each of its many runs: as JSON it has no names of fields.
    """

    rows: int | None = None
    bytes: int | None = None
    files: int | None = None


class EventDataset(msgspec.Struct, frozen=True, gc=False):
    """An input or output of one event; ``column_lineage`` and ``written`` are None where the facet is missing."""

    dataset: Dataset
    column_lineage: ColumnLineageFacet | None = None
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class JobRef:
    """A job and one of its runs, as the parent facet names them."""

    namespace: str
    name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One OpenLineage run event.

    ``event_type`` is upper case (START, RUNNING, COMPLETE, FAIL, ABORT, OTHER), ``time`` is UTC, ``run_key``
    is the form of the run id that keys and blob names use, ``digest`` is the same for equal bodies only.
    ``environment`` is the environment-properties facet, ``properties`` the captured Spark properties of the
    spark_properties facet, ``plan`` the node list of the spark.logicalPlan facet (each empty if missing), ``agent`` the
    version of the OpenLineage agent, ``spark`` that of Spark in the processing_engine facet.
    """

    event_type: str
    time: datetime
    run_key: str
    job_namespace: str
    job_name: str
    digest: str
    parent: JobRef | None = None
    job_type: str = ""
    processing_type: str = ""
    inputs: tuple[EventDataset, ...] = ()
    outputs: tuple[EventDataset, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    plan: tuple[Mapping[str, Any], ...] = ()
    agent: str = ""
    spark: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The few fields of an event that decide whether it is kept and under which name.

    ``inputs`` and ``outputs`` count the datasets, ``plan_class`` is the simple class name of the logical plan's root
    ("" without a plan), ``processing_type`` is BATCH or STREAMING.
    """

    event_type: str
    time: datetime
    run_key: str
    run_id: str
    job_namespace: str
    job_name: str
    job_type: str
    inputs: int
    outputs: int
    plan_class: str
    processing_type: str = ""

    @property
    def has_datasets(self) -> bool:
        return self.inputs > 0 or self.outputs > 0

    @property
    def has_outputs(self) -> bool:
        return self.outputs > 0
