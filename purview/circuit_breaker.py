"""One circuit breaker for the whole app: while Purview fails, uploads fail at once instead of waiting one by one.

There is a circuit for the account and one for each collection. That of the account opens on 401, 429, 5xx, time-outs
and missing tokens; a 403 opens the circuit of the upload's own collection only. An open circuit becomes half-open after
a while: then one upload of the app tests it. Its success closes the circuit, its failure opens it for twice as long.

The state is shared by all workers (see ``Circuits``) and changed by compare-and-swap, so no worker is relied on: any
worker that finds an expired open time, or a trial that did not report in time, continues from there.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Protocol

from core.circuits import ACCOUNT, Circuit, collection_scope
from core.errors import CatalogDenied, CatalogUnavailable, CircuitOpen, Refused, TryLater
from core.logs import step
from purview.retry_policy import Clock, RetryPolicy

_log = logging.getLogger(__name__)

# How long the others wait for the result of a trial; an upload with a full retry budget takes less.
_TRIAL_SECONDS = 180.0
_CONFLICTS = 20


class Circuits(Protocol):
    """The store of the circuits."""

    def read(self) -> Mapping[str, Circuit]:
        """All circuits by scope.

        :raises TryLater: they cannot be read.
        """
        ...

    def write(self, circuit: Circuit) -> bool:
        """Store a circuit in place of the version that was read; False if it has been changed since.

        :raises TryLater: it may not be stored.
        """
        ...


class LocalCircuits:
    """The circuits of a single process, such as a command."""

    def __init__(self) -> None:
        self._kept: dict[str, Circuit] = {}
        self._lock = threading.Lock()

    def read(self) -> Mapping[str, Circuit]:
        """All circuits by scope."""
        with self._lock:
            return dict(self._kept)

    def write(self, circuit: Circuit) -> bool:
        """Store a circuit in place of the version that was read; False if it has been changed since."""
        with self._lock:
            before = self._kept.get(circuit.scope)
            if (before.version if before else None) != circuit.version:
                return False
            self._kept[circuit.scope] = replace(circuit, version=uuid.uuid4().hex)
            return True


class CircuitBreaker:
    """Decides whether uploads may call the catalogue. Safe to use from several threads.

    ``clock`` gives seconds since 1970, which the workers' machines agree on.
    """

    def __init__(self, policy: RetryPolicy, circuits: Circuits, clock: Clock) -> None:
        self._policy = policy
        self._circuits = circuits
        self._clock = clock

    def check(self, collection: str | None = None) -> None:
        """Make sure that the circuit of the account, and that of a collection if one is given, is not open.

        :raises CircuitOpen: it is, or another upload is testing it.
        """
        known = self._circuits.read()
        for scope in _scopes(collection):
            self._check(known.get(scope, Circuit(scope)))

    @contextmanager
    def upload(self, collection: str) -> Iterator[Callable[[], bool]]:
        """Let an upload to a collection call the catalogue, and record how it ends.

        Yields a function that returns whether the circuit has opened for this upload in the meantime.

        :raises CircuitOpen: a circuit is open, or another upload is testing it.
        """
        own = uuid.uuid4().hex
        scopes = _scopes(collection)
        trials = self._enter(scopes, own)
        try:
            yield lambda: self._is_open_for(scopes, own)
        except CatalogUnavailable as error:
            self._failed(error, collection)
            self._leave(trials, own, closes=False)
            raise
        except Exception as error:
            # A refusal of the content shows that Purview works.
            self._leave(trials, own, closes=isinstance(error, Refused))
            raise
        except BaseException:
            self._leave(trials, own, closes=False)
            raise
        self._leave(trials, own, closes=True)

    def _enter(self, scopes: tuple[str, ...], own: str) -> list[str]:
        """The scopes of half-open circuits, for which this upload is the trial."""
        trials: list[str] = []
        known = self._circuits.read()
        try:
            for scope in scopes:
                circuit = known.get(scope, Circuit(scope))
                self._check(circuit)
                if circuit.open_until is not None:
                    self._claim(circuit, own)
                    trials.append(scope)
        except CircuitOpen:
            self._leave(trials, own, closes=False)
            raise
        return trials

    def _claim(self, circuit: Circuit, own: str) -> None:
        trial = replace(circuit, trial=own, trial_until=self._clock() + _TRIAL_SECONDS)
        if not self._circuits.write(trial):
            raise _held_back(circuit, self._policy.open_seconds)

    def _check(self, circuit: Circuit) -> None:
        now = self._clock()
        if circuit.open_until is None:
            return
        if circuit.open_until > now:
            raise _held_back(circuit, max(circuit.open_until - now, self._policy.open_seconds))
        if circuit.trial and circuit.trial_until > now:
            raise _held_back(circuit, self._policy.open_seconds)

    def _is_open_for(self, scopes: tuple[str, ...], own: str) -> bool:
        known: Mapping[str, Circuit] = {}
        with suppress(TryLater):
            known = self._circuits.read()
        now = self._clock()
        circuits = (known[scope] for scope in scopes if scope in known)
        return any(each.open_until is not None and each.open_until > now and each.trial != own for each in circuits)

    def _failed(self, error: CatalogUnavailable, collection: str) -> None:
        """Open the circuit that an error concerns, if there is one."""
        if isinstance(error, CircuitOpen) or self._policy.open_seconds <= 0:
            return
        scope = ACCOUNT
        if isinstance(error, CatalogDenied) and error.status != 401:
            if error.status != 403:
                return
            scope = collection_scope(collection)
        with _unneeded("open a circuit"):
            opened = self._change(scope, lambda circuit: self._opened(circuit, error))
            facts: dict[str, str | int] = {
                "scope": scope,
                "reason": error.reason,
                "remedy": error.remedy,
                "failures": opened.failures,
                "seconds": round((opened.open_until or 0.0) - self._clock()),
            }
            if isinstance(error, CatalogDenied):
                step(_log, "circuit", "denied", facts, logging.ERROR)
            else:
                step(_log, "circuit", "unavailable", facts, logging.WARNING)

    def _opened(self, circuit: Circuit, error: CatalogUnavailable) -> Circuit:
        """The open time: the longer one of the app's own and what the catalogue asked for, up to a limit."""
        now, longest = self._clock(), self._policy.longest_open_seconds
        seconds, failures = min(error.retry_after or 0.0, longest), circuit.failures
        if circuit.open_until is None or circuit.open_until <= now:
            # Uploads that fail at the same time count once.
            seconds = max(seconds, min(longest, self._policy.open_seconds * 2.0 ** min(failures, 30)))
            failures += 1
        until = max(circuit.open_until or 0.0, now + seconds)
        return replace(circuit, failures=failures, open_until=until, reason=error.reason, trial="", trial_until=0.0)

    def _leave(self, trials: list[str], own: str, *, closes: bool) -> None:
        """End the trials of an upload: close their circuits, or let the next upload test them."""
        for scope in trials:
            with _unneeded("end a trial"):
                self._change(scope, lambda circuit: _ended(circuit, own, closes=closes))
                if closes:
                    step(_log, "circuit", "closed", {"scope": scope})

    def _change(self, scope: str, change: Callable[[Circuit], Circuit]) -> Circuit:
        for _ in range(_CONFLICTS):
            before = self._circuits.read().get(scope, Circuit(scope))
            after = change(before)
            if after == before or self._circuits.write(after):
                return after
        raise TryLater(f"the circuit of {scope} was changed by others {_CONFLICTS} times in a row")


def _ended(circuit: Circuit, own: str, *, closes: bool) -> Circuit:
    if circuit.trial != own:
        return circuit
    if closes:
        return Circuit(circuit.scope, version=circuit.version)
    return replace(circuit, trial="", trial_until=0.0)


def _scopes(collection: str | None) -> tuple[str, ...]:
    return (ACCOUNT,) if collection is None else (ACCOUNT, collection_scope(collection))


def _held_back(circuit: Circuit, seconds: float) -> CircuitOpen:
    return CircuitOpen(
        f"Purview ({circuit.scope}) was not asked, since it failed a moment ago: {circuit.reason}", seconds
    )


@contextmanager
def _unneeded(what: str) -> Iterator[None]:
    """Do the block if storage is available: a circuit that stays as it is costs time, but loses nothing."""
    try:
        yield
    except TryLater as error:
        _log.warning("could not %s: %s", what, error.reason)
