"""A door before Apache Atlas with the addresses of Purview's Data Map, for clients that know no others.

What Atlas lacks is added here: the password, an empty search (without Solr, Atlas has none), and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import requests

from tests.real.atlas import USER
from tests.support.http_server import QuietHandler, serving

_BASES = ("/datamap/api/atlas/v2", "/catalog/api/atlas/v2")
_NO_HITS = b'{"@search.count": 0, "value": []}'


@contextmanager
def door(atlas: str) -> Iterator[str]:
    """The address of the door to the API at ``atlas``."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass()

        def do_POST(self) -> None:
            self._pass()

        def do_PUT(self) -> None:
            self._pass()

        def do_DELETE(self) -> None:
            self._pass()

        def _pass(self) -> None:
            body = self.body()
            path = urlsplit(self.path).path
            if path.endswith("/search/query"):
                self.answer(200, _NO_HITS, {"Content-Type": "application/json"})
                return
            inner = next((self.path[len(base) :] for base in _BASES if path.startswith(base)), self.path)
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            answer = requests.request(self.command, atlas + inner, data=body, headers=headers, auth=USER, timeout=120)
            content_type = answer.headers.get("Content-Type", "text/plain")
            self.answer(answer.status_code, answer.content, {"Content-Type": content_type})

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"
