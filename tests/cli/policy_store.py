"""A server that stores the policies of collections as in Purview's documentation: documents with a version."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import QuietHandler, serving

Answer = tuple[int, Any, dict[str, str]]


@dataclass
class PolicyStore:
    """The policies by collection, the collections in pages, and how the server misbehaves.

    Collections may have a ``domain``, which those versions of the API show that know domains.
    ``faults`` are answered first, one a request; ``before_put`` is called before a document is written.
    """

    url: str = ""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: list[list[dict[str, Any]]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    faults: list[Answer] = field(default_factory=list)
    before_put: Callable[[], None] = lambda: None
    requests: list[str] = field(default_factory=list)
    has_domains: bool = False

    def answer(self, method: str, address: str, body: Any) -> Answer:
        parts = urlsplit(address)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append(f"{method} {parts.path}")
        if self.faults:
            return self.faults.pop(0)
        match method, parts.path.strip("/").split("/"):
            case "GET", ["account", "collections"] if query["api-version"] == "2019-11-01-preview":
                return self._page(int(query.get("page", 0)))
            case "GET", ["account", "collections"] if query["api-version"] == "2023-10-01-preview" and self.has_domains:
                return self._page(int(query.get("page", 0)), with_domains=True)
            case "GET", ["policystore", "collections", name, "metadataPolicy"] if query["api-version"] == "2021-07-01":
                return self._read(name)
            case "PUT", ["policystore", "metadataPolicies", guid] if query["api-version"] == "2021-07-01":
                return self._write(guid, body)
        return 404, {"error": {"code": "NotFound", "message": "no such address"}}, {}

    def _page(self, number: int, *, with_domains: bool = False) -> Answer:
        hidden = set() if with_domains else {"domain"}
        value = [{key: each[key] for key in each.keys() - hidden} for each in self.pages[number]]
        page: dict[str, Any] = {"value": value}
        if number + 1 < len(self.pages):
            version = "2023-10-01-preview" if with_domains else "2019-11-01-preview"
            page["nextLink"] = f"{self.url}/account/collections?api-version={version}&page={number + 1}"
        return 200, page, {}

    def _read(self, name: str) -> Answer:
        if name in self.forbidden:
            return 403, {"error": {"code": "Unauthorized", "message": "Not authorized to access the collection"}}, {}
        if name not in self.policies:
            return 404, {"error": {"code": "NotFound", "message": f"no collection {name}"}}, {}
        return 200, deepcopy(self.policies[name]), {}

    def _write(self, guid: str, body: dict[str, Any]) -> Answer:
        self.before_put()
        (name,) = (name for name, policy in self.policies.items() if policy["id"] == guid)
        if body["version"] != self.policies[name]["version"]:
            return 412, {"error": {"code": "PreconditionFailed", "message": "the policy was changed"}}, {}
        self.policies[name] = {**body, "version": body["version"] + 1}
        return 200, self.policies[name], {}


@contextmanager
def running(store: PolicyStore) -> Iterator[PolicyStore]:
    """Serve a store on a free port, under the name of an account called ``localhost``."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, content, headers = store.answer(self.command, self.path, json.loads(self.body() or b"null"))
            self.answer(status, json.dumps(content).encode(), headers)

        do_PUT = do_GET  # noqa: N815

    with serving(Handler) as port:
        store.url = f"http://localhost:{port}"
        yield store
