"""Sends events to the receiver in batches, and counts what it answered."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from cli.event_files import EventFile, events_of, where
from cli.tasks.problems import Problems
from core.errors import SparklinError
from core.threads import in_threads

# The receiver takes one body above 1 MiB at a time.
_BATCH_BYTES = 1024 * 1024 - 1
_BATCH_EVENTS = 500
_AT_ONCE = 4
_SECONDS = 230
_PAUSES = (1.0, 2.0, 4.0, 8.0)
_NO_ANSWER = "check the address; `sparklin doctor` checks the app, and `make up` starts a local one"


class NotSent(SparklinError):
    """The receiver is unavailable, or does not accept the key. What was sent before is stored; repeating is safe."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event on its way: its bytes, and the file and place that it comes from."""

    body: bytes
    origin: str


@dataclass(slots=True)
class Sent:
    """The outcomes of the events: how many by answer (kept, ignored, rejected) and reason.

    ``problems`` are the events that could not be read or were rejected.
    """

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: Problems = field(default_factory=Problems)

    def count(self, answer: str, reason: str, origin: str = "") -> None:
        """Count an event; one that was rejected is a problem."""
        self.answers[answer, reason] += 1
        if answer == "rejected":
            self.problems.add(origin, reason)

    def total(self, answer: str) -> int:
        return sum(count for (given, _), count in self.answers.items() if given == answer)


@dataclass(frozen=True, slots=True)
class Target:
    """The receiver: its address without a path, and a function key."""

    url: str
    key: str = field(repr=False)
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, batch: Sequence[Item]) -> list[dict[str, Any]]:
        """The answers to some events, in their order; a batch that is too large is sent in halves.

        :raises NotSent: the receiver did not answer, or not for each event, after several attempts.
        """
        answer = self._answer(b"[" + b",".join(item.body for item in batch) + b"]")
        if answer.status_code == 413 and len(batch) > 1:
            half = len(batch) // 2
            return [*self.post(batch[:half]), *self.post(batch[half:])]
        if answer.status_code == 401:
            raise NotSent(
                "the app does not accept the function key (401): set SPARKLIN_FUNCTION_KEY to one of its keys"
            )
        try:
            content = answer.json()
            results: list[dict[str, Any]] = content["results"] if "results" in content else [content] * len(batch)
        except (ValueError, TypeError):
            raise NotSent(f"the app answered {answer.status_code}; is {self.url} a Sparklin?") from None
        if answer.status_code not in (200, 202, 400, 413, 415):
            reason = results[0].get("reason", "")
            raise NotSent(f"the app answered {answer.status_code}: {reason}; `sparklin doctor` finds out why")
        return results

    def _answer(self, body: bytes) -> requests.Response:
        """The answer to a batch; while it is 429 or 5xx, or there is none, the batch is sent again."""
        headers = {"x-functions-key": self.key, "Content-Type": "application/json"}
        for pause in (*_PAUSES, None):
            try:
                answer = self.session.post(f"{self.url}/api/v1/lineage/batch", body, headers=headers, timeout=_SECONDS)
            except requests.RequestException as error:
                if pause is None:
                    raise NotSent(f"{self.url} did not answer ({type(error).__name__}): {_NO_ANSWER}") from None
            else:
                if pause is None or (answer.status_code != 429 and answer.status_code < 500):
                    return answer
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def target(url: str, key: str) -> Target:
    """The receiver at an address, with a connection for each concurrent batch."""
    found = Target(url, key)
    for scheme in ("http://", "https://"):
        found.session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=_AT_ONCE))
    return found


def send_events(files: Iterable[EventFile], receiver: Target, on_read: Callable[[int], None] = lambda _: None) -> Sent:
    """Send all events of some files; only a few batches are in memory at a time.

    ``on_read`` gets the number of bytes that were read each time.

    :raises NotSent: the receiver does not take them; what was sent before is stored.
    """
    sent = Sent()
    batches = _batches(_items(files, sent, on_read))
    while some := list(islice(batches, _AT_ONCE)):
        for batch, results in zip(some, in_threads(receiver.post, some, _AT_ONCE), strict=True):
            for item, result in zip(batch, results, strict=True):
                sent.count(str(result["status"]), str(result["reason"]), item.origin)
    return sent


def _items(files: Iterable[EventFile], sent: Sent, on_read: Callable[[int], None]) -> Iterator[Item]:
    for file in files:
        for event in events_of(file, on_read):
            origin = where(file.name, event.place)
            if event.problem:
                sent.count("rejected", event.problem, origin)
            else:
                yield Item(event.body, origin)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items in groups of a limited number and size; a larger item is a group of its own."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) == _BATCH_EVENTS or size + len(item.body) + 1 > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.body) + 1
    if batch:
        yield batch
