"""A local host that dies as planned: ``python -m tests.faults.host``, with the options of ``python -m local.host``.

Each life is its own process, forked from this one, which has imported everything already: so a death costs
little time. The product knows nothing of it: its functions are wrapped here, and the process kills itself (SIGKILL,
which nothing catches) before or after one of them. What happened is appended to a journal.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import purview.client
import purview.session  # noqa: F401 - imported once, before the forks
from local.host import __main__ as host
from local.host.blob_source import BlobSource, Misdelivery
from pipeline import publish, retries, run, services
from purview import creation
from purview.catalog import Catalog
from purview.retry_policy import RetryPolicy
from storage.asset_cache import AssetCache
from storage.created_assets import CreatedAssets
from storage.details_table import DetailsTable
from storage.event_store import EventStore
from storage.event_table import EventTable
from storage.locks import Locks
from storage.retry_queue import RetryQueue
from storage.run_events import RunEvents
from storage.run_records import RunRecords

PLAN = "SPARKLIN_TEST_PLAN"


class Step(NamedTuple):
    """A function of the product, by its owner and name; ``key`` is how the lock's name begins, for locks."""

    owner: Any
    name: str
    key: str = ""


#: The steps of an event, in order.
STEPS = {
    "write the row of an event": Step(EventTable, "put"),
    "store an event": Step(EventStore, "put"),
    "find the events of a run": Step(RunEvents, "of_event"),
    "list the blobs of a run": Step(EventStore, "names"),
    "note the hours of a run": Step(RunRecords, "note_hours"),
    "look at an event": Step(EventStore, "partition_of"),
    "note the hour of an event": Step(RunRecords, "note_hour"),
    "read the rows of a run": Step(EventStore, "rows_of_run"),
    "begin a run": Step(RunRecords, "begin"),
    "merge": Step(run, "merge"),
    "derive": Step(run, "derive_in_application"),
    "note the processes of a run": Step(RunRecords, "add"),
    "record": Step(publish, "details"),
    "write the row of a process": Step(DetailsTable, "write"),
    "lock a process": Step(Locks, "_acquire", "sparklin://"),
    "read the cache": Step(AssetCache, "get_many"),
    "find": Step(Catalog, "find"),
    "search": Step(Catalog, "search"),
    "lock creations": Step(Locks, "_acquire", "creation"),
    "look again": Step(creation, "_look_again"),
    "announce or record created assets": Step(CreatedAssets, "add_many"),
    "upload": Step(Catalog, "upload"),
    "write the cache": Step(AssetCache, "put_many"),
    "publish": Step(run, "publish"),
    "mark events": Step(EventStore, "mark"),
    "end a run": Step(RunRecords, "end"),
    "enqueue a retry": Step(RetryQueue, "enqueue"),
    "note a retry": Step(RunRecords, "note_retry"),
    "mark what is swept up": Step(EventStore, "mark_unchanged"),
}


@dataclass(frozen=True)
class Death:
    """The end of one life: at the ``times``-th run of a step, or after some seconds, whatever comes first."""

    seconds: float
    step: str = ""
    after: bool = True
    times: int = 1


@dataclass(frozen=True)
class Plan:
    """The deaths of a host, the share of notifications that it loses, and where it keeps its journal."""

    deaths: tuple[Death, ...]
    journal: str
    lost_share: float
    seed: int

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> "Plan":
        given = json.loads(file.read_text())
        return cls(**{**given, "deaths": tuple(Death(**death) for death in given["deaths"])})


class Journal:
    """One line of JSON per occurrence; a line is written completely or not at all, even by a process that dies."""

    def __init__(self, file: str) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, **what: object) -> None:
        os.write(self._file, json.dumps({**what, "at": time.monotonic()}).encode() + b"\n")


def main() -> int:
    """Live until the plan is over and the host ends on its own."""
    plan = Plan.read(Path(os.environ[PLAN]))
    journal = Journal(plan.journal)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for death in (*plan.deaths, None):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os._exit(_live(plan, journal, death))
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)
    return 1


def _live(plan: Plan, journal: Journal, death: Death | None) -> int:
    _hasten()
    _misdeliver(plan, journal)
    if death:
        arm(death, journal)
    else:
        journal.note(over=True)
    code = host.main()
    sys.stderr.flush()
    return code


def shorten_leases() -> None:
    """Release the locks of dead workers as soon as Azure can."""
    Locks.__init__.__defaults__ = (15,)


def _hasten() -> None:
    """Give up on the catalogue soon, and wait for short times only."""
    shorten_leases()
    vars(services)["RetryPolicy"] = partial(
        RetryPolicy, connect=1, read=2, budget=4, first_wait=0.05, open_seconds=0.3, longest_open_seconds=1
    )
    retries.SPREAD_SECONDS = 1


def _misdeliver(plan: Plan, journal: Journal) -> None:
    """Let notifications come twice, in any order, and some of them never."""
    chance = random.Random(plan.seed)
    send, make = BlobSource._send, BlobSource.__init__

    def made(source: BlobSource, *arguments: Any) -> None:
        make(source, *arguments)
        source.misdelivery = Misdelivery(copies=2, shuffle=True)

    def lossy(source: BlobSource, blob: Any) -> None:
        if chance.random() < plan.lost_share:
            source._receipts.complete(blob)
            journal.note(lost=blob.name)
        else:
            send(source, blob)

    for name, method in (("__init__", made), ("_send", lossy)):
        setattr(BlobSource, name, method)


def arm(death: Death, journal: Journal, steps: Mapping[str, Step] = STEPS) -> None:
    """Let this process die as planned, at one of these steps."""

    def end_in_time() -> None:
        time.sleep(death.seconds)
        _die(journal, "any moment")

    threading.Thread(target=end_in_time, daemon=True).start()
    if death.step:
        step = steps[death.step]
        setattr(step.owner, step.name, _deadly(step, death, journal))


def _deadly(step: Step, death: Death, journal: Journal) -> Callable[..., Any]:
    original = getattr(step.owner, step.name)
    counted = threading.Lock()
    left = [death.times]

    def is_due(arguments: tuple[Any, ...]) -> bool:
        if step.key and not str(arguments[1]).startswith(step.key):
            return False
        with counted:
            left[0] -= 1
            return left[0] == 0

    def deadly(*arguments: Any, **more: Any) -> Any:
        if not death.after and is_due(arguments):
            _die(journal, f"before: {death.step}")
        result = original(*arguments, **more)
        if death.after and is_due(arguments):
            _die(journal, f"after: {death.step}")
        return result

    return deadly


def _die(journal: Journal, where: str) -> None:
    journal.note(killed=where)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # It is carried out on another thread's time.


if __name__ == "__main__":
    sys.exit(main())
