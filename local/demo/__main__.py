"""``python -m local.demo``: run the whole pipeline on recorded events and show where a column comes from.

It leaves nothing behind, whether it ends by itself or by a signal.
"""

import time

from local.demo.event_folder import FOLDER
from local.demo.recorded import play
from local.demo.scenarios import ENVIRONMENT, QUESTION, SCENARIOS
from local.demo.steps import answer, check, command, end, running_stack

_PURPOSE = """\
Try Sparklin on this machine, without an Azure account: start storage (Azurite), a Data Map in place of Purview and a
host for the functions; send recorded events of real Spark applications; show where a column of a gold table comes
from, and by which formulas.

On a terminal, the lineage page works until Ctrl-C, and so does `sparklin … --local`, unless the stack of `make up` runs
too. Otherwise the demo ends by itself. Nothing is left of it in either case.
"""


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    bodies = [body for scenario in SCENARIOS for body in scenario.bodies()]
    with running_stack(ENVIRONMENT, event_folder=FOLDER) as stack:
        problems = play(stack)
        problems += check(stack, bodies, ENVIRONMENT)
        problems += answer(stack, *QUESTION)
        return end(stack, problems, len(bodies), time.monotonic() - started)


if __name__ == "__main__":
    command("python -m local.demo", _PURPOSE, main)
