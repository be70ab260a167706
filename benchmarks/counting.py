"""Counts the requests that this process sends to storage and to the Data Map, by kind, on their way out."""

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

BLOB, TABLE, QUEUE, DATA_MAP = "blob", "table", "queue", "Data Map"

_BLOB_KINDS = {"PUT": "write", "GET": "read", "HEAD": "properties", "DELETE": "delete"}
_ROWS = re.compile(rb"^(?:POST|PUT|PATCH|MERGE|DELETE) \S*/(\w+)(?:\(|\?| )", re.MULTILINE)


@contextmanager
def counted(services: Mapping[str, str]) -> Iterator[Counter[str]]:
    """The requests sent while it lasts; ``services`` maps what answers at which ``host:port``.

    In addition to requests it counts, as ``rows of …``, the rows of each table that they touch, since that is what a
    partition's limit counts; and as ``Data Map operations`` what Purview counts: one for each request that reads or
    deletes, and one for each entity and each relationship that is written.
    """
    counts: Counter[str] = Counter()
    lock, send = threading.Lock(), HTTPAdapter.send

    def counting(self: HTTPAdapter, request: PreparedRequest, **more: Any) -> Response:
        kinds = _kinds(request, services)
        with lock:
            counts.update(kinds)
        return send(self, request, **more)

    with patch.object(HTTPAdapter, "send", counting):
        yield counts


@contextmanager
def counted_lines(counts: Counter[str]) -> Iterator[None]:
    """Adds the lines that are logged while it lasts, as Azure would keep them: level info, without the SDK's."""
    handler = _Lines(counts)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class _Lines(logging.Handler):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__(logging.INFO)
        self._counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("azure", "local", "uvicorn")):
            self._counts["log lines"] += 1


def _kinds(request: PreparedRequest, services: Mapping[str, str]) -> Counter[str]:
    url = urlsplit(str(request.url))
    service = services.get(url.netloc, "elsewhere")
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
    method, path = str(request.method), url.path
    if service == BLOB:
        asked = parse_qs(url.query).get("comp", [""])[0]
        return Counter([f"blob {asked or _BLOB_KINDS[method]}"])
    if service == TABLE:
        return _table(method, path, body)
    if service == DATA_MAP:
        return _data_map(method, path, body)
    return Counter([f"{service} {method}"])


def _table(method: str, path: str, body: bytes) -> Counter[str]:
    if path.endswith("$batch"):
        rows = [name.decode() for name in _ROWS.findall(body)]
        return Counter(["table transaction", *(f"rows of {name}" for name in rows)])
    name, _, key = path.rpartition("/")[2].partition("(")
    if method == "GET" and not key.strip("()"):
        return Counter(["table query"])
    return Counter(["table read" if method == "GET" else "table write", f"rows of {name}"])


def _data_map(method: str, path: str, body: bytes) -> Counter[str]:
    if method == "POST" and path.endswith("/entity/bulk"):
        entities = json.loads(body)["entities"]
        written = len(entities) + sum(_references(entity) for entity in entities)
        return Counter({"Data Map write": 1, "Data Map operations": written})
    kind = "search" if path.endswith("/search/query") else "read" if method == "GET" else "delete"
    return Counter([f"Data Map {kind}", "Data Map operations"])


def _references(entity: Mapping[str, Any]) -> int:
    """How many relationships an entity brings: its inputs, outputs, and what it belongs to."""
    given = [*entity.get("attributes", {}).values(), *entity.get("relationshipAttributes", {}).values()]
    listed = (each for value in given for each in (value if isinstance(value, list) else [value]))
    return sum(1 for each in listed if isinstance(each, dict) and ("guid" in each or "uniqueAttributes" in each))
