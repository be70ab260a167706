"""Queue functions: the local host and Azure's trigger engine do the same, and leave the same in storage."""

import base64
from datetime import datetime, timedelta

import pytest

from tests.engine.hosts import TriggerApp
from tests.local.host.sample import encoded, eventually, lifetime

pytestmark = pytest.mark.exhaustive

WEEK = timedelta(days=7)
LOCK = timedelta(minutes=10)


def poison_queue(app: TriggerApp) -> str:
    return f"{app.queue('work')}-poison"


def until_empty(app: TriggerApp, queue: str = "") -> None:
    eventually(lambda: app.count(queue or app.queue("work")) == 0, "the end of all messages")


def test_a_function_gets_a_message_with_its_properties(served: TriggerApp) -> None:
    client = served.queues.get_queue_client(served.queue("work"))
    sent = client.send_message(encoded("ü"), time_to_live=-1)
    (report,) = served.until_reported("on_message", 1)
    inserted, expires, visible = (datetime.fromisoformat(report[name]) for name in ("inserted", "expires", "visible"))
    assert (report["body"].encode("latin-1").decode(), report["id"], report["attempt"]) == ("ü", sent.id, 1)
    assert report["receipt"]
    assert inserted == sent.inserted_on
    assert expires.isoformat() == "9999-12-31T23:59:59+00:00"
    assert visible - inserted >= LOCK


#: By case: what is on the queue, and the bytes that the function gets.
READABLE = {
    "an empty text": ("", b""),
    "base64 with a line break": (encoded("a line") + "\n", b"a line"),
    "base64 broken in two": (encoded("two lines")[:4] + "\r\n" + encoded("two lines")[4:], b"two lines"),
    "as much as a message holds": (encoded("x" * 49_152), b"x" * 49_152),
    "base64 by chance": ("abcd", base64.b64decode("abcd")),
}


@pytest.mark.parametrize("case", READABLE)
def test_a_text_that_is_base64_in_any_form_arrives(served: TriggerApp, case: str) -> None:
    text, body = READABLE[case]
    served.send(text)
    (report,) = served.until_reported("on_message", 1)
    assert report["body"].encode("latin-1")[:50] == body[:50]
    assert len(report["body"]) == len(body)
    until_empty(served)


def test_a_message_that_fails_is_tried_to_the_limit_and_then_poison(app: TriggerApp) -> None:
    assert app.count(poison_queue(app)) is None
    client = app.queues.get_queue_client(app.queue("work"))
    with app.runner("on_message"):
        client.send_message(encoded("fail"), time_to_live=-1)
        (message,) = eventually(lambda: app.messages(poison_queue(app)), "poison")
        until_empty(app)
    assert [each["attempt"] for each in app.reports("on_message")] == [1, 2, 3]  # maxDequeueCount of the sample app
    assert (message.content, message.dequeue_count, lifetime(message)) == (encoded("fail"), 0, WEEK)


def test_a_failed_message_waits_for_its_visibility_timeout(app: TriggerApp) -> None:
    with app.runner("on_message", queues__visibilityTimeout="00:10:00"):
        app.send_plain("fail")
        app.until_reported("on_message", 1)
        # Others are processed meanwhile, but not this one.
        for number in range(3):
            app.send_plain(str(number))
            app.until_reported("on_message", number + 2)
    assert (app.bodies(), app.count(app.queue("work"))) == (["fail", "0", "1", "2"], 1)


def test_a_failed_message_comes_back_after_its_visibility_timeout(app: TriggerApp) -> None:
    with app.runner("on_message", queues__visibilityTimeout="00:00:01"):
        app.send_plain("fail")
        eventually(lambda: app.messages(poison_queue(app)), "poison")
    assert [each["attempt"] for each in app.reports("on_message")] == [1, 2, 3]


@pytest.mark.parametrize(("times", "attempts"), [(2, [3]), (3, []), (5, [])])
def test_a_message_over_which_hosts_died_is_tried_up_to_the_limit(
    app: TriggerApp, times: int, attempts: list[int]
) -> None:
    app.send_dequeued(encoded("fail"), app.queue("work"), times)
    with app.runner("on_message"):
        eventually(lambda: app.messages(poison_queue(app)), "poison")
        until_empty(app)
    assert [each["attempt"] for each in app.reports("on_message")] == attempts


