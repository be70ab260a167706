"""Which answers of storage are final when the budget has no time for another attempt."""

from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from core.errors import StorageUnavailable
from storage.request_budget import LONGEST_PAUSE, BudgetTransport, TableTransport, budget, seconds_left

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


@pytest.mark.parametrize(
    ("method", "failures", "sent"),
    [("POST", 0, 1), ("POST", 3, 4), ("PATCH", 3, 4), ("POST", 4, 4), ("GET", 1, 1), ("PUT", 1, 1)],
)
def test_what_the_sdk_of_tables_does_not_repeat_is_repeated_here(
    method: str, failures: int, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [ServiceRequestError("refused")] * failures + [SimpleNamespace(status_code=200)]
    asked = count()
    pauses: list[float] = []

    def send(*_: object, **__: object) -> Any:
        answer = answers[next(asked)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(RequestsTransport, "send", send)
    monkeypatch.setattr("storage.request_budget.time.sleep", pauses.append)
    with TableTransport() as transport:
        if sent > failures:
            assert transport.send(SimpleNamespace(method=method)).status_code == 200
        else:
            with pytest.raises(ServiceRequestError):
                transport.send(SimpleNamespace(method=method))
    assert (next(asked), len(pauses)) == (sent, sent - 1)
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


def an_answer(status: int, header: str = "", text: str = "") -> Any:
    headers = {"x-ms-error-code": header} if header else {}
    return SimpleNamespace(status_code=status, headers=headers, internal_response=SimpleNamespace(text=text))


@pytest.mark.parametrize(
    ("answer", "is_missing"),
    [
        (an_answer(404, "ContainerNotFound"), True),
        (an_answer(404, text='{"odata.error": {"code": "TableNotFound"}}'), True),
        (an_answer(404, "QueueNotFound"), True),
        (an_answer(404, "BlobNotFound", "ContainerNotFound"), False),
        (an_answer(404, "ResourceNotFound"), False),
        (an_answer(409, "ContainerNotFound"), False),
    ],
)
@pytest.mark.parametrize("is_made", [True, False])
def test_a_request_whose_container_was_missing_is_sent_again_once_it_is_made(
    answer: Any, is_missing: bool, is_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = iter([answer, an_answer(201)]), []

    def make(url: str) -> bool:
        asked.append(url)
        return is_made

    monkeypatch.setattr(RequestsTransport, "send", lambda *_, **__: next(answers))
    with BudgetTransport(make) as transport:
        status = transport.send(SimpleNamespace(method="PUT", url="u")).status_code
    assert status == (201 if is_missing and is_made else answer.status_code)
    assert asked == (["u"] if is_missing else [])
