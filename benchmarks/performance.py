"""Print docs/performance.md: measure everything that the page shows, which takes about half an hour.

.venv/bin/python -m benchmarks.performance > docs/performance.md
"""

import os
import platform
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from benchmarks import beside_large, collector, cpu, doors, growth
from benchmarks.load import under_load
from local.stack.lifecycle import Stack
from tests.support.attacks import ACCEPTED, ATTACKS, cost

_RATE = 20
_SECONDS = 30
_MEGABYTE = 1_000_000


def page() -> str:
    """The whole page, in Markdown; its prose is in performance.txt."""
    made = {
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "cpus": str(os.cpu_count()),
        "busy": f"{os.getloadavg()[1]:.1f}",
        "growth": "\n".join(growth.table(growth.lines())),
        "cpu": "\n".join(cpu.table(cpu.recordings())),
        "attacks": "\n".join(_attacks()),
        "beside": "\n".join(_beside_large()),
        "doors": "\n".join(doors.table()),
        "collector": "\n".join(collector.table()),
        "load": "\n".join(_load()),
        "rate": str(_RATE),
    }
    return Template(Path(__file__).with_suffix(".txt").read_text("utf-8")).substitute(made).rstrip()


def _attacks() -> Iterator[str]:
    yield "| request | bytes sent | answer | CPU ms | memory MB |"
    yield "|---|---|---|---|---|"
    for attack in (*ATTACKS, *ACCEPTED):
        status, _, found = cost(attack)
        sent, memory = len(attack.content()), found.memory / _MEGABYTE
        yield f"| {attack.name} | {sent:,} | {status} | {1000 * found.cpu:,.1f} | {memory:,.1f} |"


def _beside_large() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        yield from beside_large.table(beside_large.waits(stack, _SECONDS))


def _load() -> Iterator[str]:
    names = ("sent a second", "failed", "median ms", "p95 ms", "kept events processed a second", "host MB")
    yield f"| hosts | {' | '.join(names)} |"
    yield f"|{'---|' * (len(names) + 1)}"
    for hosts in (1, 2):
        with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), hosts=hosts) as stack:
            found = under_load(stack, _RATE, _SECONDS)
        yield f"| {hosts} | {' | '.join(f'{found[name]:g}' for name in names)} |"


if __name__ == "__main__":
    print(page())
