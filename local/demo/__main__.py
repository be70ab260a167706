"""``python -m local.demo``: run the whole pipeline on recorded events and show where a column comes from.

Nothing of it is left, whether it ends by itself or by a signal.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from cli.event_files import EventFile, local_files
from cli.tasks.send_events import NotSent, send_events, target
from local.demo.check import Inbox
from local.demo.event_folder import FOLDER, put_file
from local.demo.scenarios import ENVIRONMENT, QUESTION, SCENARIOS
from local.demo.steps import answer, check, command, end, progress, running_stack, talk, wait
from local.stack.lifecycle import Stack

_PURPOSE = """\
Try Sparklin on this machine, without an Azure account: start storage (Azurite), a Data Map in place of Purview and a
host for the functions; send recorded events of real Spark applications; show where a column of a gold table comes
from, and by which formulas.

On a terminal, the lineage page and `sparklin … --local` work until Ctrl-C. Otherwise the demo ends by itself. Nothing
is left of it in either case.
"""


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    bodies = [body for scenario in SCENARIOS for body in scenario.bodies()]
    with running_stack(ENVIRONMENT, event_folder=FOLDER) as stack:
        inbox = Inbox(stack.azurite.connection_string, datetime.now(UTC))
        problems = _send(stack)
        collected = _collect(stack)
        problems += wait(inbox, collected)
        problems += check(stack, bodies, ENVIRONMENT)
        problems += answer(stack, *QUESTION)
        return end(stack, problems, len(bodies), time.monotonic() - started)


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


if __name__ == "__main__":
    command("python -m local.demo", _PURPOSE, main)
