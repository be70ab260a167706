"""From a POST to its answer, with real storage: a 202 means stored, and an unwanted event is not an error."""

import gzip
import json
import logging
import re
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from core.envelope import read_envelope
from core.errors import StorageUnavailable
from core.event_model import Envelope
from core.storage_connection import StorageConnection
from local.azurite import ACCOUNT_KEY, ACCOUNT_NAME
from pipeline.receive import Answer, Receiver, _give_up_early, _log_batch, receive, receive_batch, unavailable
from receiver.accept import ReceiverRules
from receiver.receipt import Outcome, Receipt
from receiver.request_limits import Limits
from storage.clients import StorageClients, connect
from storage.event_store import EventStore
from tests.support.events import body, dataset, event
from tests.support.processes import PATIENCE

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(1_000_000, 2_000_000)
RULES = ReceiverRules(exclude_jobs=(re.compile("^secret"),))
#: Seconds that an answer about storage does not take even on a busy machine; without a budget, it takes minutes.
FAR_ABOVE = 30.0
LAST = "execute_insert_into_hadoop_fs_relation_command.out"


@pytest.fixture
def store(storage_clients: StorageClients) -> EventStore:
    """The store on Azurite."""
    return EventStore(storage_clients, budget_seconds=PATIENCE)


@pytest.fixture
def down() -> Iterator[EventStore]:
    """A store that never answers, with a budget of half a second."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{ACCOUNT_NAME}"
        endpoints = ";".join(f"{service}Endpoint={url}" for service in ("Blob", "Queue", "Table"))
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY};{endpoints}"
        yield EventStore(connect(StorageConnection(connection_string=text)), budget_seconds=0.5)


def new(event_type: str = "COMPLETE", job: str = f"app.{LAST}", run: str = "", **more: Any) -> dict[str, Any]:
    """An event that writes, of a new run."""
    more.setdefault("outputs", [dataset("out")])
    return event(event_type, run=run or str(uuid.uuid4()), job_name=job, **more)


def post(store: EventStore, data: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Receive one body."""
    return receive(data, headers or {}, Receiver(LIMITS, RULES, store), NOW)


def post_batch(store: EventStore, events: object) -> Answer:
    """Receive an array."""
    return receive_batch(json.dumps(events).encode(), {}, Receiver(LIMITS, RULES, store), NOW)


def stored(store: EventStore, whole: Mapping[str, Any]) -> list[bytes]:
    """What is stored of the event's run."""
    return [data for _, data in store.bodies(store.names(whole["run"]["runId"]))]


def test_a_wanted_event_is_on_disk_when_it_is_answered(store: EventStore) -> None:
    whole = new()
    status, answer = post(store, body(whole))
    assert (status, answer["status"], answer["run"]) == (202, "kept", whole["run"]["runId"])
    assert stored(store, whole) == [body(whole)]


def test_blanks_around_an_event_make_it_no_other_event(store: EventStore) -> None:
    whole = new()
    assert post(store, body(whole))[0] == 202
    assert post(store, b"\n " + body(whole) + b"\r\n")[0] == 202
    assert stored(store, whole) == [body(whole)]


def test_the_expanded_body_is_stored(store: EventStore) -> None:
    whole = new()
    packed = gzip.compress(body(whole))
    assert post(store, packed, {"Content-Encoding": "gzip"})[0] == 202
    assert post(store, body(whole))[0] == 202
    assert stored(store, whole) == [body(whole)]


@pytest.mark.parametrize(
    "more", [{"job": f"secret.{LAST}"}, {"job": "app.collect_limit", "outputs": []}, {"job": "app", "outputs": []}]
)
def test_an_unwanted_event_is_no_error_and_not_stored(store: EventStore, more: dict[str, Any]) -> None:
    whole = new(**more)
    status, answer = post(store, body(whole))
    assert (status, answer["status"], answer["run"]) == (200, "ignored", whole["run"]["runId"])
    assert answer["reason"]
    assert stored(store, whole) == []


def test_an_event_without_a_run_is_no_error(store: EventStore) -> None:
    status, answer = post(store, b'{"schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent"}')
    assert (status, answer["status"], answer["run"]) == (200, "ignored", None)


