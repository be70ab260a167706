"""Blob functions with Event Grid: the local host and Azure's trigger engine do the same, and leave the same in storage.

What is expected was recorded from the WebJobs SDK; each scenario runs on both.
"""

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue import QueueMessage

from tests.engine.hosts import ENGINE, LOCAL_HOST, TriggerApp
from tests.local.host.sample import encoded, eventually, lifetime

pytestmark = pytest.mark.exhaustive

POISON = "webjobs-blobtrigger-poison"
WEEK = timedelta(days=7)
PROPERTIES = {
    "AcceptRanges": "bytes",
    "AccessTier": "Hot",
    "AccessTierChangedOn": "a date",
    "AccessTierInferred": True,
    "ArchiveStatus": None,
    "BlobCommittedBlockCount": 0,
    "BlobCopyStatus": None,
    "BlobSequenceNumber": 0,
    "BlobType": 0,
    "CacheControl": None,
    "ContentDisposition": None,
    "ContentEncoding": None,
    "ContentHash": "XUFAKrxLKna5cZ2REBfFkg==",
    "ContentLanguage": None,
    "ContentLength": 5,
    "ContentType": "application/octet-stream",
    "CopyCompletedOn": "no date",
    "CopyId": None,
    "CopyProgress": None,
    "CopySource": None,
    "CopyStatus": 0,
    "CopyStatusDescription": None,
    "CreatedOn": "a date",
    "DestinationSnapshot": None,
    "ETag": {},
    "EncryptionKeySha256": None,
    "EncryptionScope": None,
    "ExpiresOn": "no date",
    "HasLegalHold": False,
    "ImmutabilityPolicy": {"ExpiresOn": None, "PolicyMode": None},
    "IsIncrementalCopy": False,
    "IsLatestVersion": False,
    "IsSealed": False,
    "IsServerEncrypted": True,
    "LastAccessed": "no date",
    "LastModified": "a date",
    "LeaseDuration": 0,
    "LeaseState": 0,
    "LeaseStatus": 1,
    "Metadata": {"eventType": "COMPLETE", "Mixed": "x"},
    "ObjectReplicationDestinationPolicyId": None,
    "ObjectReplicationSourceProperties": None,
    "RehydratePriority": None,
    "TagCount": 0,
    "VersionId": None,
}


