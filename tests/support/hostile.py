"""The whole way of an event in memory, and every way in which a recorded event can be broken."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from cli.preview import as_object, preview_rules
from cli.tasks.preview_events import preview
from core import naming
from core.event_model import Envelope
from core.settings import Settings
from parser.details import details
from pipeline.receive import Receiver, receive, receive_batch
from receiver.request_limits import Limits
from storage.event_rows import new_entity
from storage.event_store import EventStore, Put
from tests.support.corpus import CORPUS

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LIMITS = Limits()
RULES = preview_rules(Settings.offline({}))
ANSWERS = {200, 202, 400, 411, 413, 415}


@dataclass
class Kept(EventStore):
    """Keeps events in memory, under the names and with the rows that storage would have."""

    bodies_kept: list[bytes] = field(default_factory=list)

    def put(self, envelope: Envelope, digest: str, body: bytes, received: datetime) -> Put:
        """Keep an event; a name that is none of ours fails."""
        name = naming.event_name(envelope, digest)
        assert naming.parse_blob_name(name.blob) == name
        json.dumps(new_entity(envelope, name, received), default=str).encode()
        self.bodies_kept.append(body)
        return Put.STORED


class Discarded(EventStore):
    """Takes events and keeps none."""

    def __init__(self) -> None:
        """Without storage."""

    def put(self, envelope: Envelope, digest: str, body: bytes, received: datetime) -> Put:
        """Name the event as storage would."""
        naming.event_name(envelope, digest)
        return Put.STORED


def taken(content: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, list[bytes]]:
    """Send a body to the receiver: the status, and the events kept. What else comes out is an error."""
    return _answered(receive, content, headers)


def taken_in_a_batch(content: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, list[bytes]]:
    """The same for an array of events."""
    return _answered(receive_batch, content, headers)


def _answered(receive: Any, content: bytes, headers: Mapping[str, str] | None) -> tuple[int, list[bytes]]:
    store = Kept()
    status, answer = receive(content, headers or {}, Receiver(LIMITS, RULES.receiver, store), NOW)
    assert status in ANSWERS, answer
    assert len(json.dumps(answer).encode()) < 10_000 + 10 * len(content)
    return status, store.bodies_kept


def drawn(bodies: list[bytes]) -> list[dict[str, Any]]:
    """What kept events come to: the processes of the preview, which can be written as JSON in UTF-8."""
    processes = preview(bodies, RULES).processes
    for process in processes:
        json.dumps(details(process.process.lineage), ensure_ascii=False).encode()
        json.dumps(list(process.draft.entities), ensure_ascii=False).encode()
    return [as_object(process) for process in processes]


def survives(content: bytes, headers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """All steps of one body: an answer, and its lineage if it was kept."""
    return drawn(taken(content, headers)[1])


@cache
def recorded() -> tuple[Any, ...]:
    """An event of each recorded agent and kind, the small ones first; including writes."""
    files = sorted(CORPUS.glob("*/*/[0-9]*.json"), key=lambda file: (file.stat().st_size, file))
    small = [file for file in files if file.stat().st_size < 60_000]
    return tuple(json.loads(file.read_bytes()) for file in small[:: max(1, len(small) // 150)])


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*above, key)
        yield from paths(each, (*above, key))


#: Texts that have broken keys, paths, filters, logs, names or patterns somewhere.
NASTY = [
    "", " ", "\u0000", "a\u0000b", "../../etc/passwd", "..\\..\\x", "/", "//", "\\", "#", "?", "%00", "%2F..%2f", "'",
    "' or 1 eq 1", "x' or PartitionKey ne '", "a|b", 'line\r\nstep {"step": "receive"}', "\u2028step {",
    "\u202egnp.exe", "\ufeff", "\ufffe\uffff", "\u001b[2J", "\u0085", "\U0001f600" * 50, "e\u0301", "İ", "ß", "{N}",
    "{", "}", "{{", "*", "[", "]", "[a, b]", "$", "a$b$", "..", ".", "a.b.c.d", "`a`.`b", '"', "(HOST=x)",
    "oracle:thin:a/b@", "https://[::1", "abfss://", "abfss://a@b@c/d", "jdbc:sqlserver://;database=x;password=y",
    "file:///", "dbfs:/mnt/x", "s3://", "=", "a=b/c=d", "part-00000-", "_delta_log", "_temporary/0", "<script>",
    "&amp;", "]]>", "00000000-0000-0000-0000-000000000000", "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59", "2024-02-30T00:00:00Z", "x" * 5000, "a/" * 3000,
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    st.sampled_from(
        [[], {}, [[]], [{}], {"": {}}, [None], -1, 2**31, 10**30, 1e308, [1, "a"], {"class": "x", "id": 1}]
    ),
)


@st.composite
def broken(draw: st.DrawFn) -> list[Any]:
    """One or two copies of a recorded event, changed at one to four places."""
    events = [copy.deepcopy(draw(st.sampled_from(recorded())))]
    places = list(paths(events[0]))
    for _ in range(draw(st.integers(1, 4))):
        change(draw, events[0], draw(st.sampled_from(places)), places)
    return events


def change(draw: st.DrawFn, event: Any, path: tuple[Any, ...], places: list[tuple[Any, ...]]) -> None:
    """Delete, replace, repeat, nest, lengthen or exchange what is at a path, if it still exists."""
    try:
        parent = found(event, path[:-1])
        value = parent[path[-1]]
    except (KeyError, IndexError, TypeError):
        return
    match draw(
        st.sampled_from(["replace", "replace", "delete", "repeat", "nest", "wrap", "lengthen", "other", "rename"])
    ):
        case "delete":
            del parent[path[-1]]
        case "repeat" if isinstance(parent, list) and len(parent) < 200:
            parent.extend(copy.deepcopy(value) for _ in range(draw(st.sampled_from([1, 3, 50]))))
        case "nest":
            for _ in range(draw(st.sampled_from([1, 40, 400]))):
                value = {"x": value}
            parent[path[-1]] = value
        case "wrap":
            parent[path[-1]] = [value]
        case "lengthen" if isinstance(value, str) and len(value) < 10_000:
            parent[path[-1]] = value * draw(st.sampled_from([2, 1000]))
        case "other":
            try:
                parent[path[-1]] = copy.deepcopy(found(event, draw(st.sampled_from(places))))
            except (KeyError, IndexError, TypeError):
                return
        case "rename" if isinstance(parent, dict):
            parent[draw(st.sampled_from(NASTY))] = parent.pop(path[-1])
        case _:
            parent[path[-1]] = draw(VALUES)


def found(value: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path."""
    for key in path:
        value = value[key]
    return value
