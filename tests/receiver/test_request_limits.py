"""Each limit of a request: what reaches it is accepted, what exceeds it is refused with the name of its setting."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.envelope import read_envelope
from core.errors import BadRequest
from core.settings import Settings
from receiver.request_limits import Limits, check_datasets, check_separators, check_width
from tests.support.events import body, dataset, event

NODE = {"class": "Project", "num-children": 1}


def refusal(check: Any, *given: Any) -> tuple[int, str]:
    with pytest.raises(BadRequest) as caught:
        check(*given)
    return caught.value.status, caught.value.reason


def test_the_limits_are_those_of_the_settings() -> None:
    settings = replace(Settings.offline({}), max_datasets=3, max_batch_items=7)
    assert Limits.of(settings) == Limits(max_datasets=3, max_batch_items=7)


def test_commas_and_opening_brackets_are_limited() -> None:
    sent = b'{"a": [1, 2], "b": {}}'  # two commas, one bracket, two braces
    check_separators(sent, Limits(max_separators=5))
    assert refusal(check_separators, sent, Limits(max_separators=4)) == (
        413,
        "5 commas and opening brackets in the body; MAX_SEPARATORS allows 4",
    )


def test_inputs_and_outputs_are_limited_together() -> None:
    envelope = read_envelope(body(event(inputs=[dataset("a"), dataset("b")], outputs=[dataset("c")])))
    check_datasets(envelope, Limits(max_datasets=3))
    assert refusal(check_datasets, envelope, Limits(max_datasets=2)) == (
        413,
        "3 inputs and outputs in the event; MAX_DATASETS allows 2",
    )


def test_columns_are_limited() -> None:
    sent = body(event(outputs=[dataset("t", ["a", "b", "c"])]))
    check_width(sent, Limits(max_columns=3))
    assert refusal(check_width, sent, Limits(max_columns=2)) == (
        413,
        "3 columns in the event; MAX_COLUMNS allows 2",
    )


def test_nodes_of_the_plan_are_limited() -> None:
    whole = event(outputs=[dataset("t")])
    whole["run"]["facets"]["spark.logicalPlan"] = {"plan": [NODE] * 4}
    sent = json.dumps(whole).encode()
    check_width(sent, Limits(max_plan_nodes=4))
    assert refusal(check_width, sent, Limits(max_plan_nodes=3)) == (
        413,
        "4 nodes in the logical plan; MAX_PLAN_NODES allows 3",
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [(Limits(max_columns=100, max_plan_nodes=100), 300), (Limits(max_columns=100, max_plan_nodes=10), 140)],
)
def test_an_event_too_short_for_so_many_columns_or_nodes_is_not_checked(limits: Limits, expected: int) -> None:
    assert limits.longest_narrow_event == expected
    check_width(b"x" * expected, limits)
