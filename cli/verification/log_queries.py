"""Claims about the log: the alerts' queries run, and log lines have the documented form."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import requests

from cli.verification.claim import Claim
from core.errors import StorageUnavailable
from storage.clients import credential
from storage.faults import storage_faults

_HOST = "https://api.applicationinsights.io"
_SECONDS = 60
_LINES = 'traces | where timestamp > ago(1d) and message startswith "step {" | project message | take 50'

QUERIES = Claim("alerts' queries", "the queries of all alerts run on the log", "docs/deployment.md#alerts")
LINES = Claim("log lines", "each step logs a line: `step` and a JSON object", "docs/operations.md#the-log")
KEY_TAG = Claim(
    "key tags", "the log names the key of each request by its tag", "docs/keys.md#who-still-uses-the-old-key"
)
ALL = (QUERIES, LINES, KEY_TAG)

#: The rows that a query gives; None if it is refused.
Ask = Callable[[str], list[list[Any]] | None]


def log_claims(app_id: str, template: Path) -> Iterator[Claim]:
    """Each claim with its result, from the Application Insights component with this application id."""
    if not app_id:
        yield from (claim.judged(None, "give --app-insights: its Application ID") for claim in ALL)
        return
    try:
        with storage_faults("be asked for a token"):
            token = credential("").get_token(f"{_HOST}/.default").token
        ask = partial(_ask, app_id, token)
        yield queries_claim(ask, template)
        yield from line_claims(ask)
    except (StorageUnavailable, requests.RequestException) as error:
        reason = error.reason if isinstance(error, StorageUnavailable) else type(error).__name__
        yield from (claim.judged(None, f"the log cannot be queried: {reason}") for claim in ALL)


def alert_queries(template: Path) -> list[str]:
    """The queries of the alerts in the compiled template, sorted; none if there is no such file."""
    if not template.exists():
        return []
    return sorted(set(_found(json.loads(template.read_text("utf-8")))))


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("query"), str) and "severity" in value:
            yield value["query"].strip()
        for each in value.values():
            yield from _found(each)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each)


def queries_claim(ask: Ask, template: Path) -> Claim:
    """Whether the log takes the queries of the alerts in the compiled template."""
    wanted = alert_queries(template)
    if not wanted:
        return QUERIES.judged(None, f"{template} is not here: run this in a checkout, or give --template")
    failed = [query.splitlines()[-1] for query in wanted if ask(query) is None]
    seen = f"{len(wanted) - len(failed)} of {len(wanted)} run" + (f"; not: {failed[0]}" if failed else "")
    return QUERIES.judged(not failed, seen, queries=len(wanted))


def line_claims(ask: Ask) -> Iterator[Claim]:
    """Whether the lines of steps are in the log, and name the keys."""
    rows = ask(_LINES) or []
    lines = [json.loads(str(row[0]).removeprefix("step ")) for row in rows if _is_json(str(row[0]))]
    yield LINES.judged(bool(rows) and len(lines) == len(rows), f"{len(lines)} of {len(rows)} lines", lines=len(rows))
    received = [line for line in lines if line.get("step") == "receive"]
    if not received:
        yield KEY_TAG.judged(None, "no request was logged within a day")
        return
    tagged = sum(1 for line in received if line.get("key"))
    yield KEY_TAG.judged(tagged > 0, f"{tagged} of {len(received)} lines of the receiver have a tag")


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line.removeprefix("step ")), dict)
    except ValueError:
        return False


def _ask(app_id: str, token: str, query: str) -> list[list[Any]] | None:
    address = f"{_HOST}/v1/apps/{app_id}/query"
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(address, json={"query": query, "timespan": "P1D"}, headers=headers, timeout=_SECONDS)
    if answer.status_code != 200:
        return None
    rows: list[list[Any]] = answer.json()["tables"][0]["rows"]
    return rows
