"""A proxy between a host and Azurite that keeps a list of all requests, and can do something before one continues."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

SERVICES = ("Blob", "Queue", "Table")
_Answer = tuple[int, list[tuple[str, str]], bytes]
_HOP_BY_HOP = ("connection", "transfer-encoding", "keep-alive", "content-length")


@dataclass(frozen=True)
class Sent:
    """One request to storage: to which service, what for, and the status of its answer."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    status: int


@dataclass
class StorageProxy:
    """``connection_string`` leads through the proxy; ``sent`` are the requests so far, as they were answered."""

    connection_string: str = ""
    sent: list[Sent] = field(default_factory=list)
    #: Called with method and path before a request continues.
    before: Callable[[str, str], None] = lambda _method, _path: None
    #: Whether a request, by method and path, is answered 403 instead.
    refuses: Callable[[str, str], bool] = lambda _method, _path: False


@contextmanager
def storage_proxy(connection_string: str) -> Iterator[StorageProxy]:
    """A proxy in front of each service of an account."""
    proxy = StorageProxy(connection_string)
    parts = dict(part.split("=", 1) for part in connection_string.split(";"))
    with ExitStack() as stack:
        for service in SERVICES:
            origin = urlsplit(parts[f"{service}Endpoint"]).netloc
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy, service, origin)))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            proxy.connection_string = proxy.connection_string.replace(origin, f"127.0.0.1:{server.server_port}")
        yield proxy


def _handler(proxy: StorageProxy, service: str, origin: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            url = urlsplit(self.path)
            proxy.before(self.command, url.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            refused: _Answer = 403, [], b""
            status, headers, content = refused if proxy.refuses(self.command, url.path) else self._asked(body)
            proxy.sent.append(Sent(service, self.command, url.path, dict(parse_qsl(url.query)), status))
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            length = dict(headers).get("content-length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("content-length", length)
            self.end_headers()
            self.wfile.write(content)

        def _asked(self, body: bytes) -> _Answer:
            connection = http.client.HTTPConnection(origin, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                connection.close()

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_MERGE = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
