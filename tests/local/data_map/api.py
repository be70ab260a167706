"""What the tests say to a Data Map: short forms of entities, and a client that knows the addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

ATLAS = "/datamap/api/atlas/v2"
RESOURCE_SET = "azure_datalake_gen2_resource_set"
OPERATION = "azure_synapse_operation"

Json = dict[str, Any]


def entity(type_name: str, guid: object, name: str, **attributes: Any) -> Json:
    """An entity whose qualified name is ``x://name``."""
    return {
        "typeName": type_name,
        "guid": guid,
        "attributes": {"qualifiedName": f"x://{name}", "name": name, **attributes},
    }


def dataset(name: str, guid: object = "-1", **attributes: Any) -> Json:
    """A resource set."""
    return entity(RESOURCE_SET, guid, name, **attributes)


def process(name: str, inputs: Sequence[Json], outputs: Sequence[Json], guid: object = "-9", **attributes: Any) -> Json:
    """An operation."""
    return entity(OPERATION, guid, name, inputs=inputs, outputs=outputs, **attributes)


def by_name(name: str, type_name: str = RESOURCE_SET) -> Json:
    """A reference by unique name."""
    return {"typeName": type_name, "uniqueAttributes": {"qualifiedName": f"x://{name}"}}


@dataclass(frozen=True, slots=True)
class Api:
    """A client of the Data Map at ``address``."""

    address: str
    session: requests.Session

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> requests.Response:
        """Sends a request to a path below the server's root."""
        return self.session.request(method, self.address + path, params=params, json=body, timeout=60)

    def post(self, *entities: Json, **params: Any) -> requests.Response:
        """POST /entity/bulk."""
        return self.call("POST", f"{ATLAS}/entity/bulk", {"entities": list(entities)}, **params)

    def stored(self, *entities: Json, **params: Any) -> dict[str, str]:
        """Posts entities, which must succeed, and returns the guids by the ones that were sent."""
        response = self.post(*entities, **params)
        assert response.status_code == 200, response.text
        guids: dict[str, str] = response.json()["guidAssignments"]
        return guids

    def get(self, guid: str) -> Json:
        """GET /entity/guid; the entity."""
        return self._entity(self.call("GET", f"{ATLAS}/entity/guid/{guid}"))

    def named(self, name: str, type_name: str = RESOURCE_SET) -> Json:
        """GET /entity/uniqueAttribute; the entity."""
        path = f"{ATLAS}/entity/uniqueAttribute/type/{type_name}"
        return self._entity(self.call("GET", path, **{"attr:qualifiedName": f"x://{name}"}))

    def _entity(self, response: requests.Response) -> Json:
        assert response.status_code == 200, response.text
        found: Json = response.json()["entity"]
        return found

    def search(self, **body: Any) -> Json:
        """POST /search/query, which must succeed."""
        response = self.call("POST", "/datamap/api/search/query", body)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def found(self, **body: Any) -> list[str]:
        """The names that a search finds, sorted."""
        return sorted(str(each["name"]) for each in self.search(**body)["value"])

    def settings(self, **settings: Any) -> None:
        """POST /_control/settings."""
        assert self.call("POST", "/_control/settings", settings).status_code == 200

    def fault(self, **fault: Any) -> None:
        """POST /_control/faults."""
        assert self.call("POST", "/_control/faults", fault).status_code == 200

    def dump(self) -> dict[str, Json]:
        """GET /_control/entities by qualified name without its scheme."""
        stored = self.call("GET", "/_control/entities").json()
        return {each["attributes"]["qualifiedName"].removeprefix("x://"): each for each in stored}


def error(response: requests.Response) -> tuple[int, str, str]:
    """Status, code and text of an error answer."""
    body: Mapping[str, str] = response.json()
    return response.status_code, body["errorCode"], body["errorMessage"]
