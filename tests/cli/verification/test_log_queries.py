"""What the log of a deployment shows: the alerts' queries run, and lines arrive as the pages say."""

import json
from pathlib import Path

import pytest

from cli.verification.claim import State
from cli.verification.log_queries import alert_queries, line_claims, log_claims, queries_claim

VERIFIED, REFUTED, UNKNOWN = State.VERIFIED, State.REFUTED, State.UNKNOWN


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A compiled template with two alerts, one of them nested, and a query that is no alert's."""
    nested = {"resources": {"a": {"severity": 2, "query": "a | take 2"}}}
    alerts = {"resources": [{"severity": 1, "query": "traces\n| take 1\n"}, nested]}
    file = tmp_path / "azuredeploy.json"
    file.write_text(json.dumps({**alerts, "saved": {"query": "not | an alert"}, "other": {"severity": 3}}))
    return file


def step(**line: object) -> list[str]:
    return [f"step {json.dumps(line)}"]


def test_the_queries_of_a_template_are_those_of_its_alerts(template: Path, tmp_path: Path) -> None:
    assert alert_queries(template) == ["a | take 2", "traces\n| take 1"]
    assert alert_queries(tmp_path / "missing.json") == []


@pytest.mark.parametrize(
    ("refused", "state", "seen"),
    [
        ((), VERIFIED, "2 of 2 run"),
        (("traces\n| take 1",), REFUTED, "1 of 2 run; not: | take 1"),
        (("traces\n| take 1", "a | take 2"), REFUTED, "0 of 2 run; not: a | take 2"),
    ],
)
def test_a_query_that_the_log_refuses_is_named(
    refused: tuple[str, ...], state: State, seen: str, template: Path
) -> None:
    claim = queries_claim(lambda query: None if query in refused else [], template)

    assert (claim.state, claim.seen, claim.figures) == (state, seen, {"queries": 2})


def test_without_a_template_the_queries_are_unknown(tmp_path: Path) -> None:
    claim = queries_claim(lambda _: [], tmp_path / "missing.json")

    assert (claim.state, "give --template" in claim.seen) == (UNKNOWN, True)


@pytest.mark.parametrize(
    ("rows", "lines", "tags"),
    [
        (None, (REFUTED, "0 of 0 lines"), (UNKNOWN, "no request was logged within a day")),
        ([], (REFUTED, "0 of 0 lines"), (UNKNOWN, "no request was logged within a day")),
        (
            [step(step="upload", key="k")],
            (VERIFIED, "1 of 1 lines"),
            (UNKNOWN, "no request was logged within a day"),
        ),
        (
            [step(step="receive", key="k"), step(step="receive", key="")],
            (VERIFIED, "2 of 2 lines"),
            (VERIFIED, "1 of 2 lines of the receiver have a tag"),
        ),
        (
            [step(step="receive"), ["step {not JSON"], ["step []"]],
            (REFUTED, "1 of 3 lines"),
            (REFUTED, "0 of 1 lines of the receiver have a tag"),
        ),
    ],
)
def test_lines_of_the_log(rows: list[list[str]] | None, lines: tuple[State, str], tags: tuple[State, str]) -> None:
    found = [(claim.state, claim.seen) for claim in line_claims(lambda _: rows)]

    assert found == [lines, tags]


def test_without_the_application_id_the_log_is_unknown(template: Path) -> None:
    found = list(log_claims("", template))

    assert {claim.name for claim in found} == {"alerts' queries", "log lines", "key tags"}
    assert {(claim.state, claim.seen) for claim in found} == {(UNKNOWN, "give --app-insights: its Application ID")}
