"""``sparklin send`` against its own receiver, which answers as the app does."""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.tasks import send_events
from pipeline.receive import Receiver, receive_batch
from tests.receiver.test_receive import LIMITS, NOW, RULES, new
from tests.support.events import body
from tests.support.hostile import Kept
from tests.support.http_server import QuietHandler, serving

CONTRACT = json.loads((Path(__file__).parents[2] / "docs" / "contracts" / "send.schema.json").read_text("utf-8"))


class Door:
    """What the receiver does: it keeps events, after a number of failures."""

    def __init__(self, most: int = 1000) -> None:
        self.store = Kept()
        self.receiver = Receiver(LIMITS, RULES, self.store)
        self.most = most
        self.failures: list[int] = []
        self.batches: list[int] = []
        self.keys: set[str] = set()
        self.url = ""

    def answer(self, sent: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self.keys.add(headers["x-functions-key"])
        if self.failures:
            status = self.failures.pop()
            return status, json.dumps({"status": "rejected", "reason": "not now", "run": None}).encode()
        size = len(sent.splitlines()) if headers["content-type"].endswith("ndjson") else len(json.loads(sent))
        if size > self.most:
            return 413, json.dumps({"status": "rejected", "reason": "too many", "run": None}).encode()
        self.batches.append(size)
        status, answer = receive_batch(sent, dict(headers), self.receiver, NOW)
        return status, json.dumps(answer).encode()


@contextmanager
def opened(door: Door) -> Iterator[Door]:
    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.answer(*door.answer(self.body(), {name.lower(): value for name, value in self.headers.items()}))

    with serving(Handler) as port:
        door.url = f"http://127.0.0.1:{port}"
        yield door


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(send_events, "_PAUSES", (0.0, 0.0))
    with opened(Door()) as found:
        yield found


def send(door: Door, *paths: object, stdin: bytes = b"", key: str = "the key") -> Result:
    environment = {"SPARKLIN_RECEIVER": door.url, "SPARKLIN_FUNCTION_KEY": key}
    return CliRunner().invoke(app, ["send", *map(str, paths)], env=environment, input=stdin)


def shown(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, CONTRACT)
    return {name: found[name] for name in ("events", "kept", "ignored", "rejected")}


def test_files_in_every_form_arrive_unchanged(door: Door, tmp_path: Path) -> None:
    sent = [body(new()) for _ in range(7)]
    (tmp_path / "one.json").write_bytes(sent[0])
    (tmp_path / "array.json").write_bytes(b"[" + b", ".join(sent[1:3]) + b"]")
    (tmp_path / "lines.ndjson.gz").write_bytes(gzip.compress(b"\n".join(sent[3:5])))
    (tmp_path / "lineage_1732900000").write_bytes(sent[5] + b"\n")
    (tmp_path / "notes.txt").write_text("no event")

    result = send(door, tmp_path, "-", stdin=sent[6])

    assert result.exit_code == 0, result.stderr
    assert shown(result) == {"events": 7, "kept": 7, "ignored": 0, "rejected": 0}
    assert sorted(door.store.bodies_kept) == sorted(sent)
    assert door.keys == {"the key"}


def test_answers_are_counted_with_their_reasons_and_five_bad_lines_are_named(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "lineage_1"
    ignored, kept = body(new(job="app.collect_limit", outputs=[])), body(new())
    file.write_bytes(b"\n".join([kept, ignored, *[b"{half"] * 3, *[b'{"run": {}}'] * 4, kept]))

    result = send(door, file)

    assert result.exit_code == 1
    assert shown(result) == {"events": 10, "kept": 2, "ignored": 1, "rejected": 7}
    lines = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines[:3]] == [f"{file}, line {number}" for number in (3, 4, 5)]
    assert len(lines) == 6
    assert lines[-1].startswith("… and 2 more: ")
    reasons = {each["reason"]: each["events"] for each in json.loads(result.stdout)["reasons"]}
    assert reasons["it is not JSON"] == 3
    assert reasons["it names an output"] == 2


@pytest.mark.parametrize("failures", [[503], [429, 500]])
def test_a_receiver_that_is_busy_is_asked_again(door: Door, tmp_path: Path, failures: list[int]) -> None:
    file = tmp_path / "e.json"
    file.write_bytes(body(new()))
    door.failures = failures

    assert send(door, file).exit_code == 0
    assert len(door.store.bodies_kept) == 1


@pytest.mark.parametrize(
    ("failures", "word"), [([503] * 9, "503: not now"), ([401], "function key"), ([404], "404: not now")]
)
def test_what_was_not_sent_is_an_error(door: Door, tmp_path: Path, failures: list[int], word: str) -> None:
    file = tmp_path / "e.json"
    file.write_bytes(body(new()))
    door.failures = failures

    result = send(door, file)

    assert (result.exit_code, result.stdout) == (1, "")
    assert word in result.stderr
    assert "the key" not in result.stderr


def test_a_receiver_that_is_away_is_an_error(tmp_path: Path, door: Door) -> None:
    file = tmp_path / "e.json"
    file.write_bytes(body(new()))
    door.url = "http://127.0.0.1:1"
    assert "did not answer" in send(door, file).stderr


def test_batches_are_small_and_a_receiver_with_a_lower_limit_gets_smaller_ones(tmp_path: Path, door: Door) -> None:
    file = tmp_path / "e.jsonl"
    file.write_bytes(b"\n".join(body(new()) for _ in range(1201)))
    door.most = 300

    assert shown(send(door, file))["kept"] == 1201
    assert len(door.store.bodies_kept) == 1201
    assert max(door.batches) <= 300


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([1, 1, 1], [[1, 1, 1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
        # With the comma or bracket behind each, ten bytes in all.
        ([4, 4], [[4, 4]]),
        ([4, 5], [[4], [5]]),
        ([1, 20, 1], [[1], [20], [1]]),
        ([20], [[20]]),
    ],
)
def test_batches_have_a_number_and_a_size(
    sizes: list[int], batches: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_events, "_BATCH_EVENTS", 3)
    monkeypatch.setattr(send_events, "_BATCH_BYTES", 10)
    items = (send_events.Item(b"x" * size, "") for size in sizes)
    assert [[len(item.body) for item in batch] for batch in send_events._batches(items)] == batches


@pytest.mark.parametrize(
    ("paths", "key", "word"),
    [
        (["missing.json"], "k", "no such file"),
        (["https://onelake.blob.fabric.microsoft.com/w/i?sig=secret"], "k", "without key or query"),
        (["-"], "", "SPARKLIN_FUNCTION_KEY"),
    ],
)
def test_usage_errors(door: Door, paths: list[str], key: str, word: str) -> None:
    result = send(door, *paths, key=key)

    assert result.exit_code == 2
    assert word in " ".join(result.stderr.replace("│", " ").split())


def test_a_folder_without_events_is_no_success(door: Door, tmp_path: Path) -> None:
    result = send(door, tmp_path)

    assert result.exit_code == 1
    assert "no event files" in result.stderr


def test_people_see_counts_and_reasons(door: Door, tmp_path: Path) -> None:
    ignored, kept = body(new(job="app.collect_limit", outputs=[])), body(new())
    (tmp_path / "lineage_1").write_bytes(b"\n".join([kept, ignored, kept]))

    lines = send(door, tmp_path, "--text").stdout.splitlines()

    reasons = sorted(line.split(maxsplit=2)[:2] for line in lines[1:])
    assert (lines[0], reasons) == ("3 events: 2 kept, 1 ignored, 0 rejected", [["1", "ignored"], ["2", "kept"]])
    assert lines[1].startswith("      2 kept      ")


def test_events_are_sent_to_the_local_stack(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".local").mkdir()
    stack = {"receiver": door.url, "functionKey": "its key", "dataMap": "", "storage": ""}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack))
    (tmp_path / "e.json").write_bytes(body(new()))
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["send", "e.json", "--local"], env={"SPARKLIN_RECEIVER": "https://other"})

    assert (result.exit_code, door.keys, len(door.store.bodies_kept)) == (0, {"its key"}, 1)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    file.write_bytes(body(new()))

    result = CliRunner().invoke(
        app, ["send", str(file)], env={"SPARKLIN_RECEIVER": "app", "SPARKLIN_FUNCTION_KEY": "k"}
    )

    assert (result.exit_code, "give --receiver https://" in result.stderr) == (2, True)
