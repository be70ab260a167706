"""The circuits of the app's circuit breaker: a row each in table EventMetadata, in a partition of their own."""

import hashlib
from collections.abc import Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.data.tables import TableEntity, UpdateMode

from core.circuits import Circuit
from storage.clients import EVENT_METADATA, StorageClients
from storage.faults import storage_faults
from storage.text import cut

# After all partitions of events, which begin with a digit.
_PARTITION = "circuit"
_REASON_UNITS = 1000


class StoredCircuits:
    """Reads and writes circuits; a row is replaced only if nobody has changed it since it was read."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = clients.table(EVENT_METADATA)

    def read(self) -> Mapping[str, Circuit]:
        """All circuits by scope.

        :raises StorageUnavailable: they cannot be read.
        """
        query = "PartitionKey eq @partition"
        with storage_faults("read the circuits"):
            rows = list(self._table.query_entities(query, parameters={"partition": _PARTITION}))
        return {circuit.scope: circuit for circuit in map(_circuit, rows)}

    def write(self, circuit: Circuit) -> bool:
        """Replace the version of a circuit that was read; False if it has been changed since.

        :raises StorageUnavailable: it may not be stored.
        """
        entity = _entity(circuit)
        with storage_faults("write a circuit"):
            try:
                if circuit.version is None:
                    self._table.create_entity(entity)
                else:
                    self._table.update_entity(
                        entity,
                        mode=UpdateMode.REPLACE,
                        etag=circuit.version,
                        match_condition=MatchConditions.IfNotModified,
                    )
            except ResourceExistsError:
                return False
            except HttpResponseError as error:
                if error.status_code not in (404, 412):
                    raise
                return False
        return True


def _entity(circuit: Circuit) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "PartitionKey": _PARTITION,
        "RowKey": hashlib.sha256(circuit.scope.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "Scope": circuit.scope,
        "Failures": circuit.failures,
        "Reason": cut(circuit.reason, _REASON_UNITS),
        "Trial": circuit.trial,
        "TrialUntil": circuit.trial_until,
    }
    return entity if circuit.open_until is None else {**entity, "OpenUntil": circuit.open_until}


def _circuit(entity: TableEntity) -> Circuit:
    open_until = entity.get("OpenUntil")
    return Circuit(
        scope=str(entity["Scope"]),
        failures=int(entity.get("Failures") or 0),
        open_until=None if open_until is None else float(open_until),
        reason=str(entity.get("Reason") or ""),
        trial=str(entity.get("Trial") or ""),
        trial_until=float(entity.get("TrialUntil") or 0.0),
        version=entity.metadata["etag"],
    )