REFUSED: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 400, "empty"),
    (b"", {"transfer-encoding": "chunked"}, 411, "compression"),
    (b"{}", {"content-encoding": "br"}, 415, "gzip"),
    (b"x" * 1_000_001, {}, 413, "MAX_BODY_BYTES"),
    (b"no json", {}, 400, "$"),
    (b'{"run": {}}', {}, 400, "$.run.runId"),
    (b"[]", {}, 400, "$"),
]


@pytest.mark.parametrize(("data", "headers", "status", "word"), REFUSED)
def test_a_refusal_says_what_to_change(
    store: EventStore, data: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    found, answer = post(store, data, headers)
    assert (found, answer["status"]) == (status, "rejected")
    assert word in answer["reason"]


def test_storage_that_is_down_is_reported_within_the_budget(down: EventStore) -> None:
    began = time.monotonic()
    status, answer = post(down, body(new()))
    assert time.monotonic() - began < FAR_ABOVE
    assert (status, answer["status"]) == (503, "rejected")
    assert "again" in answer["reason"]
    assert ACCOUNT_KEY not in json.dumps(answer)


def test_what_is_not_wanted_needs_no_storage(down: EventStore) -> None:
    assert post(down, body(new(job="app.collect_limit", outputs=[])))[0] == 200


def test_a_batch_is_answered_item_by_item(store: EventStore) -> None:
    kept, ignored = new(), new(job="app.collect_limit", outputs=[])
    status, answer = post_batch(store, [kept, 5, ignored, {"run": {}}, kept])
    assert status == 202
    assert [item["code"] for item in answer["results"]] == [202, 400, 200, 400, 202]
    assert (answer["kept"], answer["ignored"], answer["rejected"]) == (2, 1, 2)
    assert len(stored(store, kept)) == 1


@pytest.mark.parametrize(("events", "status"), [([], 200), ([5], 200), ([new(job="app", outputs=[])], 200)])
def test_a_batch_in_which_nothing_is_kept_is_no_error(store: EventStore, events: object, status: int) -> None:
    assert post_batch(store, events)[0] == status


@pytest.mark.parametrize(
    "sent",
    [b'"text"', b"null", b"5", json.dumps(new(), indent=1).encode(), b"{half\n{}"],
    ids=["text", "null", "number", "indented", "half"],
)
def test_a_batch_is_an_array_or_lines(store: EventStore, sent: bytes) -> None:
    status, answer = post_lines(store, sent, "application/json")
    assert (status, answer["status"]) == (400, "rejected")
    assert answer["reason"].startswith("$: ")


def post_lines(store: EventStore, data: bytes, kind: str) -> Answer:
    """Receive a batch with a content type."""
    return receive_batch(data, {"Content-Type": kind}, Receiver(LIMITS, RULES, store), NOW)


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/x-ndjson; charset=utf-8", "application/json"])
def test_a_batch_of_lines_is_answered_line_by_line(store: EventStore, kind: str) -> None:
    kept, ignored = new(), new(job="app.collect_limit", outputs=[])
    lines = [body(kept), b"", body(ignored) + b"\r", b"{half", b'{"run": {}}', b"[]", body(kept)]

    status, answer = post_lines(store, b"\n".join(lines) + b"\n", kind)

    assert status == 202
    assert [item["code"] for item in answer["results"]] == [202, 200, 400, 400, 400, 202]
    assert (answer["kept"], answer["ignored"], answer["rejected"]) == (2, 1, 3)
    assert stored(store, kept) == [body(kept)]


def test_the_content_type_decides_where_the_first_line_is_broken(store: EventStore) -> None:
    sent = b"{half\n" + body(new())
    assert post_lines(store, sent, "application/x-ndjson")[0] == 202
    assert post_lines(store, sent, "application/json")[0] == 400


@pytest.mark.parametrize(("lines", "status"), [(1000, 200), (1001, 413)])
def test_a_batch_of_lines_has_a_limit(store: EventStore, lines: int, status: int) -> None:
    found, answer = post_lines(store, b"\n\n".join([b"5"] * lines), "application/x-ndjson")
    assert (found, "MAX_BATCH_ITEMS" in answer.get("reason", "")) == (status, status == 413)


def test_a_body_of_line_breaks_only_is_a_batch_of_nothing(store: EventStore) -> None:
    assert post_lines(store, b"\n" * 900_000, "application/x-ndjson") == (
        200,
        {"kept": 0, "ignored": 0, "rejected": 0, "results": []},
    )


def test_a_batch_that_storage_did_not_take_is_to_be_sent_again(down: EventStore) -> None:
    began = time.monotonic()
    status, answer = post_batch(down, [new(job="app", outputs=[]), new(), new(), 5])
    assert status == 503
    assert [item["code"] for item in answer["results"]] == [200, 503, 503, 400]
    assert time.monotonic() - began < FAR_ABOVE


def test_a_batch_sent_again_after_a_failure_is_stored_once(store: EventStore, down: EventStore) -> None:
    events = [new(), new()]
    assert post_batch(down, events)[0] == 503
    assert post_batch(store, events)[0] == post_batch(store, events)[0] == 202
    assert [len(stored(store, whole)) for whole in events] == [1, 1]


def test_one_line_is_logged_for_each_event_and_none_can_be_forged(
    store: EventStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pipeline")
    post(store, body(new(job=f"app\n{'x' * 5000}\x1b[2J\u2028.{LAST}", job_namespace="ns\r\nevent kept: run forged")))
    (record,) = caplog.records
    assert len(record.getMessage().splitlines()) == 1
    assert len(record.getMessage()) < 1500
    assert "\x1b" not in record.getMessage()
    assert "kept" in record.getMessage()


def test_what_is_rejected_of_a_batch_is_one_line_with_the_most_common_reasons(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="pipeline")
    monkeypatch.setattr("pipeline.receive._MOST_REASONS", 2)
    rejected = [
        Receipt(Outcome.REJECTED, reason, status) for reason, status in zip("abbccc", [400] * 5 + [503], strict=True)
    ]
    kept = Receipt(Outcome.KEPT, "wanted", 202, "run", "job")
    _log_batch([*rejected, kept], "tag")
    _log_batch(rejected[:3])
    lines = [json.loads(record.getMessage().removeprefix("step ")) for record in caplog.records]
    common = {key: [line.get(key) for line in lines] for key in ("outcome", "reason", "events", "status", "key")}
    assert common == {
        "outcome": ["kept", "rejected", "rejected"],
        "reason": ["wanted", "2 × b; 2 × c; 2 × other reasons", "2 × b; 1 × a"],
        "events": [None, 6, 3],
        "status": [202, 503, 400],
        "key": ["tag", None, None],
    }


def test_after_one_failure_nothing_more_of_a_batch_is_sent_to_storage() -> None:
    asked: list[bytes] = []

    def keep(_: Envelope, event: bytes) -> None:
        asked.append(event)
        if event == b"2":
            raise StorageUnavailable("down")

    keep_or_fail = _give_up_early(keep)
    envelope = read_envelope(body(new()))
    keep_or_fail(envelope, b"1")
    for sent in (b"2", b"3"):
        with pytest.raises(StorageUnavailable):
            keep_or_fail(envelope, sent)
    assert asked == [b"1", b"2"]


def test_a_stored_event_is_reported_once_per_run_if_nothing_else_reports_it(store: EventStore) -> None:
    reported: list[str] = []
    receiver = Receiver(LIMITS, RULES, store, notify=reported.append)
    first, second, ignored = new(), new(), new(job="app.collect_limit", outputs=[])

    assert receive(body(first), {}, receiver, NOW)[0] == 202
    assert receive(body(ignored), {}, receiver, NOW)[0] == 200
    assert receive_batch(json.dumps([first, second, second]).encode(), {}, receiver, NOW)[0] == 202

    runs = [each["run"]["runId"] for each in (first, second)]
    assert reported == [runs[0], *runs]


def test_an_event_that_cannot_be_reported_is_kept_all_the_same(store: EventStore) -> None:
    def failing(_: str) -> None:
        raise StorageUnavailable("the queue is away")

    whole = new()
    assert receive(body(whole), {}, Receiver(LIMITS, RULES, store, notify=failing), NOW)[0] == 202
    assert stored(store, whole) == [body(whole)]


def test_the_answer_while_storage_is_unavailable_says_to_send_again() -> None:
    assert unavailable(StorageUnavailable("storage is busy")) == (
        503,
        {"status": "rejected", "reason": "not stored, send it again: storage is busy", "run": None},
    )
