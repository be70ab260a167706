"""Every request is answered, and every kept event is drawn or gets a reason why not.

The examples are the same each time; ``pytest --hypothesis-profile long tests/hostile/test_fuzz.py`` tries many more.
"""

import gzip
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.events import body, dataset, event
from tests.support.hostile import NASTY, VALUES, broken, drawn, survives, taken, taken_in_a_batch

KEYS = st.sampled_from([
    "run", "runId", "job", "name", "namespace", "facets", "inputs", "outputs", "eventTime", "eventType", "schema",
    "fields", "columnLineage", "inputFields", "field", "transformations", "symlinks", "identifiers", "plan", "class",
    "num-children", "spark.logicalPlan", "producer", "parent", "environment-properties", "type", "", "a.b", "\u0000",
])  # fmt: skip
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
#: So that all of this takes half a minute with the profile of `make test`.
FEWER = settings(max_examples=max(1, settings().max_examples * 2 // 5))
ENCODINGS = ["gzip", "identity", "gzip, gzip", "br", "", "GZIP", "deflate,gzip", "\u0000", "x-gzip", "gzip;q=1"]


@FEWER
@given(JSON)
def test_any_json(value: Any) -> None:
    survives(json.dumps(value).encode())


@FEWER
@given(st.dictionaries(KEYS, JSON, max_size=6), st.dictionaries(KEYS, JSON, max_size=6))
def test_any_json_in_the_facets_of_an_event(run_facets: dict[str, Any], facets: dict[str, Any]) -> None:
    whole = event(inputs=[{**dataset("s"), "facets": facets}], outputs=[{**dataset("t", ["a"]), "facets": facets}])
    whole["run"]["facets"] = run_facets
    survives(json.dumps(whole).encode())


@FEWER
@given(broken())
def test_broken_recorded_events(events: list[Any]) -> None:
    survives(json.dumps(events[0]).encode())


@FEWER
@given(st.lists(broken(), min_size=1, max_size=3))
def test_broken_events_of_one_run_and_batch(several: list[list[Any]]) -> None:
    _, kept = taken_in_a_batch(json.dumps([item for events in several for item in events]).encode())
    drawn(kept)


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS))
def test_any_bytes(content: bytes, encoding: str) -> None:
    for data in (content, gzip.compress(content, mtime=0), gzip.compress(content, mtime=0)[:-3] + content):
        taken(data, {"Content-Encoding": encoding})
        taken_in_a_batch(data, {"Content-Encoding": encoding})


@given(st.data())
def test_bytes_of_an_event_exchanged(data: st.DataObject) -> None:
    content = bytearray(body(event(inputs=[dataset("s", ["x"])], outputs=[dataset("t", ["a"], {"a": [("s", "x")]})])))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(content))


@given(st.sampled_from(NASTY), st.sampled_from(NASTY), st.sampled_from(NASTY), st.sampled_from(NASTY))
def test_nasty_texts_in_every_name(run: str, job: str, name: str, column: str) -> None:
    written = dataset(name, [column], {column: [(job, column)]}, namespace=run)
    whole = event(run=run, job_name=job, job_namespace=name, inputs=[dataset(job, [column])], outputs=[written])
    survives(json.dumps(whole).encode())
