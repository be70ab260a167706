"""The lineage of a run: the process that it belongs to, and where each column of its sink comes from."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from core.event_model import ColumnRef, Dataset, DatasetId, Written


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something that was left out, assumed or could not be determined; ``code`` is stable, ``text`` is for people."""

    code: str
    text: str
    dataset: DatasetId | None = None


class IndirectUse(msgspec.Struct, frozen=True, order=True, gc=False):
    """A column that affects rows or values without giving one; ``kind`` as in OpenLineage (JOIN, FILTER…)."""

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
        """What distinguishes the applications of a namespace."""
        return self.artifact or self.name

    @property
    def shown(self) -> str:
        """The name for people."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one sink, from one run or the union of several.

    ``indirect`` are the columns that affect every row of the sink, ``conditions`` the joins and filters as text, if a
    plan contains them. ``columns`` is empty if only table level lineage is known; a note says so. ``mount_points`` are
    the dbfs mounts (mount, source) that its names need, and ``onelake_ids`` the GUIDs of the Fabric workspaces and
    items in them that events contain (name, GUID). ``view`` says that the sink is a view (persistent, temporary or
    global temporary), which is kept but not drawn.
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

    ``written`` is what it wrote to one sink. It is not part of the run's identity: other statistics alone are no change
    of a run.
    """

    ended: datetime
    started: datetime
    run_key: str
    application_run: str
    written: Written | None = field(default=None, compare=False)
