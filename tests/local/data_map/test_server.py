"""The server: requests at the same time, restarts, kills, and the command itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local.data_map.server import running
from tests.local.data_map.api import ATLAS, Api, dataset
from tests.support.processes import PATIENCE, started

ROOT = Path(__file__).parents[3]


def creations(api: Api, count: int) -> set[str]:
    """Creates one dataset ``count`` times at once and returns the guids that the answers give."""
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: _post(api), range(count)))
    return set(answers)


def _post(api: Api) -> str:
    body = {"entities": [dataset("a")]}
    answer = requests.post(f"{api.address}{ATLAS}/entity/bulk", json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["guidAssignments"]["-1"])


def test_one_asset_however_many_create_it(api: Api) -> None:
    assert len(creations(api, 16)) == 1
    assert len(api.call("GET", "/_control/entities").json()) == 1


def test_lenient_makes_the_race_of_atlas(api: Api) -> None:
    api.settings(lenient=True, pause=0.2)
    guids = creations(api, 2)
    assert len(guids) == 2
    assert len(api.call("GET", "/_control/entities").json()) == 2
    # With duplicates present, reads and writes settle on one of them; the other stays readable by guid.
    assert _post(api) == api.named("a")["guid"]
    assert all(api.get(guid)["attributes"]["name"] == "a" for guid in guids)


def test_data_survive_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "data_map.sqlite"
    custom = {"entityDefs": [{"name": "mine", "superTypes": ["DataSet"]}]}
    with requests.Session() as session:
        with running(database) as address:
            api = Api(address, session)
            guid = api.stored(dataset("a"))["-1"]
            api.call("POST", f"{ATLAS}/types/typedefs", custom)
        with running(database) as address:
            api = Api(address, session)
            assert api.get(guid)["attributes"]["name"] == "a"
            assert api.found() == ["a"]
            assert api.call("GET", f"{ATLAS}/types/entitydef/name/mine").json()["superTypes"] == ["DataSet"]


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs the command and gives the process and the address that it prints."""
    line = [sys.executable, "-m", "local.data_map", *arguments]
    with started(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().removeprefix("listening on ").strip()


@pytest.mark.exhaustive
def test_data_survive_a_kill(tmp_path: Path) -> None:
    database = str(tmp_path / "data_map.sqlite")
    with requests.Session() as session:
        with command("--port", "0", "--database", database) as (process, address):
            guid = Api(address, session).stored(dataset("a"))["-1"]
            os.kill(process.pid, signal.SIGKILL)
        with running(Path(database)) as address:
            assert Api(address, session).get(guid)["attributes"]["name"] == "a"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(number: signal.Signals) -> None:
    with command("--port", "0", "--database", ":memory:") as (process, address):
        assert requests.get(address, timeout=PATIENCE).status_code == 200
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0


def test_refuses_other_machines() -> None:
    line = [sys.executable, "-m", "local.data_map", "--host", "0.0.0.0"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "0.0.0.0 is no loopback address" in done.stderr
