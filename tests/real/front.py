"""A door before Apache Atlas with the addresses of Purview's Data Map, for clients that know no others.

What Atlas lacks is added here: the password, an empty search (without Solr, Atlas has none), and nothing else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import requests

from tests.real.atlas import USER

_BASES = ("/datamap/api/atlas/v2", "/catalog/api/atlas/v2")
_NO_HITS = b'{"@search.count": 0, "value": []}'


@contextmanager
def door(atlas: str) -> Iterator[str]:
    """The address of the door to the API at ``atlas``."""

    class Handler(BaseHTTPRequestHandler):
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
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            if path.endswith("/search/query"):
                self._answer(200, "application/json", _NO_HITS)
                return
            inner = next((self.path[len(base) :] for base in _BASES if path.startswith(base)), self.path)
            headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            answer = requests.request(self.command, atlas + inner, data=body, headers=headers, auth=USER, timeout=120)
            self._answer(answer.status_code, answer.headers.get("Content-Type", "text/plain"), answer.content)

        def _answer(self, status: int, content_type: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
