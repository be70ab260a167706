"""Every recorded answer of Apache Atlas, compared with the Data Map's answer."""

from typing import Any

import pytest

from local.data_map.server import running
from tests.support.recorded import CASES, comparable, replayed


@pytest.fixture(scope="module")
def answers() -> list[tuple[int, Any]]:
    with running() as address:
        return replayed(f"{address}/catalog/api/atlas/v2")


@pytest.mark.parametrize("at", range(len(CASES)), ids=[case["label"] for case in CASES])
def test_answers_as_atlas_did(answers: list[tuple[int, Any]], at: int) -> None:
    case, (status, answer) = CASES[at], answers[at]
    assert status == case["status"], answer
    if "response" in case:
        assert comparable(answer, case["response"]) == comparable(case["response"], case["response"])


def test_recording_is_complete() -> None:
    assert len(CASES) == 132
