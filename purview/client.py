"""pyapacheatlas' clients, with the transport of purview.session.

They know the addresses, parameters and bodies of Atlas; what they lack (keep-alive, timeouts, retries, token renewal,
errors that ``except Exception`` catches, the current addresses) is in purview.session.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from pyapacheatlas.core.client import AtlasClient
from pyapacheatlas.core.discovery.purview import PurviewDiscoveryClient
from pyapacheatlas.core.util import AtlasResponse

from core.errors import CatalogUnavailable
from purview.session import Transport

# The paths to which the official SDK sends an api-version: azure-purview-datamap 1.0.0b2. Others are without one.
_API_VERSION = "2023-09-01"
_VERSIONED = ("/entity/bulk", "/search/query")


class _OnTransport:
    """Replaces the methods through which pyapacheatlas' clients do HTTP."""

    _transport: Transport

    def _get_http(self, url: str, params: Mapping[str, str] | None = None, **_: object) -> AtlasResponse:
        return self._send("GET", url, params)

    def _post_http(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        json: object = None,
        guard: Callable[[], None] | None = None,
        **_: object,
    ) -> AtlasResponse:
        return self._send("POST", url, params, json, guard)

    def _put_http(
        self, url: str, params: Mapping[str, str] | None = None, json: object = None, **_: object
    ) -> AtlasResponse:
        return self._send("PUT", url, params, json)

    def _delete_http(
        self, url: str, params: Mapping[str, str] | None = None, json: object = None, **_: object
    ) -> AtlasResponse:
        return self._send("DELETE", url, params, json)

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        json: object = None,
        guard: Callable[[], None] | None = None,
    ) -> AtlasResponse:
        params = dict(params or {})
        if method != "DELETE" and urlsplit(url).path.endswith(_VERSIONED):
            params["api-version"] = _API_VERSION
        answer = self._transport.send(method, url, params=params, json=json, guard=guard)
        return _read(answer, f"{method} {urlsplit(url).path}")


def _read(answer: requests.Response, request: str) -> AtlasResponse:
    try:
        return AtlasResponse(answer)
    except ValueError:
        # A page of a proxy or a portal.
        raise CatalogUnavailable(f"{request} was answered with something that is not JSON") from None


class DataMapClient(_OnTransport, AtlasClient):  # type: ignore[misc]  # pyapacheatlas has no types
    """The Atlas part of the Data Map's API."""

    def __init__(self, endpoint: str, transport: Transport) -> None:
        super().__init__(f"{endpoint}/datamap/api/atlas/v2")
        self._transport = transport

    def upload_bulk(
        self, entities: Sequence[Mapping[str, Any]], collection: str, guard: Callable[[], None] | None
    ) -> dict[str, Any]:
        """Create or update entities; with a collection, put all of them there."""
        params = {"collectionId": collection} if collection else {}
        answer = self._post_http(
            f"{self.endpoint_url}/entity/bulk", params=params, json={"entities": list(entities)}, guard=guard
        )
        return answer.body or {}


class DiscoveryClient(_OnTransport, PurviewDiscoveryClient):  # type: ignore[misc]  # pyapacheatlas has no types
    """The search part of the Data Map's API."""

    def __init__(self, endpoint: str, transport: Transport) -> None:
        super().__init__(f"{endpoint}/datamap/api", None)
        self._transport = transport
