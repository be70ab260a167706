"""The recorded events of the demo, sent as agents send them: over HTTP, and as a file that is collected."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cli.event_files import EventFile, local_files
from cli.tasks.send_events import NotSent, send_events, target
from local.demo.check import Inbox
from local.demo.event_folder import put_file
from local.demo.scenarios import SCENARIOS
from local.demo.steps import progress, talk, wait
from local.stack.lifecycle import Stack


def play(stack: Stack) -> list[str]:
    """Send all events, and wait until their outcomes are known; return a sentence for each that is missing."""
    inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
    problems = _send(stack)
    return problems + wait(inbox, _collect(stack))


def _send(stack: Stack) -> list[str]:
    """Send every event as ``sparklin send --local`` does; return a sentence for each that was refused."""
    sent_by_agents = [scenario for scenario in SCENARIOS if not scenario.file]
    with progress() as bar:
        task = bar.add_task("Sending recorded events", total=sum(len(each.files()) for each in sent_by_agents))

        def files() -> Iterator[EventFile]:
            for scenario in sent_by_agents:
                bar.update(task, description=f"Sending: {scenario.title}")
                for file in local_files(scenario.files()):
                    yield file
                    bar.advance(task)

        try:
            sent = send_events(files(), target(stack.receiver, stack.keys.function))
        except NotSent as error:
            return [str(error)]
    talk.print(
        f"{sent.answers.total()} events sent: {sent.total('kept')} kept, {sent.total('ignored')} without lineage"
    )
    return sent.problems.named


def _collect(stack: Stack) -> list[bytes]:
    """Let the app collect the files that agents wrote, as on Fabric; return the events in them."""
    found = []
    for scenario in SCENARIOS:
        if scenario.file:
            put_file(stack, (scenario.folder / scenario.file).read_bytes(), scenario.file)
            found += list(scenario.bodies())
            talk.print(f"A file with {len(scenario.files())} events is collected: {scenario.title}")
    stack.fire_timer("collect")
    return found
