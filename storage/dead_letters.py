"""Container ``dead-letters``: what is no longer retried, with the reason and the remedy."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContentSettings

from core import identity
from storage.clients import DEAD_LETTERS, StorageClients
from storage.faults import storage_faults

_RUN_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|x-[0-9a-f]{32}")
_JSON = ContentSettings(content_type="application/json")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A run or message that was given up at ``time`` (UTC).

    ``name`` is the name of its blob, ``remedy`` says what to do, ``details`` contains JSON values.
    """

    name: str
    run_key: str
    time: datetime
    reason: str
    remedy: str
    details: Mapping[str, Any] = field(default_factory=dict)


class DeadLetters:
    """Stores, lists, reads and deletes dead letters."""

    def __init__(self, clients: StorageClients) -> None:
        self._container = clients.container(DEAD_LETTERS)

    def put(
        self, run: str, reason: str, remedy: str, details: Mapping[str, Any], time: datetime, *, key: str = ""
    ) -> str:
        """Store a dead letter and return its name. ``run`` is a run key, or another name of what was given up.

        A dead letter with a ``key`` replaces that of the same run and key.

        :raises StorageUnavailable: if storage does not answer; the letter may not be stored.
        """
        run_key = _run_key(run)
        utc = time.astimezone(UTC)
        letter = {"run": run, "time": utc.isoformat(), "reason": reason, "remedy": remedy, "details": dict(details)}
        text = json.dumps(letter, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = self.name_of(run, key) if key else f"{run_key}/{utc:%Y%m%dT%H%M%S%fZ}-{digest}.json"
        with storage_faults("keep a dead letter"):
            self._container.upload_blob(name, text.encode(), overwrite=True, content_settings=_JSON)
        return name

    @staticmethod
    def name_of(run: str, key: str) -> str:
        """The name of the dead letter that was put with this run, or other name, and key."""
        return f"{_run_key(run)}/{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def names(self, run_key: str = "") -> Iterator[str]:
        """The names of all dead letters, or of those of one run.

        :raises StorageUnavailable: if storage does not answer, also during the iteration.
        """
        with storage_faults("list dead letters"):
            prefix = f"{run_key}/" if run_key else None
            yield from self._container.list_blob_names(name_starts_with=prefix)

    def read(self, name: str) -> DeadLetter | None:
        """Read a dead letter. None if it is gone, or is not a dead letter of Sparklin.

        :raises StorageUnavailable: if storage does not answer.
        """
        with storage_faults("read a dead letter"):
            try:
                data = self._container.download_blob(name).readall()
            except ResourceNotFoundError:
                return None
        try:
            value = json.loads(data)
            return DeadLetter(
                name=name,
                run_key=name.partition("/")[0],
                time=datetime.fromisoformat(value["time"]),
                reason=str(value["reason"]),
                remedy=str(value["remedy"]),
                details=dict(value["details"]),
            )
        except (ValueError, KeyError, TypeError):
            return None

    def delete(self, name: str) -> None:
        """Delete a dead letter. It is not an error if it is already gone.

        :raises StorageUnavailable: if storage does not answer; the letter may still exist.
        """
        with storage_faults("delete a dead letter"):
            try:
                self._container.delete_blob(name)
            except ResourceNotFoundError:
                return


def _run_key(run: str) -> str:
    return run if _RUN_KEY.fullmatch(run) else identity.run_key(run)
