"""The command ``sparklin verify``: what it prints and writes of the claims that it checks, and its exit code."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import verify
from cli.checks.endpoint import Receiver
from cli.main import app
from cli.verification.claim import Claim
from cli.verification.processing import Trial
from core.version import VERSION
from pipeline.services import Services

HOLDS, FAILS, OPEN = (
    Claim(name, f"the claim {name}", "docs/access.md").judged(holds, f"seen by s3cret {name}")
    for name, holds in (("holds", True), ("fails", False), ("open", None))
)
Verify = Callable[..., Result]


@pytest.fixture
def run(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Runs the command, which finds these claims."""
    environment = {
        "LINEAGE_STORAGE": services.settings.lineage_storage.connection_string,
        "PURVIEW_ENDPOINT": services.settings.purview_endpoint,
        "PURVIEW_AUTH": "none",
        "SPARKLIN_RECEIVER": "http://127.0.0.1:1/",
        "SPARKLIN_FUNCTION_KEY": "s3cret",
    }
    monkeypatch.chdir(tmp_path)

    def verified(*claims: Claim, words: tuple[str, ...] = (), **instead: str) -> Result:
        def found(trial: Trial, app_insights: str, template: Path) -> Iterator[Claim]:
            assert (trial.receiver, app_insights) == (Receiver("http://127.0.0.1:1", "s3cret"), "")
            assert (trial.seconds, trial.is_private, str(template)) == (120, False, "infra/azuredeploy.json")
            yield from claims

        monkeypatch.setattr(verify, "_claims", found)
        return CliRunner().invoke(app, ["verify", *words], env={**environment, **instead})

    return verified


@pytest.mark.parametrize(
    ("claims", "code", "counts"),
    [
        ((HOLDS, OPEN), 0, (1, 0, 1)),
        ((HOLDS, FAILS), 1, (1, 1, 0)),
        ((), 0, (0, 0, 0)),
    ],
)
def test_a_refuted_claim_is_an_error(
    claims: tuple[Claim, ...], code: int, counts: tuple[int, ...], run: Verify, tmp_path: Path
) -> None:
    result = run(*claims)

    shown: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, tuple(shown[name] for name in ("verified", "refuted", "unknown"))) == (code, counts)
    assert (shown["app"], shown["command"], shown["network"]) == (None, VERSION, "public")
    assert json.loads((tmp_path / "sparklin-verify.json").read_text("utf-8")) == shown
    assert (tmp_path / "sparklin-verify.md").read_text("utf-8").startswith("# sparklin verify\n")
    assert result.stderr == "report: sparklin-verify.md, sparklin-verify.json\n"
    assert "s3cret" not in result.stdout
    assert "127.0.0.1" not in result.stdout


def test_people_see_each_claim(run: Verify) -> None:
    assert run(HOLDS, FAILS, OPEN, words=("--text",)).stdout.splitlines() == [
        "verified holds: seen by … holds",
        "refuted  fails: seen by … fails",
        "unknown  open: seen by … open",
    ]


def test_names_of_hosts_are_shown_if_wanted(run: Verify) -> None:
    assert json.loads(run(words=("--names",)).stdout)["receiver"] == "127.0.0.1:1"


@pytest.mark.parametrize(
    ("words", "instead", "said"),
    [
        ((), {"SPARKLIN_RECEIVER": "app"}, "give --receiver, and the key in SPARKLIN_FUNCTION_KEY"),
        ((), {"SPARKLIN_FUNCTION_KEY": ""}, "give --receiver, and the key in SPARKLIN_FUNCTION_KEY"),
        (("--report", "none/report"), {}, "none is not a folder that can be written to"),
    ],
)
def test_usage_errors(words: tuple[str, ...], instead: dict[str, str], said: str, run: Verify) -> None:
    result = run(HOLDS, words=words, **instead)

    assert (result.exit_code, result.stdout, said in result.stderr) == (2, "", True)


@pytest.mark.parametrize(("address", "is_private"), [("10.0.0.4", True), ("20.60.1.1", False), ("127.0.0.1", False)])
def test_a_private_receiver_is_known_by_its_address(
    address: str, is_private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, _: [(0, 0, 0, "", (address, 0))] if host == "app" else [])

    assert verify._is_private(Receiver("https://app", "key")) is is_private


def test_a_host_that_is_not_known_is_not_private(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    assert verify._is_private(Receiver("https://app", "key")) is False
