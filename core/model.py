"""The nouns that travel between the rooms: frozen, without behaviour beyond their own identity.

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
    """A dataset as one or more events describe it; ``storage_layer`` is delta, iceberg or "" if not told.

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
    is the form of the run id that keys and blob names use, ``digest`` tells equal bodies apart from unequal
    ones. ``environment`` holds the environment-properties facet, ``properties`` the captured Spark properties of
    the spark_properties facet, ``plan`` the node list of the spark.logicalPlan facet (each empty where there is
    none), ``agent`` the version of the OpenLineage agent.
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


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something that was left out, assumed or not decidable; ``code`` is stable, ``text`` is for people."""

    code: str
    text: str
    dataset: DatasetId | None = None


class IndirectUse(msgspec.Struct, frozen=True, order=True, gc=False):
    """A column that decides about rows or values without giving one; ``kind`` as in OpenLineage (JOIN, FILTER…)."""

    column: ColumnRef
    kind: str


class SinkColumn(msgspec.Struct, frozen=True, gc=False):
    """A column of the sink: the columns its value is computed from, and those that only influence it.

    ``expression`` is Spark SQL text where it is known; ``constant`` is true where the value is known to come
    from no column.
    """

    name: str
    sources: tuple[ColumnRef, ...] = ()
    indirect: tuple[IndirectUse, ...] = ()
    expression: str | None = None
    constant: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Application:
    """What a process is named after: the job namespace, and the notebook or job, or else the application's name.

    ``name`` is the application's name without run-specific tails. ``artifact`` is the id of the notebook or job on its
    platform, ``title`` the name that people see there, ``link`` its address; each is "" where no event contains it.
    """

    namespace: str
    name: str
    artifact: str = ""
    title: str = ""
    link: str = ""

    @property
    def key(self) -> str:
        """What tells applications of one namespace apart."""
        return self.artifact or self.name

    @property
    def shown(self) -> str:
        """The name for people."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one run (or the union of several) tells about one sink.

    ``indirect`` are the columns that affect every row of the sink, ``conditions`` the joins and filters as text, where
    a plan tells them. ``columns`` is empty where only table level
    lineage is known; a note says so. ``mount_points`` are the dbfs mounts (mount, source) that its names need, and
    ``onelake_ids`` the GUIDs of the Fabric workspaces and items in them that events contain (name, GUID).
    ``view`` says that the sink is a view (persistent, temporary or global temporary), which is kept but not drawn.
    """

    application: Application
    operation: str
    sink: Dataset
    inputs: tuple[Dataset, ...] = ()
    columns: tuple[SinkColumn, ...] = ()
    indirect: tuple[IndirectUse, ...] = ()
    conditions: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    mount_points: tuple[tuple[str, str], ...] = ()
    view: str = ""
    onelake_ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class RunRef:
    """One run of a write: its key, that of the application run around it, and its span (UTC).

    ``written`` is what it wrote to one sink. It is no part of the run's identity: a run whose events are processed
    again with other statistics has changed nothing.
    """

    ended: datetime
    started: datetime
    run_key: str
    application_run: str
    written: Written | None = field(default=None, compare=False)


class AssetName(msgspec.Struct, frozen=True, order=True, gc=False):
    """The type and qualified name of an asset in the catalogue."""

    type_name: str
    qualified_name: str


@dataclass(frozen=True, slots=True)
class NameContext:
    """What a name alone does not tell: facts from the event and from the settings.

    ``mount_points`` maps a dbfs mount (``/mnt/raw``) to its source; ``hive_cluster`` is the cluster part of
    Hive names; ``onelake_ids`` maps ``Workspace`` to its GUID and ``Workspace/Item.Kind`` to the item's GUID;
    ``metastore_ids`` maps a Databricks host to a Unity Catalog metastore id; ``sql_kinds`` maps ``host`` or
    ``host/database`` to a Purview table type where the host does not tell it.
    """

    mount_points: Mapping[str, str] = field(default_factory=dict)
    hive_cluster: str = ""
    onelake_ids: Mapping[str, str] = field(default_factory=dict)
    metastore_ids: Mapping[str, str] = field(default_factory=dict)
    sql_kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class LearnedId:
    """The GUID that an event contains for a name of OneLake: of ``Workspace``, or of ``Workspace/Item.Kind``.

    ``time`` (UTC) is that of the event.
    """

    time: datetime
    name: str
    guid: str


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """The names that a dataset may have in the catalogue.

    ``asset`` is what is created if nothing is found; ``candidates`` are looked up in their order (``asset`` is
    one of them); ``rule`` names the rule that matched; ``short_name`` is for people.
    """

    dataset: Dataset
    rule: str
    asset: AssetName
    candidates: tuple[AssetName, ...]
    short_name: str
    notes: tuple[Note, ...] = ()


class Asset(msgspec.Struct, frozen=True, gc=False):
    """A dataset's place in the catalogue; ``guid`` is "" for one that is still to be created."""

    name: AssetName
    guid: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """An asset that we made: its guid, and the columns that it has by our doing.

    ``guid`` is "" from before the asset is created until its guid is known. ``announced`` says since when; it is None
    where that is not known, and for an asset with a guid.
    """

    guid: str = ""
    columns: frozenset[str] = frozenset()
    announced: datetime | None = None


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What an upload left in the catalogue: the process' guid and how many entities were created or updated.

    ``assets`` are the assets really used, each with its guid; ``notes`` say what the upload had to change or cut.
    """

    process_guid: str
    created: int = 0
    updated: int = 0
    assets: Mapping[DatasetId, Asset] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
