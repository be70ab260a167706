"""The facts that a run gives to the other runs of its application."""

from typing import Any

import pytest

from core.events import read_event
from parser.merge import merge
from parser.run_facts import is_micro_batch
from tests.support.events import body, dataset, event

READ, WRITTEN = [dataset("s", ["x"])], [dataset("t", ["a"])]


@pytest.mark.parametrize(
    ("processing", "inputs", "outputs", "expected"),
    [
        ("STREAMING", READ, [], True),
        ("STREAMING", READ, WRITTEN, False),
        ("STREAMING", [], [], False),
        ("BATCH", READ, [], False),
        ("", READ, [], False),
    ],
)
def test_a_micro_batch_is_of_a_stream_reads_and_names_no_sink(
    processing: str, inputs: list[Any], outputs: list[Any], expected: bool
) -> None:
    content = event(inputs=inputs, outputs=outputs)
    content["job"]["facets"] = {"jobType": {"processingType": processing, "integration": "SPARK", "jobType": "JOB"}}
    assert is_micro_batch(merge([read_event(body(content))])) is expected
