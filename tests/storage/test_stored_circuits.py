"""Circuits on Azurite: kept for all workers, and changed by one worker at a time."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from core.circuits import Circuit
from core.errors import CatalogDenied, CatalogUnavailable, CircuitOpen
from purview.circuit_breaker import CircuitBreaker
from purview.retry_policy import RetryPolicy
from storage.clients import StorageClients
from storage.stored_circuits import StoredCircuits
from tests.storage.runs import new_run


@pytest.fixture
def circuits(storage_clients: StorageClients) -> StoredCircuits:
    return StoredCircuits(storage_clients)


def test_what_is_stored_is_what_another_worker_reads(storage_clients: StorageClients, circuits: StoredCircuits) -> None:
    scope = f"collection {new_run()} /\\#?"
    opened = Circuit(scope, failures=2, open_until=1234.5, reason="503", trial="one", trial_until=1300.25)
    assert circuits.write(opened)
    read = StoredCircuits(storage_clients).read()[scope]
    assert replace(read, version=None) == opened
    assert circuits.write(Circuit(scope, version=read.version))
    assert replace(circuits.read()[scope], version=None) == Circuit(scope)


def test_the_first_of_two_changes_to_one_version_counts(circuits: StoredCircuits) -> None:
    scope = new_run()
    assert circuits.write(Circuit(scope, failures=1))
    assert not circuits.write(Circuit(scope, failures=5))
    version = circuits.read()[scope].version
    assert circuits.write(Circuit(scope, failures=2, version=version))
    assert not circuits.write(Circuit(scope, failures=3, version=version))
    assert circuits.read()[scope].failures == 2


class Own:
    """The stored circuits of one test: scopes get a name that no other test uses."""

    def __init__(self, clients: StorageClients, name: str) -> None:
        self._circuits = StoredCircuits(clients)
        self._name = name

    def read(self) -> Mapping[str, Circuit]:
        found = self._circuits.read().items()
        own = ((scope.removeprefix(self._name), circuit) for scope, circuit in found if scope.startswith(self._name))
        return {scope: replace(circuit, scope=scope) for scope, circuit in own}

    def write(self, circuit: Circuit) -> bool:
        return self._circuits.write(replace(circuit, scope=self._name + circuit.scope))


def test_a_circuit_that_one_worker_opens_holds_back_another_and_closes_for_both(
    storage_clients: StorageClients,
) -> None:
    name, now = new_run(), [1000.0]
    one, other = (CircuitBreaker(RetryPolicy(), Own(storage_clients, name), lambda: now[0]) for _ in range(2))
    for error in (CatalogUnavailable("503"), CatalogDenied(403, "", "no role", "grant it")):
        with pytest.raises(type(error)), one.upload("finance"):
            raise error
        with pytest.raises(CircuitOpen), other.upload("finance"):
            pass
        now[0] += 5
        with other.upload("finance"):
            pass
        with one.upload("finance"), other.upload("finance"):
            pass
