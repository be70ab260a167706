"""The last cell for Fabric's notebooks, with a notebookutils and our own Spark session."""

import runpy
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.test_send import Door, opened
from tests.receiver.test_receive import new
from tests.support.events import body

CELL = Path(__file__).parents[2] / "examples" / "fabric_last_cell.py"


@pytest.fixture
def door() -> Iterator[Door]:
    with opened(Door()) as found:
        yield found


def run(url: str, location: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, secret: Any = "the key") -> None:
    """Run the cell as Fabric does."""

    def get_secret(_vault: str, _name: str) -> Any:
        if isinstance(secret, Exception):
            raise secret
        return secret

    code = CELL.read_text("utf-8").replace("https://<app>.azurewebsites.net", url)
    cell = folder / "cell.py"
    cell.write_text(
        code.replace("SETTLE_SECONDS, LONGEST_SECONDS = 5, 60", "SETTLE_SECONDS, LONGEST_SECONDS = 0.2, 60")
    )
    notebookutils = SimpleNamespace(credentials=SimpleNamespace(getSecret=get_secret))
    monkeypatch.setitem(sys.modules, "notebookutils", notebookutils)
    confs = {"spark.openlineage.transport.location": str(location)}
    runpy.run_path(str(cell), {"spark": SimpleNamespace(conf=SimpleNamespace(get=confs.__getitem__))})


def test_the_cell_has_twenty_lines_and_needs_only_notebookutils() -> None:
    lines = [line for line in CELL.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert len(lines) == 20
    assert [line for line in lines if line.startswith(("import", "from"))] == [
        "import os",
        "import time",
        "import urllib.request",
        "import notebookutils  # type: ignore[import-not-found]",
    ]


def test_whole_lines_are_sent(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, sent = tmp_path / "lineage_1", [body(new()) for _ in range(150)]
    file.write_bytes(b"\n".join(sent) + b"\n" + body(new())[:40])

    run(door.url, file, tmp_path, monkeypatch)

    assert door.store.bodies_kept == sent
    assert door.keys == {"the key"}


def test_a_file_that_grows_is_waited_for(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, sent = tmp_path / "lineage_1", [body(new()) for _ in range(2)]
    file.write_bytes(sent[0] + b"\n")
    sizes = iter([1, 2, 3])
    monkeypatch.setattr("os.path.getsize", lambda _: next(sizes, 3))
    appended = threading.Event()

    def sleep(_: float) -> None:
        if not appended.is_set():
            appended.set()
            with file.open("ab") as more:
                more.write(sent[1] + b"\n")

    monkeypatch.setattr("time.sleep", sleep)
    run(door.url, file, tmp_path, monkeypatch)

    assert door.store.bodies_kept == sent


@pytest.mark.parametrize("failures", [[503], [401]])
def test_a_receiver_that_fails_does_not_fail_the_notebook(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failures: list[int]
) -> None:
    file = tmp_path / "lineage_1"
    file.write_bytes(body(new()) + b"\n")
    door.failures = failures

    run(door.url, file, tmp_path, monkeypatch)

    output = capsys.readouterr().out
    assert output.startswith("lineage was not sent: ")
    assert "the key" not in output


@pytest.mark.parametrize("fault", ["no receiver", "no file", "no secret"])
def test_nothing_else_fails_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    file = tmp_path / "lineage_1"
    if fault != "no file":
        file.write_bytes(body(new()) + b"\n")
    secret = RuntimeError("no access to the vault") if fault == "no secret" else "the key"

    run("http://127.0.0.1:1", file, tmp_path, monkeypatch, secret)

    assert capsys.readouterr().out.startswith("lineage was not sent: ")
