"""Answers: what a sender receives, alone and in a batch."""

import json

import pytest

from core.errors import BadEvent
from receiver import receipt
from receiver.accept import Decision
from receiver.receipt import Receipt, batch_answer, batch_status, escaped
from tests.receiver.envelopes import envelope

EVENT = envelope("COMPLETE", "app.append_data", reads=True)
KEPT = receipt.kept(EVENT, "it names an output")
IGNORED = receipt.ignored(EVENT, Decision(False, "not wanted"))
REJECTED = receipt.rejected(BadEvent("$.run", "is missing"))
UNAVAILABLE = receipt.unavailable(EVENT, "storage did not answer in time")
NO_RUN = receipt.describes_no_run()


@pytest.mark.parametrize(
    ("taken", "status", "word"),
    [
        (KEPT, 202, "kept"),
        (IGNORED, 200, "ignored"),
        (NO_RUN, 200, "ignored"),
        (REJECTED, 400, "rejected"),
        (UNAVAILABLE, 503, "rejected"),
    ],
)
def test_an_answer_has_status_reason_and_run(taken: Receipt, status: int, word: str) -> None:
    answer = taken.answer()
    assert taken.status == status
    assert answer["status"] == word
    assert answer["reason"]
    assert answer["run"] == (EVENT.run_id if taken not in (REJECTED, NO_RUN) else None)


@pytest.mark.parametrize(
    ("receipts", "status"),
    [
        ([], 200),
        ([IGNORED], 200),
        ([REJECTED, IGNORED], 200),
        ([IGNORED, KEPT, REJECTED], 202),
        ([KEPT, UNAVAILABLE], 503),
    ],
)
def test_the_status_of_a_batch(receipts: list[Receipt], status: int) -> None:
    assert batch_status(receipts) == status


def test_a_batch_is_answered_item_by_item_in_order() -> None:
    answer = batch_answer([KEPT, REJECTED, IGNORED])
    assert [(item["status"], item["code"]) for item in answer["results"]] == [
        ("kept", 202),
        ("rejected", 400),
        ("ignored", 200),
    ]
    assert (answer["kept"], answer["ignored"], answer["rejected"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run\nevent kept: forged", "run\\u000aevent kept: forged"),
        ("\x00\x1b[31m\x9b\u2028", "\\u0000\\u001b[31m\\u009b\\u2028"),
        ("half \ud800", "half \\ud800"),
        ("Käse 😀", "Käse 😀"),
    ],
)
def test_foreign_text_cannot_forge_lines(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize(("length", "expected"), [(300, "x" * 300), (301, "x" * 300 + "…"), (9999, "x" * 300 + "…")])
def test_foreign_text_is_cut(length: int, expected: str) -> None:
    assert escaped("x" * length) == expected


@pytest.mark.parametrize("taken", [KEPT, IGNORED, UNAVAILABLE])
def test_a_receipt_names_run_and_job(taken: Receipt) -> None:
    assert (taken.run, taken.job) == (EVENT.run_id, "prod/app.append_data")


def test_answers_are_json_whatever_the_run_is_called() -> None:
    strange = Receipt(receipt.Outcome.KEPT, "r", 202, run="\ud800\x00" * 10_000)
    assert len(json.dumps(strange.answer()).encode()) < 10_000
