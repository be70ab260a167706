"""What is claimed about the receiver, by its answers."""

import pytest

from cli.checks.endpoint import Receiver
from cli.verification import receiving
from cli.verification.claim import State
from cli.verification.receiving import KEYS


@pytest.mark.parametrize(
    ("without", "state"), [(401, State.VERIFIED), (200, State.REFUTED)], ids=["refused", "accepted"]
)
def test_an_event_without_a_key_must_be_refused(without: int, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"": without, "wrong": 401, "the key": 200}
    monkeypatch.setattr(receiving, "_post", lambda _, key="": answers[key])

    claim = receiving._keys(KEYS, Receiver("http://app", "the key"))

    assert (claim.state, claim.seen) == (state, f"no key: {without}, wrong key: 401, right key: 200")