def without_dates(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties with the kind of each date in its place."""

    def plain(value: Any) -> Any:
        if value == "0001-01-01T00:00:00+00:00":
            return "no date"
        return "a date" if isinstance(value, str) and re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]+\+00:00", value) else value

    return {name: plain(value) for name, value in properties.items()}


def decoded(text: object) -> str:
    return base64.b64decode(str(text)).decode()


def poison(app: TriggerApp, blob: str) -> list[QueueMessage]:
    """The poison messages of a blob; all apps of a storage account share that queue."""
    named = f'"{app.container}",\n  "BlobName": "{blob}"'
    return [message for message in app.messages(POISON) if named in decoded(message.content)]


def test_a_function_gets_a_blob_with_its_properties(served: TriggerApp) -> None:
    (runner,) = served.runners
    served.put(runner, "runs/a b/ü 1.json", "hello", {"eventType": "COMPLETE", "Mixed": "x"})
    (report,) = served.until_reported("on_blob", 1)

    assert without_dates(report.pop("properties")) == PROPERTIES
    assert report == {
        "function": "on_blob",
        "name": f"{served.container}/runs/a b/ü 1.json",
        "uri": f"{served.azurite.blob_url}/{served.container}/runs/a%20b/%C3%BC%201.json",
        "length": 5,
        "content": "hello",
        "metadata": {"eventType": "COMPLETE", "Mixed": "x"},
    }


def test_a_notification_becomes_a_message_that_expires_after_a_week(app: TriggerApp) -> None:
    with app.runner(blobs__maxDegreeOfParallelism="1") as runner:
        app.put(runner, "runs/first.json", "hold a")
        app.until_reported("on_blob", 1)
        app.put(runner, "runs/r1/ü 2.json", "x")
        (message,) = app.messages(app.blob_queue)
        app.release("a")
        app.until_reported("on_blob", 2)
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of both messages")

    assert decoded(message.content) == (
        '{\n  "Type": "BlobTrigger",\n  "FunctionId": "Host.Functions.on_blob",\n  "BlobType": "BlockBlob",\n'
        f'  "ContainerName": "{app.container}",\n  "BlobName": "runs/r1/ü 2.json",\n'
        '  "ETag": "\\"0x8D4BCC2E4835CD0\\""\n}'
    )
    assert message.dequeue_count == 0
    assert lifetime(message) == WEEK


def test_a_host_creates_only_the_queue_of_its_notifications(app: TriggerApp) -> None:
    def made() -> tuple[set[str], list[str]]:
        queues = {str(queue.name) for queue in app.queues.list_queues() if app.container in str(queue.name)}
        containers = [each.name for each in app.blobs.list_containers()]
        return queues - {app.queue("seen"), app.queue("work")}, [name for name in containers if "webjobs" in name]

    with app.runner() as runner:
        assert made() == (set(), [])
        app.put(runner, "runs/a.json", "x")
        app.until_reported("on_blob", 1)
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of the message")
        assert made() == ({app.blob_queue}, [])


HANDSHAKE = {"data": {"validationCode": "ABC-123"}}
WEBHOOK = [
    ("handshake", "SubscriptionValidation", [HANDSHAKE], 200),
    ("handshake of one event", "SubscriptionValidation", HANDSHAKE, 200),
    ("handshake without a code", "SubscriptionValidation", [{"data": {}}], 500),
    ("no event", "Notification", [], 202),
    ("no JSON", "Notification", "hello", 500),
    ("nothing", "Notification", "", 500),
    ("unsubscribe", "Unsubscribe", [], 202),
    ("another type", "SomethingElse", [], 400),
    ("no type", None, [], 400),
]


def test_the_webhook_answers(served: TriggerApp) -> None:
    (runner,) = served.runners
    for case, kind, body, status in WEBHOOK:
        for function in ("Host.Functions.on_blob", "Host.Functions.nobody"):
            answer = runner.notify(body, function, kind)
            assert (case, answer.status_code) == (case, status)
            if status == 200:
                assert answer.text == '{"validationResponse":"ABC-123"}'
                assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert runner.is_running


#: By case: what the notification says of an existing blob, the answer, and how often the blob runs.
NOTIFICATIONS: dict[str, tuple[dict[str, Any], int, int]] = {
    "a blob": ({}, 202, 1),
    "no eTag": ({"eTag": None}, 202, 1),
    "an eTag in quotes": ({"eTag": '"0x1"'}, 202, 1),
    "another kind of blob": ({"blobType": "AppendBlob"}, 202, 1),
    "a kind in lower case": ({"blobType": "blockblob"}, 500, 0),
    "no kind": ({"blobType": None}, 500, 0),
    "an unknown kind": ({"blobType": "Nonsense"}, 500, 0),
    "no address": ({"url": None}, 500, 0),
    "an empty address": ({"url": ""}, 500, 0),
    "no address at all": ({"url": "garbage"}, 500, 0),
    "another account": ({"url": "https://myaccount.blob.core.windows.net/CONTAINER/runs/BLOB"}, 202, 1),
    "no such blob": ({"url": "https://myaccount.blob.core.windows.net/CONTAINER/runs/gone"}, 202, 0),
    "no such container": ({"url": "https://myaccount.blob.core.windows.net/nothing-here/runs/BLOB"}, 202, 0),
    "outside the pattern": ({"url": "https://myaccount.blob.core.windows.net/CONTAINER/other/BLOB"}, 202, 1),
}


def test_what_of_a_notification_counts(served: TriggerApp) -> None:
    def filled(instead: dict[str, Any], blob: str) -> dict[str, Any]:
        url = instead.get("url")
        return {**instead, "url": url.replace("CONTAINER", served.container).replace("BLOB", blob)} if url else instead

    (runner,) = served.runners
    for number, (case, (instead, status, _)) in enumerate(NOTIFICATIONS.items()):
        for folder in ("runs", "other"):
            served.upload(f"{folder}/{number}", "x")
        answer = runner.notify([served.event(f"runs/{number}", **filled(instead, str(number)))])
        assert (case, answer.status_code) == (case, status)
    served.put(runner, "runs/last", "x")
    served.until_reported("on_blob", 1 + sum(runs for _, _, runs in NOTIFICATIONS.values()))
    eventually(lambda: served.count(served.blob_queue) == 0, "the end of all messages")
    ran = {name.rpartition("/")[2] for name in served.names()}
    assert ran == {"last", *(str(n) for n, (_, _, runs) in enumerate(NOTIFICATIONS.values()) if runs)}


@pytest.mark.parametrize("kind", ["Notification", "notification"])
def test_a_notification_of_several_is_taken_up_to_the_first_that_is_malformed(served: TriggerApp, kind: str) -> None:
    for name in ("runs/a", "runs/b"):
        served.upload(name, "x")
    (runner,) = served.runners
    events = [served.event("runs/a"), {"data": {}}, served.event("runs/b")]
    assert runner.notify(events, kind=kind).status_code == 500
    served.put(runner, "runs/c", "x")
    served.until_reported("on_blob", 2)
    eventually(lambda: served.count(served.blob_queue) == 0, "the end of all messages")
    assert served.names() == ["runs/a", "runs/c"]


def test_an_event_that_is_announced_again_runs_again(served: TriggerApp) -> None:
    served.upload("runs/a", "x")
    (runner,) = served.runners
    event = served.event("runs/a")
    assert runner.notify([event, event]).status_code == 202
    assert runner.notify(event).status_code == 202
    assert runner.notify({**event, "eventType": "Microsoft.Storage.BlobDeleted"}).status_code == 202
    served.until_reported("on_blob", 4)
    eventually(lambda: served.count(served.blob_queue) == 0, "the end of all messages")
    assert served.names() == ["runs/a"] * 4


#: The short name of each function, in addition to its id. Azure's host lets the SDK build it from the name of the type;
#: this engine names its functions by an attribute.
SHORT_NAMES = {LOCAL_HOST: "Functions.on_blob", ENGINE: "on_blob"}


def test_a_notification_for_another_name_is_taken_and_dropped(served: TriggerApp) -> None:
    (runner,) = served.runners
    short = SHORT_NAMES[served.runs_on]
    others = {*SHORT_NAMES.values(), "host.functions.on_blob", "Host.Functions.nobody", ""} - {short}
    served.upload("runs/a", "x")
    for function in (*others, short):
        assert runner.notify([served.event("runs/a")], function).status_code == 202
    served.put(runner, "runs/last", "x")
    served.until_reported("on_blob", 2)
    eventually(lambda: served.count(served.blob_queue) == 0, "the end of all messages")
    assert served.names() == ["runs/a", "runs/last"]
    assert poison(served, "runs/a") == []


@pytest.mark.parametrize("case", ["no function", "no blob"])
def test_a_notification_that_names_nothing_to_run_is_taken_and_ends_the_host(app: TriggerApp, case: str) -> None:
    runner = app.runner().start()
    url = f"{app.azurite.blob_url}/{app.container}" + ("/runs/a" if case == "no function" else "")
    function = None if case == "no function" else "Host.Functions.on_blob"
    assert runner.notify([app.event("", url=url)], function).status_code == 202
    eventually(lambda: not runner.is_running, "the end of the host")
    # It is hidden until the lock ends, and would end the next host.
    assert (app.count(app.blob_queue), app.messages(app.blob_queue)) == (1, [])


def test_a_blob_that_fails_is_tried_to_the_threshold_and_then_poison(served: TriggerApp) -> None:
    (runner,) = served.runners
    served.put(runner, "runs/bad.json", "fail")
    message = eventually(lambda: poison(served, "runs/bad.json"), "poison")[0]
    eventually(lambda: served.count(served.blob_queue) == 0, "the end of the message")
    assert served.names() == ["runs/bad.json"] * 3  # poisonBlobThreshold of the sample app
    assert decoded(message.content) == decoded(served.blob_message("runs/bad.json")).replace("0x1", "0x8D4BCC2E4835CD0")
    assert message.dequeue_count == 0
    assert lifetime(message) == WEEK


@pytest.mark.parametrize(("times", "runs"), [(2, 1), (3, 0)])
def test_a_message_over_which_hosts_died_is_tried_up_to_the_threshold(app: TriggerApp, times: int, runs: int) -> None:
    app.upload("runs/a", "fail")
    app.queues.create_queue(app.blob_queue)
    app.send_dequeued(app.blob_message("runs/a"), app.blob_queue, times)
    with app.runner():
        eventually(lambda: poison(app, "runs/a"), "poison")
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of the message")
    assert app.names() == ["runs/a"] * runs


def test_a_blob_that_changes_before_its_turn_runs_with_its_new_content(app: TriggerApp) -> None:
    with app.runner(blobs__maxDegreeOfParallelism="1") as runner:
        app.put(runner, "runs/first", "hold a")
        app.until_reported("on_blob", 1)
        for name in ("deleted", "written again"):
            app.put(runner, f"runs/{name}", "old")
        app.blobs.get_blob_client(app.container, "runs/deleted").delete_blob()
        app.put(runner, "runs/written again", "new")
        app.release("a")
        app.until_reported("on_blob", 3)
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of all messages")
    reports = app.reports("on_blob")[1:]
    assert [(each["name"].rpartition("/")[2], each["content"]) for each in reports] == [("written again", "new")] * 2
    assert poison(app, "runs/deleted") == []


NAMES = (
    "a b",
    "ümläut",
    "%20 and %2F",
    "plus+",
    "hash#",
    "what?",
    "it's",
    "📄",
    "two//slashes",
    "x" * 895,
    "/".join("61" for _ in range(60)),
    ";&,=@:$!*()",
    '"quoted"',
    "[]{}|^<>`",
)


def test_names_of_all_kinds_arrive(served: TriggerApp) -> None:
    (runner,) = served.runners
    for name in NAMES:
        served.put(runner, f"runs/{name}", "x")
    # Without encoding they are understood too.
    served.upload("runs/raw ä", "x")
    raw = f"{served.azurite.blob_url}/{served.container}/runs/raw ä"
    assert runner.notify([served.event("", url=raw)]).status_code == 202
    served.until_reported("on_blob", len(NAMES) + 1)
    assert served.names() == sorted([*(f"runs/{name}" for name in NAMES), "runs/raw ä"])


def test_a_message_of_the_blob_queue_that_is_no_base64_is_dropped(app: TriggerApp) -> None:
    app.queues.create_queue(app.blob_queue)
    app.send("no base64!", app.blob_queue)
    with app.runner() as runner:
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of the message")
        assert runner.is_running


@pytest.mark.parametrize("times", [0, 6])
@pytest.mark.parametrize("text", ["hello", "{}", '{"FunctionId": null}'])
def test_a_message_of_the_blob_queue_without_a_function_ends_the_host(app: TriggerApp, text: str, times: int) -> None:
    app.queues.create_queue(app.blob_queue)
    app.send_dequeued(encoded(text), app.blob_queue, times)
    runner = app.runner().start()
    eventually(lambda: not runner.is_running, "the end of the host")
    assert (app.count(app.blob_queue), app.messages(app.blob_queue)) == (1, [])


#: By maxDegreeOfParallelism: how many have begun at first, and after each of three has ended.
BEGUN = {1: [1, 2, 3, 4], 2: [2, 2, 4, 4], 3: [2, 4, 4, 6], 4: [3, 3, 6, 6]}


@pytest.mark.parametrize("degree", BEGUN)
def test_the_next_blobs_are_taken_when_few_enough_are_in_work(app: TriggerApp, degree: int) -> None:
    names = [str(number) for number in range(6)]
    app.queues.create_queue(app.blob_queue)
    for name in names:
        app.upload(f"runs/{name}", f"hold {name}")
        app.send(app.blob_message(f"runs/{name}"), app.blob_queue)
    with app.runner(blobs__maxDegreeOfParallelism=str(degree)):
        for ended, begun in enumerate(BEGUN[degree]):
            if ended:
                app.release(str(app.reports("on_blob")[ended - 1]["content"]).removeprefix("hold "))
            app.until_reported("on_blob", begun)
            run_others(app)
            assert (ended, len(app.names())) == (ended, begun)
        for name in names:
            app.release(name)
        app.until_reported("on_blob", len(names))
        eventually(lambda: app.count(app.blob_queue) == 0, "the end of all messages")
    assert app.names() == [f"runs/{name}" for name in names]


def run_others(app: TriggerApp) -> None:
    """Let some messages run, one after the other, which gives anything else time to begin."""
    before = len(app.bodies())
    for number in range(3):
        app.send_plain("other")
        app.until_reported("on_message", before + number + 1)
