"""One upload: its content, the clients that it uses, and what is known of its assets."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.catalog_model import AssetName
from core.event_model import Dataset, DatasetId
from core.lineage_model import Lineage
from purview.catalog import Written
from purview.dataset_entities import Assets, Resolutions
from purview.lookup import Cache, Finder, Same
from purview.missing_columns import MissingColumns, Reader, Record


class Lease(Protocol):
    """Locks that a worker has."""

    def check(self) -> None:
        """Check that the worker still has all of them.

        :raises LeaseLost: one of them expired.
        """


class Locks(Protocol):
    """Mutual exclusion between all workers."""

    def hold(self, keys: Sequence[str], wait_seconds: float) -> AbstractContextManager[Lease]:
        """Hold the locks of all keys, which are sorted.

        :raises LeaseLost: another worker kept one of them for longer than ``wait_seconds``.
        """
        ...


class Writer(Finder, Reader, Protocol):
    """The catalogue's functions for an upload."""

    def upload_turn(self, collection: str = "") -> AbstractContextManager[None]: ...

    def upload(
        self, entities: Sequence[Mapping[str, Any]], collection: str = "", guard: Callable[[], None] | None = None
    ) -> Written: ...


@dataclass(frozen=True, slots=True)
class Task:
    """One upload. ``process`` is the name of the process, ``collection`` is for new assets.

    ``referred`` are the planned names of the datasets to which the process refers already. ``unusable`` are the types
    that the catalogue does not have, as found so far.
    """

    lineage: Lineage
    resolutions: Resolutions
    process: AssetName
    catalog: Writer
    cache: Cache
    record: Record
    locks: Locks
    collection: str
    same: Same
    wait_seconds: float
    referred: AbstractSet[AssetName] = frozenset()
    unusable: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Known:
    """Some of the datasets, their assets (those that exist have a guid), and the columns that the app's own ones lack.

    ``process_guid`` is "" if the process is new, None if these datasets are uploaded without it. ``taken_up`` are
    assets that the app created and to which the process does not refer yet: until it does, others may delete them (see
    pipeline.unused_assets).
    """

    datasets: tuple[Dataset, ...]
    assets: Assets
    gaps: MissingColumns
    process_guid: str | None = None
    taken_up: frozenset[AssetName] = frozenset()

    @property
    def missing(self) -> list[DatasetId]:
        return [dataset.id for dataset in self.datasets if not self.assets[dataset.id].guid]

    @property
    def names(self) -> set[AssetName]:
        """The assets to be created, or to get columns."""
        return {self.assets[dataset].name for dataset in self.missing} | self.gaps.names
