"""Locks between workers and machines: leases on blobs in container ``locks``.

A lock is a lease on a blob named after its key. The leases of a worker that crashed expire. Those of a live worker are
renewed by a thread; if that fails for too long, ``HeldLocks.check`` raises before the worker does what only one may do.

Keys of several kinds cannot block each other, because all workers take the kinds in one order: the lock of a process,
an upload slot, then those under which assets are created (see purview.creation).
"""

import hashlib
import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient

from core.errors import LeaseLost, StorageUnavailable
from core.threads import in_threads
from storage.clients import LOCKS, StorageClients
from storage.faults import describe, storage_faults
from storage.request_budget import budget

log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
# How many of several locks are tried at a time: hundreds of waiting workers must not try all of them.
_TRIED_AT_ONCE = 4
# One after the other, renewing dozens of leases on slow storage would take longer than they last.
_AT_ONCE = 16


class _Lease:
    """A lease on one blob; ``valid_until`` (monotonic seconds) counts from before each request."""

    def __init__(self, key: str, client: BlobLeaseClient, seconds: int, started: float) -> None:
        self.key = key
        self._client = client
        self._seconds = seconds
        self.valid_until = started + seconds

    def renew(self) -> None:
        started = time.monotonic()
        try:
            self._client.renew()
            self.valid_until = started + self._seconds
        except HttpResponseError as error:
            log.warning("the lease on %s was not renewed: %s", self.key, describe(error))
            if error.status_code in (404, 409, 412):
                self.valid_until = 0.0
        except (AzureError, StorageUnavailable) as error:
            log.warning("the lease on %s was not renewed: %s", self.key, type(error).__name__)

    def release(self) -> None:
        self.valid_until = 0.0
        try:
            self._client.release()
        except (AzureError, StorageUnavailable) as error:
            log.info("the lease on %s was not released and will expire: %s", self.key, type(error).__name__)


class HeldLocks:
    """Locks that a worker has; renewing or releasing all of them takes at most ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._leases: list[_Lease] = []

    def check(self) -> None:
        """Make sure that the worker still has the locks.

        :raises LeaseLost: one of them expired or was taken over.
        """
        now = time.monotonic()
        for lease in self._leases:
            if now >= lease.valid_until:
                raise LeaseLost(f"the lock on {lease.key} was lost while it was in use")

    def add(self, lease: _Lease) -> None:
        self._leases.append(lease)

    def renew(self) -> None:
        self._each(_Lease.renew)

    def release(self) -> None:
        self._each(_Lease.release)

    def _each(self, work: Callable[[_Lease], None]) -> None:
        # Those that expire first go first.
        leases = sorted(self._leases, key=lambda lease: lease.valid_until)
        with budget(self._seconds):
            if len(leases) > 1:
                in_threads(work, leases, min(_AT_ONCE, len(leases)))
            elif leases:
                work(leases[0])


class Locks:
    """Named locks; ``lease_seconds`` (15 to 60) is how long the locks of a crashed worker stay."""

    def __init__(self, clients: StorageClients, lease_seconds: int = 60) -> None:
        if not 15 <= lease_seconds <= 60:
            raise ValueError("a lease lasts from 15 to 60 seconds")
        self._container = clients.container(LOCKS)
        self._seconds = lease_seconds
        self._renew_seconds = lease_seconds / 4

    @contextmanager
    def hold(self, keys: Iterable[str], wait_seconds: float) -> Iterator[HeldLocks]:
        """Hold the locks of all keys; a key that is given twice counts once.

        They are taken in sorted order, so two workers never wait for each other. A worker must not ask for more while
        it has some.

        :raises LeaseLost: another worker kept one of them for longer than ``wait_seconds``.
        :raises StorageUnavailable: the locks cannot be taken.
        """
        deadline = time.monotonic() + wait_seconds
        with self._renewed() as held:
            for key in sorted(set(keys)):
                held.add(self._acquire(key, deadline))
            yield held

    @contextmanager
    def hold_any(
        self, keys: Sequence[str], wait_seconds: float, keep_waiting: Callable[[], None]
    ) -> Iterator[HeldLocks | None]:
        """Hold the lock of one of the keys; None if none was free within ``wait_seconds``.

        Each time only a few keys, chosen at random, are tried. A worker may ask for this lock while it has others: its
        holders never wait for locks that are taken before it.

        :param keep_waiting: called before each further attempt; what it raises ends the wait.
        :raises StorageUnavailable: the locks cannot be taken.
        """
        deadline = time.monotonic() + wait_seconds
        with self._renewed() as held:
            lease = self._acquire_any(keys, deadline, keep_waiting)
            if lease:
                held.add(lease)
            yield held if lease else None

    @contextmanager
    def _renewed(self) -> Iterator[HeldLocks]:
        """Locks that a thread renews until the end of the block, which releases them."""
        held = HeldLocks(self._seconds / 4)
        done = threading.Event()
        # In a copy of the context: the Functions host drops lines of a log that belong to no invocation.
        renewer = threading.Thread(
            target=copy_context().run, args=(self._keep_renewing, held, done), name="locks", daemon=True
        )
        renewer.start()
        try:
            yield held
        finally:
            done.set()
            renewer.join()
            held.release()

    def purge(self, before: datetime) -> int:
        """Delete the blobs of free locks that were created before a time; returns how many.

        :raises StorageUnavailable: some may be left.
        """
        with storage_faults("purge locks"):
            names = [blob.name for blob in self._container.list_blobs() if blob.last_modified < before]
            return sum(in_threads(self._delete, names, _AT_ONCE))

    def _delete(self, name: str) -> bool:
        try:
            self._container.delete_blob(name)
        except HttpResponseError as error:
            if error.status_code not in (404, 409, 412):
                raise
            return False
        return True

    def _keep_renewing(self, held: HeldLocks, done: threading.Event) -> None:
        while not done.wait(self._renew_seconds):
            held.renew()

    def _acquire(self, key: str, deadline: float) -> _Lease:
        for _ in _looks(deadline):
            lease = self._try(key)
            if lease:
                return lease
        raise LeaseLost(f"the lock on {key} is held by another worker")

    def _acquire_any(self, keys: Sequence[str], deadline: float, keep_waiting: Callable[[], None]) -> _Lease | None:
        for number in _looks(deadline):
            if number:
                keep_waiting()
            for key in random.sample(keys, min(len(keys), _TRIED_AT_ONCE)):
                lease = self._try(key)
                if lease:
                    return lease
        return None

    def _try(self, key: str) -> _Lease | None:
        """The lease, or None while another worker has it."""
        name = _blob_name(key)
        client = BlobLeaseClient(self._container.get_blob_client(name))
        started = time.monotonic()
        with storage_faults("take a lock"):
            try:
                client.acquire(self._seconds)
            except ResourceNotFoundError:
                _create(self._container, name)
                return self._try(key)
            except HttpResponseError as error:
                if error.status_code != 409:
                    raise
                return None
        return _Lease(key, client, self._seconds, started)


def _looks(deadline: float) -> Iterator[int]:
    """Counts the attempts at a lock, with growing pauses between them; the last one is at the deadline."""
    pause = _FIRST_PAUSE
    for number in itertools.count():
        yield number
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, pause * random.uniform(0.5, 1.5)))
        pause = min(2 * pause, _LONGEST_PAUSE)


def _create(container: ContainerClient, name: str) -> None:
    try:
        container.upload_blob(name, b"", overwrite=False)
    except ResourceExistsError:
        return


def _blob_name(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
