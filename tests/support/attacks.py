"""Requests designed to cost far more than a normal one, and the cost of each.

Sizes are such that work which grows with what a body expands to, or faster, is seen at once.
"""

import gzip
import json
import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.big_plan import big_event
from pipeline.receive import Receiver, receive, receive_batch
from receiver.request_limits import Limits
from tests.support.events import body, dataset, event
from tests.support.hostile import NOW, RULES, Discarded

EXPANDED = 32 * 1024 * 1024 - 2_000
Content = Callable[[], bytes]


@dataclass(frozen=True)
class Attack:
    """A request; ``status`` and ``named`` are the answer and a word of its reason."""

    name: str
    content: Content
    status: int
    named: str = ""
    is_gzip: bool = False
    is_batch: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Encoding": "gzip"} if self.is_gzip else {}


@dataclass(frozen=True)
class Cost:
    """What a request cost: CPU seconds, peak bytes without the body itself, log lines, bytes of the answer."""

    cpu: float
    memory: int
    log_lines: int
    answer: int


def cost(attack: Attack) -> tuple[int, str, Cost]:
    """The status and the JSON of the answer, and what the request cost: the best of three for CPU."""
    content, receiver = attack.content(), Receiver(Limits(), RULES.receiver, Discarded())
    take = receive_batch if attack.is_batch else receive
    cpu = min(_cpu(lambda: take(content, attack.headers, receiver, NOW)) for _ in range(3))
    with _lines() as lines:
        tracemalloc.start()
        status, answer = take(content, attack.headers, receiver, NOW)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    text = json.dumps(answer)
    return status, text, Cost(cpu, peak, len(lines), len(text))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@contextmanager
def _lines() -> Iterator[list[str]]:
    """The lines logged by the pipeline meanwhile."""
    lines: list[str] = []
    log, handler = logging.getLogger("pipeline"), logging.Handler(logging.INFO)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def normal() -> bytes:
    """An event as agents send them by the thousand."""
    columns = [f"column_{number}" for number in range(10)]
    written = dataset("out", columns, {column: [("in", column)] for column in columns})
    return body(event(inputs=[dataset("in", columns)], outputs=[written]))


def with_items(inputs: bytes) -> bytes:
    """An event with raw JSON in the place of its inputs."""
    whole = json.dumps({**event(outputs=[dataset("out")]), "inputs": "@"})
    return whole.encode().replace(b'"@"', inputs)


def with_outputs(columns: bytes) -> bytes:
    """An event with raw JSON in the place of its output's columns."""
    output: Any = dataset("out")
    output["facets"] = {"schema": {"fields": "@"}}
    return json.dumps(event(outputs=[output])).encode().replace(b'"@"', columns)


def with_plan(nodes: bytes) -> bytes:
    """An event with raw JSON in the place of its plan."""
    whole: Any = event(outputs=[dataset("out")])
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": "@"}
    return json.dumps(whole).encode().replace(b'"@"', nodes)


def array(item: bytes, count: int) -> bytes:
    """An array of one item, many times."""
    return b"[" + (item + b",") * (count - 1) + item + b"]"


def filling(item: bytes) -> int:
    """How many items fill the largest body."""
    return EXPANDED // (len(item) + 1)


def zipped(content: Content) -> Content:
    """The same, compressed as far as it goes."""
    return lambda: gzip.compress(content(), 9)


@cache
def largest() -> bytes:
    """The largest event that users have reported."""
    return json.dumps(big_event()).encode()


_NODE = b'{"class":"a.Project","num-children":1}'
_PARTS = ".".join(f"{number:x}" for number in range(13_000))

ATTACKS = (
    Attack("inputs: 16 million zeros in gzip", zipped(lambda: with_items(array(b"0", filling(b"0")))), 413,
           "MAX_EXPANSION_RATIO", is_gzip=True),
    Attack("inputs: 16 million zeros", lambda: with_items(array(b"0", filling(b"0"))), 413, "MAX_SEPARATORS"),
    Attack("inputs: 1.9 million zeros", lambda: with_items(array(b"0", 1_900_000)), 413, "MAX_DATASETS"),
    Attack("inputs: 900,000 empty objects", lambda: with_items(array(b"{}", 900_000)), 413, "MAX_DATASETS"),
    Attack("columns: 900,000", lambda: with_outputs(array(b"{}", 900_000)), 413, "MAX_COLUMNS"),
    Attack("plan: 500,000 nodes", lambda: with_plan(array(_NODE, 500_000)), 413, "MAX_PLAN_NODES"),
    Attack("plan: 11 million empty arrays", lambda: with_plan(array(b"[]", filling(b"[]"))), 413, "MAX_SEPARATORS"),
    Attack("32 MB of spaces in gzip", zipped(lambda: b" " * EXPANDED), 413, "MAX_EXPANSION_RATIO", is_gzip=True),
    Attack("300 MB of zeros in gzip", lambda: gzip.compress(bytes(300_000_000), 1), 413, "MAX_EX", is_gzip=True),
    Attack("1,000,000 members of gzip", lambda: gzip.compress(b"") * 1_000_000, 400, "members", is_gzip=True),
    Attack("a job name of 13,000 parts", lambda: body(event(job_name=_PARTS)), 202),
    Attack("a job name of 65,536 dots", lambda: body(event(job_name="." * 65_536)), 200),
    Attack("batch: 16 million zeros in gzip", zipped(lambda: array(b"0", filling(b"0"))), 413,
           "MAX_EXPANSION_RATIO", is_gzip=True, is_batch=True),
    Attack("batch: 100,000 zeros in gzip", zipped(lambda: array(b"0", 100_000)), 413, "MAX_BATCH_ITEMS",
           is_gzip=True, is_batch=True),
    Attack("batch: 1.9 million zeros", lambda: array(b"0", 1_900_000), 413, "MAX_BATCH_ITEMS", is_batch=True),
    Attack("batch: 1,000 zeros in gzip", zipped(lambda: array(b"0", 1_000)), 200, is_gzip=True, is_batch=True),
)  # fmt: skip

ACCEPTED = (
    Attack("the largest event reported, in gzip", zipped(largest), 202, is_gzip=True),
    Attack("32 MB of spaces", lambda: with_items(b"[" + b" " * (EXPANDED - 1_000) + b"]"), 202),
    Attack("20,000 inputs", lambda: with_items(array(json.dumps(dataset("in")).encode(), 19_999)), 202),
    Attack("250,000 columns", lambda: with_outputs(array(b'{"name":"a"}', 250_000)), 202),
    Attack("plan: 1.9 million empty objects", lambda: with_plan(array(b"{}", 950_000)), 202),
    Attack("one string of 32 MB", lambda: with_plan(b'["' + b"x" * (EXPANDED - 1_000) + b'"]'), 202),
)
