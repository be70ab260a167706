"""Assets of the catalogue: the names that datasets may have there, and what an upload left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from core.event_model import Dataset, DatasetId
from core.lineage_model import Note


class AssetName(msgspec.Struct, frozen=True, order=True, gc=False):
    """The type and qualified name of an asset in the catalogue."""

    type_name: str
    qualified_name: str


@dataclass(frozen=True, slots=True)
class NameContext:
    """What is needed to name a dataset and not part of its name: facts from the event and the settings.

    ``mount_points`` maps a dbfs mount (``/mnt/raw``) to its source; ``hive_cluster`` is the cluster part of
    Hive names; ``onelake_ids`` maps ``Workspace`` to its GUID and ``Workspace/Item.Kind`` to the item's GUID;
    ``metastore_ids`` maps a Databricks host to a Unity Catalog metastore id; ``sql_kinds`` maps ``host`` or
    ``host/database`` to a Purview table type where the host does not show it.
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
    """An asset that this app created: its guid, and the columns that the app gave it.

    ``guid`` is "" until it is known. ``announced`` is the time from which it was to be created; None if that is not
    known, and for an asset with a guid.
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
