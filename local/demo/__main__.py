"""``python -m local.demo``: run the whole pipeline on recorded events and show the lineage.

Nothing of it is left, whether it ends by itself or by a signal.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from cli.event_files import EventFile, local_files
from cli.tasks.send_events import NotSent, send_events, target
from local.demo.check import Inbox
from local.demo.scenarios import ENVIRONMENT, SCENARIOS
from local.demo.steps import command, end, progress, running_stack, show, talk, wait
from local.stack.lifecycle import Stack

_PURPOSE = """\
Try Sparklin on this machine, without an Azure account: start storage (Azurite), a Data Map in place of Purview and a
host for the functions; post recorded events of real Spark applications; print the lineage.

On a terminal, the page that shows the lineage stays up until Ctrl-C. Otherwise the demo ends by itself. Nothing is
left of it in either case.
"""


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    bodies = [body for scenario in SCENARIOS for body in scenario.bodies()]
    with running_stack(ENVIRONMENT) as stack:
        since = datetime.now(UTC)
        problems = _send(stack, len(bodies))
        problems += wait(Inbox(stack.azurite.connection_string, since))
        problems += show(stack, bodies, ENVIRONMENT)
        return end(stack, problems, len(bodies), time.monotonic() - started)


def _send(stack: Stack, total: int) -> list[str]:
    """Send every event as ``sparklin send --local`` does; return a sentence for each that was refused."""
    with progress() as bar:
        task = bar.add_task("Sending recorded events", total=total)

        def files() -> Iterator[EventFile]:
            for scenario in SCENARIOS:
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
    return sent.named


if __name__ == "__main__":
    command("python -m local.demo", _PURPOSE, main)
