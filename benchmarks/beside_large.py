"""How long small events wait while the receiver takes the largest bodies that it accepts.

.venv/bin/python -m benchmarks.beside_large [--seconds 20]

Small events arrive at a steady rate at one local host, first alone, then while two senders post the costliest accepted
bodies without a pause. The second of these always waits, because a worker takes one large body at a time. Nothing is
parsed meanwhile: on Azure, functions triggered by HTTP run on their own instances.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from local.stack.lifecycle import Stack
from tests.support.attacks import ACCEPTED, Attack, normal

RATE = 20
_SENDERS = 2


@dataclass(frozen=True)
class Waits:
    """Milliseconds that small events waited for their answers, and the answers to large bodies by status."""

    beside: str
    median: float
    p99: float
    large: Counter[int]


def waits(stack: Stack, seconds: float) -> Iterator[Waits]:
    """Measure with nothing else, and next to each of the most expensive bodies."""
    stack.misdeliver_events(drop=True)
    yield Waits("nothing", *_small(stack, seconds), Counter())
    for attack in ACCEPTED:
        with _posting(stack, attack) as answers:
            median, p99 = _small(stack, seconds)
        yield Waits(attack.name, median, p99, answers)


@contextmanager
def _posting(stack: Stack, attack: Attack) -> Iterator[Counter[int]]:
    """Send the body without a pause; the answers by status."""
    answers: Counter[int] = Counter()
    content, over = attack.content(), threading.Event()

    def send() -> None:
        while not over.is_set():
            answers[_post(stack, content, attack.headers)] += 1

    senders = [threading.Thread(target=send) for _ in range(_SENDERS)]
    for sender in senders:
        sender.start()
    try:
        yield answers
    finally:
        over.set()
        for sender in senders:
            sender.join()


def _small(stack: Stack, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds; a late answer does not delay the next event."""
    content = normal()

    def timed() -> float:
        began = time.perf_counter()
        status = _post(stack, content, {})
        if status != 202:
            raise RuntimeError(f"a small event was answered with {status}")
        return 1000 * (time.perf_counter() - began)

    began, sent = time.monotonic(), []
    with ThreadPoolExecutor(32) as pool:
        for number in range(int(RATE * seconds)):
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            sent.append(pool.submit(timed))
    took = [each.result() for each in sent]
    return statistics.median(took), statistics.quantiles(took, n=100)[-1]


def _post(stack: Stack, content: bytes, headers: dict[str, str]) -> int:
    url, known = f"{stack.receiver}/api/v1/lineage", {**stack.key_header, "Content-Type": "application/json", **headers}
    return requests.post(url, data=content, headers=known, timeout=60).status_code


def table(found: Iterator[Waits]) -> Iterator[str]:
    """The table in Markdown, a line at a time."""
    yield "| large body | median ms | p99 ms | large bodies answered |"
    yield "|---|---|---|---|"
    for each in found:
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(each.large.items()))
        yield f"| {each.beside} | {each.median:.0f} | {each.p99:.0f} | {answers} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        for row in table(waits(stack, options.seconds)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
