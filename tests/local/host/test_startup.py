"""Starting and stopping: clear error messages, and nothing interrupted on SIGTERM."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from local import environment
from local.host import worker
from local.host.__main__ import listening_socket
from local.host.connections import place
from local.host.errors import HostError
from local.stack.parts import ROOT, FunctionHost
from tests.local.host.sample import SECONDS, SampleApp, ask, eventually

pytestmark = pytest.mark.xdist_group("host startup")

APP = "import azure.functions as func\napp = func.FunctionApp()\n"
QUEUE = '@app.queue_trigger(arg_name="m", queue_name="{queue}", connection="NO_STORE")\ndef f({argument}): pass\n'
HTTP = '@app.route(route="{route}")\ndef {name}(req): return "ok"\n'


def try_to_host(folder: Path, source: str | None, *options: str, host_json: str = "{}") -> str:
    """Host an app that can't be hosted, and return the error message."""
    (folder / "host.json").write_text(host_json)
    if source is not None:
        (folder / "function_app.py").write_text(source)
    ended = subprocess.run(
        [sys.executable, "-m", "local.host", "--app-dir", str(folder), "--port", "0", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert "listening on" not in ended.stdout
    return ended.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "There is no function_app.py"),
        ("x = 1", "must define one FunctionApp at its top level, not 0"),
        (APP + "other = func.FunctionApp()", "must define one FunctionApp at its top level, not 2"),
        (
            APP + HTTP.format(route="a", name="same") + HTTP.format(route="b", name="same"),
            "same does not have a unique function name",
        ),
        (
            APP + '@app.event_grid_trigger(arg_name="event")\ndef f(event): pass\n',
            "Function f: triggers of type eventGridTrigger are not hosted locally",
        ),
        (
            APP + QUEUE.format(queue="q", argument="msg"),
            "Function f: its trigger is called m, but it has no such parameter",
        ),
        (APP + QUEUE.format(queue="q", argument="m, other"), "Function f: no binding for other"),
        (APP + QUEUE.format(queue="%NO_SUCH%", argument="m"), "Function f, queueName: %NO_SUCH% does not resolve"),
        (
            APP + '@app.table_output("$return", "t", "S")\n' + HTTP.format(route="a", name="f"),
            "Function f: bindings of type table are not hosted locally",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_app_that_can_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, said: str
) -> None:
    if source is not None:
        (tmp_path / "function_app.py").write_text(source)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "function_app", raising=False)
    with pytest.raises(HostError, match=re.escape(said)):
        worker.load_functions(tmp_path, {})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        (APP + QUEUE.format(queue="q", argument="m"), "error: Setting NO_STORE is missing"),
        (APP + HTTP.format(route="{a:odd}", name="f"), "error: Route api/{a:odd}: the constraint odd is not known"),
    ],
)
def test_errors_are_reported_at_the_terminal(tmp_path: Path, source: str, said: str) -> None:
    assert said in try_to_host(tmp_path, source)


def test_wrong_settings_are_reported_one_per_line(tmp_path: Path) -> None:
    source = "from core.errors import SettingsError\nraise SettingsError(('A is missing', 'B is no number'))"
    assert try_to_host(tmp_path, source) == "error: A is missing\nerror: B is no number\n"


@pytest.mark.exhaustive
def test_storage_that_does_not_answer_is_named_soon_and_sigterm_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    trigger = '@app.blob_trigger(arg_name="b", path="c/{n}", connection="STORE", source="EventGrid")\ndef f(b): pass\n'
    (tmp_path / "function_app.py").write_text(APP + trigger)
    secret = "c2VjcmV0LWtleQ=="
    services = ";".join(f"{kind}Endpoint=http://127.0.0.1:1/a" for kind in ("Blob", "Queue"))
    store = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={secret};{services}"
    with subprocess.Popen(
        [sys.executable, "-m", "local.host", "--app-dir", str(tmp_path), "--port", "0"],
        cwd=ROOT,
        env={**environment.variables(), "STORE": store, "AzureWebJobsStorage": store},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = [process.stderr.readline()]
        while "The storage at http://127.0.0.1:1 does not answer yet" not in said[-1]:
            assert said[-1], said
            said.append(process.stderr.readline())
        process.terminate()
        said.append(process.stderr.read())
        assert process.wait(SECONDS) == 0
    assert "Traceback" not in "".join(said)
    assert "cannot join thread" not in "".join(said)
    assert secret not in "".join(said)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10000"),
        ("https://a.blob.core.windows.net/?sv=1&sig=secret", "https://a.blob.core.windows.net"),
        ("https://user:secret@host:1/x", "https://host:1"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert place(url) == shown


def test_a_broken_host_json_is_named(tmp_path: Path) -> None:
    assert "host.json is no JSON" in try_to_host(tmp_path, APP, host_json="{")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_other_machines_can_not_be_let_in(address: str) -> None:
    with pytest.raises(HostError, match="loopback addresses only"):
        listening_socket(address, 0)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError, match=f"Port {port} of localhost can't be used"):
            listening_socket("localhost", port)


def test_sigterm_lets_a_running_request_finish(app: SampleApp) -> None:
    host = app.host().start()
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(host, "GET", "/api/outcome/slow")))
    asking.start()
    eventually(lambda: "Executing 'Functions.outcome'" in host.output(), "the call")
    host.stop()
    asking.join(SECONDS)
    assert [answer.status_code for answer in answers] == [200]


@pytest.mark.exhaustive
def test_sigterm_ends_with_success_even_while_a_blob_is_in_work(app: SampleApp, tmp_path: Path) -> None:
    app.upload("runs/a.json", "hold for ever")
    host = app.host()
    command = host.command()
    with (tmp_path / "output.log").open("wb") as log:
        process = subprocess.Popen(
            command.arguments, cwd=command.folder, env=dict(command.environment), stdout=log, stderr=log
        )
        app.until_reported("on_blob", 1)
        process.terminate()
        assert process.wait(SECONDS) == 0


@pytest.mark.exhaustive
def test_a_host_keeps_its_port_over_a_restart(served: FunctionHost) -> None:
    before = served.url
    served.kill()
    served.start()
    assert served.url == before
    assert ask(served, "GET", "/api/open").status_code == 200


@pytest.mark.exhaustive
def test_settings_of_the_file_count_unless_the_environment_says_otherwise(app: SampleApp, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"IsEncrypted": false, "Values": {"AzureWebJobs.open_to_all.Disabled": "true", "SCHEDULE": "not a schedule"}}'
    )
    with app.host("--settings", str(path)) as host:
        assert ask(host, "GET", "/api/open").status_code == 404
