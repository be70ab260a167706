"""Table RunProcesses: to which processes a run has contributed, so that a failure can take it out of them again."""

import json
import random
import time
from collections.abc import Iterable

from core import naming
from core.errors import LeaseLost
from storage.clients import DETAILS, RUN_PROCESSES, StorageClients
from storage.faults import Conflict
from storage.rows import Key, LargeRows, Version

_ATTEMPTS = 50


class RunProcesses:
    """The qualified names of the processes of each run, by run key."""

    def __init__(self, clients: StorageClients) -> None:
        self._rows = LargeRows(clients.table(RUN_PROCESSES), clients.container(DETAILS))

    def get(self, run_key: str) -> frozenset[str]:
        """The names of a run's processes.

        :raises StorageUnavailable: as the name says.
        """
        return self._read(run_key)[0]

    def add(self, run_key: str, names: Iterable[str]) -> None:
        """Add names to those of a run.

        :raises StorageUnavailable: they may not be added.
        """
        self._change(run_key, added=frozenset(names))

    def remove(self, run_key: str, names: Iterable[str]) -> None:
        """Take names out of those of a run; the last one takes the row with it.

        :raises StorageUnavailable: they may still be there.
        """
        self._change(run_key, removed=frozenset(names))

    def _change(self, run_key: str, added: frozenset[str] = frozenset(), removed: frozenset[str] = frozenset()) -> None:
        key = _key(run_key)
        for attempt in range(_ATTEMPTS):
            before, version = self._read(run_key)
            after = (before | added) - removed
            if after == before:
                return
            try:
                if after or version is None:
                    self._rows.put(key, {"processes": json.dumps(sorted(after))}, version)
                else:
                    self._rows.delete(key, version)
            except Conflict:
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            else:
                return
        raise LeaseLost(f"the row of run {run_key} was changed by others {_ATTEMPTS} times in a row")

    def _read(self, run_key: str) -> tuple[frozenset[str], Version | None]:
        found = self._rows.get(_key(run_key))
        if found is None:
            return frozenset(), None
        values, version = found
        return frozenset(json.loads(values.get("processes") or "[]")), version


def _key(run_key: str) -> Key:
    return Key(naming.shard(run_key), run_key)
