"""Cases that wait for the ten minutes of a message's lock, on the local host and on Azure's trigger engine."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.engine.availability import skip_without_engine
from tests.engine.hosts import ENGINE, RUNNERS, TriggerApp
from tests.local.host.sample import eventually, prepared

LOCK_SECONDS = 600
#: The lock, a poll that is a minute late, and much patience.
PATIENCE_SECONDS = 1200.0


@pytest.fixture(params=RUNNERS)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TriggerApp]:
    if request.param == ENGINE:
        skip_without_engine()
    with Azurite(tmp_path / "azurite.log") as azurite:
        made = prepared(TriggerApp(azurite, tmp_path, runs_on=request.param, longest_hold=int(PATIENCE_SECONDS)))
        yield made
        made.kill_all()


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_work_of_a_dead_host_is_delivered_again_and_that_of_a_living_one_is_not(
    app: TriggerApp, record_property: Callable[[str, object], None]
) -> None:
    poison = f"{app.queue('work')}-poison"
    app.queues.create_queue(poison)
    dead = app.runner("on_blob", "on_message", "on_poison").start()
    began = time.monotonic()
    app.put(dead, "runs/a", "hold a")
    app.send_plain("hold b")
    app.send_plain("twice fail", queue=poison)
    for function in ("on_blob", "on_message", "on_poison"):
        app.until_reported(function, 1)
    dead.kill()
    with app.runner("on_blob", "on_message", "on_poison"):
        app.send_plain("hold c")
        app.until_reported("on_message", 2)
        for function, count in (("on_blob", 2), ("on_message", 3), ("on_poison", 2)):
            eventually(lambda f=function, n=count: len(app.reports(f)) >= n, function, PATIENCE_SECONDS)  # type: ignore[misc]
            passed = time.monotonic() - began
            assert passed > LOCK_SECONDS - 60
            record_property("figure", f"{app.runs_on}: {function} came back {passed:.0f} s after it was taken")
        for name in ("a", "b", "c"):
            app.release(name)
        for queue in (app.blob_queue, app.queue("work")):
            eventually(lambda q=queue: app.count(q) == 0, "the end of all messages")  # type: ignore[misc]
    # The one that was held for longer than the lock was renewed, and taken once.
    assert [(report["body"], report["attempt"]) for report in app.reports("on_message")] == [
        ("hold b", 1),
        ("hold c", 1),
        ("hold b", 2),
    ]
    assert [report["attempt"] for report in app.reports("on_poison")] == [1, 2]
    assert app.count(poison) == 1