def test_a_message_that_is_no_base64_is_poison_without_an_attempt(app: TriggerApp) -> None:
    with app.runner("on_message", queues__visibilityTimeout="00:10:00"):
        app.send('{"run":"plain"}')
        (message,) = eventually(lambda: app.messages(poison_queue(app)), "poison")
        until_empty(app)
    assert (message.content, lifetime(message)) == ('{"run":"plain"}', WEEK)
    assert app.reports("on_message") == []


def test_a_poison_message_that_is_no_base64_reaches_nobody(app: TriggerApp) -> None:
    with app.runner("on_message", "on_poison"):
        app.send('{"run":"plain"}')
        until_empty(app)
        app.send_plain("readable", queue=poison_queue(app))
        app.until_reported("on_poison", 1)
        eventually(lambda: app.count(poison_queue(app)) == 1, "the end of the message that can be read")
    assert app.bodies("on_poison") == ["readable"]
    # It stays there, hidden, until it expires.
    assert app.messages(poison_queue(app)) == []


def test_a_poison_function_is_handed_what_has_failed(served: TriggerApp) -> None:
    served.send_plain("fail")
    (report,) = served.until_reported("on_poison", 1)
    assert (report["body"], report["attempt"]) == ("fail", 1)
    until_empty(served, poison_queue(served))


def test_a_message_of_a_poison_queue_that_fails_is_neither_released_nor_moved(app: TriggerApp) -> None:
    queue = poison_queue(app)
    app.queues.create_queue(queue)
    with app.runner("on_poison", queues__visibilityTimeout="00:00:00"):
        app.send_plain("twice fail", queue=queue)
        app.until_reported("on_poison", 1)
        for number in range(3):
            app.send_plain(str(number), queue=queue)
            app.until_reported("on_poison", number + 2)
        eventually(lambda: app.count(queue) == 1, "the end of the others")
    assert app.bodies("on_poison") == ["twice fail", "0", "1", "2"]
    assert app.messages(queue) == []  # It is locked for ten minutes.
    assert app.count(f"{queue}-poison") is None


def test_a_message_of_a_poison_queue_is_tried_however_often_it_failed(app: TriggerApp) -> None:
    queue = poison_queue(app)
    app.queues.create_queue(queue)
    app.send_dequeued(encoded("again"), queue, 7)
    with app.runner("on_poison"):
        (report,) = app.until_reported("on_poison", 1)
        until_empty(app, queue)
    assert (report["body"], report["attempt"]) == ("again", 8)


def test_a_listener_does_not_create_its_queue_and_finds_it_once_it_exists(app: TriggerApp) -> None:
    queue = app.queue("work")
    app.queues.delete_queue(queue)
    with app.runner("on_message", "on_poison") as runner:
        assert (app.count(queue), app.count(poison_queue(app))) == (None, None)
        app.queues.create_queue(queue)
        app.send_plain("made")
        app.until_reported("on_message", 1)
        app.queues.delete_queue(queue)
        app.queues.create_queue(queue)
        app.send_plain("made again")
        app.until_reported("on_message", 2)
        assert runner.is_running


#: By (batchSize, newBatchThreshold): how many have begun at first, and after each of three has ended.
BEGUN = {
    (1, 0): [1, 2, 3, 4],
    (2, 0): [2, 2, 4, 4],
    (1, 1): [2, 3, 4, 5],
    (2, 1): [2, 4, 4, 6],
    (3, 0): [3, 3, 3, 6],
}


@pytest.mark.parametrize("places", BEGUN, ids=str)
def test_the_next_messages_are_taken_when_few_enough_are_in_work(app: TriggerApp, places: tuple[int, int]) -> None:
    orders = [f"hold {number}" for number in range(6)]
    app.send_plain(*orders)
    with app.runner(queues__batchSize=str(places[0]), queues__newBatchThreshold=str(places[1])) as runner:
        for ended, begun in enumerate(BEGUN[places]):
            if ended:
                app.release(app.bodies()[ended - 1].removeprefix("hold "))
            app.until_reported("on_message", begun)
            app.run_others(runner)
            assert (ended, len(app.bodies())) == (ended, begun)
        for order in orders:
            app.release(order.removeprefix("hold "))
        app.until_reported("on_message", len(orders))
        until_empty(app)
    assert sorted(app.bodies()) == orders
