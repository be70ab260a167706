"""Queue functions under the local host: what its settings do. The rest is in tests/engine."""

import pytest

from tests.local.host.sample import SampleApp, encoded


@pytest.mark.exhaustive
def test_without_encoding_messages_are_plain_text(app: SampleApp) -> None:
    with app.host(AzureFunctionsJobHost__extensions__queues__messageEncoding="none"):
        app.send("plain")
        assert app.until_reported("on_message", 1)[0]["body"] == "plain"


@pytest.mark.exhaustive
def test_a_disabled_function_takes_nothing(app: SampleApp) -> None:
    other = f"{app.queue('work')}-poison"
    app.queues.create_queue(other)
    with app.host(**{"AzureWebJobs.on_message.Disabled": "true"}):
        app.send(encoded("a"))
        app.send(encoded("b"), other)
        app.until_reported("on_poison", 1)
    assert app.reports("on_message") == []
