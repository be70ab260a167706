"""Queue functions: what they get, how often a failing message is tried, and where it ends."""

from datetime import datetime

import pytest

from tests.local.host.sample import SampleApp, encoded, eventually


def test_a_message_arrives_with_its_properties(app: SampleApp) -> None:
    with app.host():
        app.send(encoded({"n": "é"}))
        (told,) = app.until_told("on_message", 1)
    assert told["body"] == {"n": "é"}
    assert told["attempt"] == 1
    assert datetime.fromisoformat(told["inserted"]).tzinfo is not None
    assert datetime.fromisoformat(told["expires"]) > datetime.fromisoformat(told["inserted"])


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_failing_message_ends_in_the_poison_queue(app: SampleApp, attempts: int) -> None:
    text = encoded({"fail": True})
    with app.host(AzureFunctionsJobHost__extensions__queues__maxDequeueCount=str(attempts)):
        app.send(text)
        poison = f"{app.queue('work')}-poison"
        assert eventually(lambda: app.messages(poison), "poison") == [text]
    assert [telling["attempt"] for telling in app.tellings("on_message")] == list(range(1, attempts + 1))


def test_a_message_that_is_no_base64_is_poison(app: SampleApp) -> None:
    with app.host():
        app.send('{"n": 1}')
        poison = f"{app.queue('work')}-poison"
        assert eventually(lambda: app.messages(poison), "poison") == ['{"n": 1}']
    assert app.tellings("on_message") == []


def test_without_encoding_messages_are_plain_text(app: SampleApp) -> None:
    with app.host(AzureFunctionsJobHost__extensions__queues__messageEncoding="none"):
        app.send('{"n": 1}')
        assert app.until_told("on_message", 1)[0]["body"] == {"n": 1}


def test_a_failed_message_waits_for_its_visibility_timeout(app: SampleApp) -> None:
    with app.host(AzureFunctionsJobHost__extensions__queues__visibilityTimeout="00:10:00"):
        app.send(encoded({"fail": True}))
        app.until_told("on_message", 1)
        with pytest.raises(AssertionError):
            eventually(lambda: len(app.tellings("on_message")) > 1, "another attempt", seconds=1.5)


def test_a_disabled_function_takes_nothing(app: SampleApp) -> None:
    with app.host(**{"AzureWebJobs.on_message.Disabled": "true"}):
        app.send(encoded({"n": 1}))
        with pytest.raises(AssertionError):
            eventually(lambda: app.tellings("on_message"), "a call", seconds=1)
