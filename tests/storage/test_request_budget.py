"""Which answers of storage are final when the budget has no time for another attempt."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from core.errors import StorageUnavailable
from storage.request_budget import LONGEST_PAUSE, BudgetTransport, budget, seconds_left

REQUEST = SimpleNamespace(method="GET")


@pytest.fixture
def transport() -> Iterator[BudgetTransport]:
    with BudgetTransport() as found:
        yield found


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Let storage answer with a status, or fail with an error."""

    def send(*_: object, **__: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(status_code=answer)

    monkeypatch.setattr(RequestsTransport, "send", send)


@pytest.mark.parametrize("answer", [408, 429, 500, 503, ServiceRequestError("refused")])
def test_what_the_sdk_would_repeat_is_final_shortly_before_the_end(
    transport: BudgetTransport, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    answering(monkeypatch, answer)
    with budget(LONGEST_PAUSE), pytest.raises(StorageUnavailable):
        transport.send(REQUEST)


@pytest.mark.parametrize("status", [200, 404, 409, 412, 428, 499])
def test_any_other_answer_is_handed_on(
    transport: BudgetTransport, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answering(monkeypatch, status)
    with budget(LONGEST_PAUSE):
        assert transport.send(REQUEST).status_code == status


@pytest.mark.parametrize("status", [408, 429, 503])
def test_with_time_left_the_sdk_repeats(
    transport: BudgetTransport, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answering(monkeypatch, status)
    with budget(1000):
        assert transport.send(REQUEST).status_code == status
    assert transport.send(REQUEST).status_code == status


def test_the_smaller_of_nested_budgets_holds_and_ends_with_its_block() -> None:
    assert seconds_left() is None
    with budget(1000):
        with budget(2000):
            assert (seconds_left() or 0) <= 1000
        with budget(500):
            assert (seconds_left() or 0) <= 500
        assert (seconds_left() or 0) > 500
    assert seconds_left() is None


def test_a_spent_budget_is_an_error() -> None:
    with budget(0), pytest.raises(StorageUnavailable):
        seconds_left()
