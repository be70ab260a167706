"""A real Apache Atlas and the local Data Map give the same answer to every recorded request."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.recorded import CASES, comparable, replayed

API = "/datamap/api/atlas/v2"

# Where the two differ, why, and what of their answers is compared anyway.
DIFFERENCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "no guid in the entity, new": (
        "an entity without a guid gets an invented one, which nobody can foresee",
        lambda answer: sorted(answer["guidAssignments"].values()),
    ),
    "GET by DataSet now": (
        "of two entities of one name and of different types, Atlas gives any",
        lambda answer: answer["entity"]["attributes"]["qualifiedName"],
    ),
}


@pytest.fixture(scope="module")
def of_atlas(real_atlas: str) -> list[tuple[int, Any]]:
    return replayed(real_atlas + API)


@pytest.fixture(scope="module")
def of_data_map(data_map: str) -> list[tuple[int, Any]]:
    return replayed(data_map + API)


@pytest.mark.parametrize("at", range(len(CASES)), ids=[case["label"] for case in CASES])
def test_both_answer_alike(of_atlas: list[tuple[int, Any]], of_data_map: list[tuple[int, Any]], at: int) -> None:
    (atlas_status, of_one), (status, of_other) = of_atlas[at], of_data_map[at]
    assert status == atlas_status, (of_other, of_one)
    recorded = CASES[at].get("response")
    _, compared = DIFFERENCES.get(CASES[at]["label"], ("", lambda answer: comparable(answer, recorded or of_one)))
    assert compared(of_other) == compared(of_one)


def test_every_difference_is_that_of_a_case() -> None:
    assert DIFFERENCES.keys() <= {case["label"] for case in CASES}
