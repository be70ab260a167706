"""``python -m local.demo``: run the whole pipeline on recorded events and show the lineage.

Nothing of it is left, whether it ends by itself or by a signal.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import requests

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
    bodies = [(scenario, body) for scenario in SCENARIOS for body in scenario.bodies()]
    with running_stack(ENVIRONMENT) as stack:
        since = datetime.now(UTC)
        problems = _send(stack, bodies)
        problems += wait(Inbox(stack.azurite.connection_string, since))
        problems += show(stack, [body for _, body in bodies], ENVIRONMENT)
        return end(stack, problems, len(bodies), time.monotonic() - started)


def _send(stack: Stack, bodies: Sequence[Any]) -> list[str]:
    """Post every event as its agent did; return a sentence for each that was refused."""
    problems: list[str] = []
    statuses: dict[int, int] = {}
    with progress() as bar, requests.Session() as session:
        task = bar.add_task("Posting recorded events", total=len(bodies))
        for scenario, body in bodies:
            bar.update(task, description=f"Posting: {scenario.title}")
            answer = session.post(stack.receiver + scenario.route, body, headers=stack.key_header, timeout=10)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if answer.status_code not in (200, 202):
                problems.append(f"an event of {scenario.title} was answered {answer.status_code}: {answer.text}")
            bar.advance(task)
    talk.print(f"{len(bodies)} events posted: {statuses.get(202, 0)} kept, {statuses.get(200, 0)} without lineage")
    return problems


if __name__ == "__main__":
    command("python -m local.demo", _PURPOSE, main)
