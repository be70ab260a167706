"""A real Apache Atlas 2.1.0 in its own process."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.real.fetch import AtlasFiles

USER = ("admin", "admin")
_READY_SECONDS = 180
_LOG4J = """
log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %-5p %c{1}: %m%n
"""


@contextmanager
def running(files: AtlasFiles, folder: Path) -> Iterator[str]:
    """Start an empty Atlas, with its data in ``folder``; the address of its API.

    :raises RuntimeError: it ended, or was not ready in time; the message holds the end of its log.
    """
    port = _free_port()
    log = folder / "atlas.log"
    with log.open("wb") as output:
        process = subprocess.Popen(_command(files, folder, port), stdout=output, stderr=output, cwd=folder)
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}/api/atlas/v2"
    finally:
        process.kill()
        process.wait()


def _command(files: AtlasFiles, folder: Path, port: int) -> list[str]:
    conf = folder / "conf"
    conf.mkdir()
    properties = Path(__file__).with_name("atlas.properties").read_text()
    (conf / "atlas-application.properties").write_text(properties.replace("@PORT@", str(port)))
    (conf / "atlas-log4j.xml").write_text("")
    (conf / "log4j.properties").write_text(_LOG4J)
    user, password = USER
    salted = hashlib.sha256(f"{password}{{{user}}}".encode()).hexdigest()
    (conf / "users-credentials.properties").write_text(f"{user}=ADMIN::{salted}\n")
    places = {"home": folder, "conf": conf, "data": folder / "data", "log.dir": folder}
    options = [f"-Datlas.{name}={place}" for name, place in places.items()]
    classes = files.war / "WEB-INF"
    classpath = f"{conf}:{classes / 'classes'}:{classes / 'lib'}/*"
    main = ["org.apache.atlas.Atlas", "--app", str(files.war), "--port", str(port)]
    return [str(files.java), "-Xmx1g", *options, "-cp", classpath, *main]


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/api/atlas/admin/status", auth=USER, timeout=5)
            if answer.status_code == 200 and answer.json().get("Status") == "ACTIVE":
                return
        except (requests.RequestException, ValueError):
            pass
        time.sleep(0.5)
    raise RuntimeError(f"Apache Atlas was not ready: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
