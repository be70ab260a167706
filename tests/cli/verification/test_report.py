"""The report of a verification: the same claims as JSON and as a table."""

from datetime import UTC, datetime

import pytest

from cli.verification.claim import Claim, State
from cli.verification.report import Cleaner, Environment, as_markdown, as_object

ENVIRONMENT = Environment(
    datetime(2026, 5, 1, 12, 0, 0, 5, UTC), "1.2.3", "", "app.example.net", "st.example.net", "10.0.0.4", "public"
)
CLAIMS = [
    Claim("stored", "it is in storage", "docs/http-api.md").judged(True, "a|b\nc", answerSeconds=0.12345, rows=2),
    Claim("trigger", "it is reported", "docs/retries.md").judged(False, "key s3cret at st.example.net"),
    Claim("log", "it has lines", "docs/log.md").judged(None, "not asked"),
    Claim("search", "it is found", "docs/log.md"),
]


@pytest.mark.parametrize(("holds", "state"), [(True, State.VERIFIED), (False, State.REFUTED), (None, State.UNKNOWN)])
def test_a_claim_is_judged(holds: bool | None, state: State) -> None:
    assert Claim("a", "b", "c").judged(holds, "seen", seconds=1.23456) == Claim(
        "a", "b", "c", state, "seen", {"seconds": 1.235}
    )


def test_the_report_as_json() -> None:
    report = as_object(ENVIRONMENT, CLAIMS, Cleaner(["s3cret", ""], hash_names=False))

    assert {name: value for name, value in report.items() if name != "claims"} == {
        "date": "2026-05-01T12:00:00+00:00",
        "command": "1.2.3",
        "app": None,
        "receiver": "app.example.net",
        "storage": "st.example.net",
        "purview": "10.0.0.4",
        "network": "public",
        "verified": 1,
        "refuted": 1,
        "unknown": 2,
    }
    assert report["claims"][1] == {
        "name": "trigger",
        "claim": "it is reported",
        "page": "docs/retries.md",
        "state": "refuted",
        "seen": "key … at st.example.net",
        "figures": {},
    }


def test_the_report_as_markdown() -> None:
    report = as_object(ENVIRONMENT, CLAIMS, Cleaner([], hash_names=True))

    hashed = {name: report[name] for name in ("receiver", "storage", "purview")}
    assert all(name.startswith("name-") for name in hashed.values())
    assert as_markdown(report).splitlines() == [
        "# sparklin verify",
        "",
        "- date: 2026-05-01T12:00:00+00:00",
        "- command: 1.2.3",
        "- app: None",
        f"- receiver: {hashed['receiver']}",
        f"- storage: {hashed['storage']}",
        f"- purview: {hashed['purview']}",
        "- network: public",
        "- result: 1 verified, 1 refuted, 2 unknown",
        "",
        "| | claim | seen | measured | page |",
        "|---|---|---|---|---|",
        "| ✓ stored | it is in storage | a\\|b c | answerSeconds 0.123, rows 2 | docs/http-api.md |",
        f"| ✗ trigger | it is reported | key s3cret at {hashed['storage']} |  | docs/retries.md |",
        "| ? log | it has lines | not asked |  | docs/log.md |",
        "| ? search | it is found |  |  | docs/log.md |",
    ]
