"""How cost grows: the same work at 10, 100, 1,000 and 10,000, and what each step of ten costs.

.venv/bin/python -m benchmarks.growth [WORD…]

Prints a table, only of the lines whose name contains one of the words if there are any. A step of ten times the work
should cost at most eleven times as much; a step that costs more is marked with ``!``. Lines are in the modules
``benchmarks/growth_*.py``, which are found by their name; ``line`` adds one.
"""

import importlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

SIZES = (10, 100, 1_000, 10_000)
#: The maximum cost of ten times the work.
MOST_A_STEP = 11

Measure = Callable[[int], float]


@dataclass(frozen=True)
class Line:
    """One line of the table: ``measure`` takes the size of the work and returns its cost in ``unit``."""

    name: str
    unit: str
    measure: Measure
    sizes: tuple[int, ...] = SIZES
    #: Below this, a cost is the noise of a clock, and the step from it is not judged.
    least: float = 0


_LINES: list[Line] = []


def line(name: str, unit: str, sizes: Sequence[int] = SIZES, least: float = 0) -> Callable[[Measure], Measure]:
    """Add the function to the table, as the line ``name``. It prepares its work itself and measures the rest."""

    def add(measure: Measure) -> Measure:
        _LINES.append(Line(name, unit, measure, tuple(sizes), least))
        return measure

    return add


def cpu_milliseconds(work: Callable[[], object], times: int = 3) -> float:
    """Milliseconds of CPU that the work takes, the minimum of several runs; other processes do not affect it."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(1000 * (time.process_time() - began))
    return min(found)


def decodes(body: bytes, work: Callable[[], object], times: int = 3) -> float:
    """The CPU time of the work, in times that ``msgspec.json.decode`` takes for ``body``."""
    rounds = max(1, 1_000_000 // max(1, len(body)))
    unit = cpu_milliseconds(lambda: [msgspec.json.decode(body) for _ in range(rounds)], times) / rounds
    return cpu_milliseconds(work, times) / unit


def table(lines: Iterable[Line]) -> Iterator[str]:
    """The table in Markdown, a line at a time, as it is measured."""
    yield f"| what grows | cost in | {' | '.join(f'{size:,}' for size in SIZES)} | steps |"
    yield f"|{'---|' * (len(SIZES) + 3)}"
    for each in lines:
        costs = [each.measure(size) for size in each.sizes]
        by_size = dict(zip(each.sizes, costs, strict=True))
        cells = [_number(by_size[size]) if size in by_size else "" for size in SIZES]
        yield f"| {each.name} | {each.unit} | {' | '.join(cells)} | {', '.join(_steps(each, costs))} |"


def _steps(each: Line, costs: Sequence[float]) -> Iterator[str]:
    for (size, cost), (more, other) in zip(
        zip(each.sizes, costs, strict=True), list(zip(each.sizes, costs, strict=True))[1:], strict=False
    ):
        judged = max(cost, each.least)
        ratio = other / judged if judged else 1.0
        allowed = MOST_A_STEP * (more / size) / 10
        yield f"× {ratio:.1f}{' !' if ratio > allowed and other > each.least else ''}"


def _number(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 100 or cost == int(cost) else f"{cost:.1f}" if cost >= 1 else f"{cost:.2f}"


def lines() -> list[Line]:
    """All lines of the modules ``growth_*``."""
    for module in sorted(Path(__file__).parent.glob("growth_*.py")):
        importlib.import_module(f"benchmarks.{module.stem}")
    return _LINES


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    chosen = [each for each in lines() if not words or any(word in each.name for word in words)]
    for row in table(chosen):
        print(row, flush=True)


if __name__ == "__main__":
    # Lines are added to the module of this name, whichever way it was started.
    from benchmarks import growth

    growth.main(sys.argv[1:])
