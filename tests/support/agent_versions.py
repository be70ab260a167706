"""Print docs/agent-versions.md from the recorded applications: what is drawn with each version of the agent.

.venv/bin/python -m tests.support.agent_versions > docs/agent-versions.md
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from tests.support.corpus import events
from tests.support.figures import (
    VARIANTS,
    TrueLineage,
    figures,
    figures_of,
    folders,
    true_lineage,
    with_both,
)
from tests.support.lineage import Drawn, drawn

_GAPS = Path(__file__).parent.parent / "parser" / "lineage_gaps.json"
_HEAD = Template(
    """\
# What is drawn, by version of the agent

`python -m tests.support.agent_versions` generates this page from the recorded applications in
[tests/corpus](../tests/corpus); a test keeps it up to date. Real Spark sessions with the real agent sent these events.
What their writes really did was written down by hand, or taken from Spark's analysed plan.

## The same ten writes with $versions versions

"plan" means that the agent's `spark.logicalPlan` facet was switched on (0.x have it by default). "all" means that
all column edges are drawn and none is wrong; the reasons for everything else are
[below](#what-is-missing-or-wrong-and-why). Agents $others were recorded with other programs,
so they are only in the next table.
"""
)
_WRITES = {
    "customer_master": "join, to a folder",
    "customer_master_delta": "join, to a Delta folder; MERGE",
    "customer_city": "CTAS; INSERT",
    "orders_by_day": "partitioned write",
    "orders_one_day": "one partition, to a folder",
    "orders_all": "union",
    "sql_accounts": "JDBC, to a folder",
    "orders_checked": "a write that fails, so must not be drawn",
}
_FIGURES = """
## Figures by recording

Inputs are the datasets that a run reads, and a sink is the dataset that a run writes. An edge is a pair of an output
column and a column that its value comes from. "As sent" is what Sparklin draws. "Facet alone" is what it draws if the
events have no logical plan: what the agent's `columnLineage` contains, without what cannot be true. "Plan alone" is
what it draws without that facet. Precision is the share of drawn edges that are true; recall is the share of true
edges that are drawn. If no event contains a sink, the sink and all its edges count as missing.

| recording | sinks | inputs | edges | as sent: precision, recall | facet alone | plan alone |
|---|---|---|---|---|---|---|
"""
_BOTH = Template(
    """
## Plan and facet together

The $count applications of agent 1.53.0 whose events have a logical plan and a `columnLineage` facet:

| | edges | precision, recall |
|---|---|---|
"""
)
_REASONS = """
## What is missing or wrong, and why

[lineage_gaps.json](../tests/parser/lineage_gaps.json) lists every sink that is not drawn exactly as it was written,
with each edge. In short:

| reason | recordings | sinks |
|---|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(
        [
            _HEAD.substitute(versions=len(_versions()), others=_others()),
            *_ten_writes(),
            _FIGURES + "\n".join(_figures()),
            _BOTH.substitute(count=len(with_both())) + "\n".join(_both()),
            _REASONS + "\n".join(_reasons()),
        ]
    )


def _ten_writes() -> Iterator[str]:
    yield "| agent | Spark | " + " | ".join(_WRITES.values()) + " |"
    yield "|---" * (len(_WRITES) + 2) + "|"
    for folder in _recordings():
        agent, spark = re.findall(r"\d+\.\d+\.\d+", folder)
        plan = ", plan" if folder.endswith("_plan") or agent.startswith("0.") else ""
        cells = " | ".join(_cells(drawn(events(folder)), true_lineage(folder)))
        yield f"| {agent}{plan} | {spark} | {cells} |"


def _recordings() -> list[str]:
    """The folders with the ten writes, the oldest agent first."""
    return sorted((folder for folder in folders() if folder.startswith("agents/")), key=_version)


def _versions() -> set[str]:
    return {folder.partition("_")[0] for folder in _recordings()}


def _others() -> str:
    """The agents of all other recordings: ``a, b and c``."""
    found = {re.findall(r"\d+\.\d+\.\d+", folder)[0] for folder in folders() if not folder.startswith("agents/")}
    *first, last = sorted(found, key=lambda version: [int(part) for part in version.split(".")])
    return f"{', '.join(first)} and {last}"


def _version(folder: str) -> tuple[list[int], bool]:
    return [int(part) for part in re.findall(r"\d+", folder)], folder.endswith("_plan")


def _cells(found: Mapping[str, Drawn], true: Mapping[str, TrueLineage]) -> Iterator[str]:
    for name in _WRITES:
        sink = next((sink for sink in (*true, *found) if sink.endswith(f"/{name}")), "")
        yield _cell(found.get(sink), true.get(sink))


def _cell(found: Drawn | None, true: TrueLineage | None) -> str:
    if true is None:
        return "drawn" if found else "not drawn"
    if found is None:
        return "lost"
    missing, wrong = len(true.edges - found.edges), len(found.edges - true.edges)
    said = [f"{missing} missing"] * bool(missing) + [f"{wrong} wrong"] * bool(wrong)
    return ", ".join(said) or "all"


def _figures() -> Iterator[str]:
    for folder in folders():
        counted = figures(folder)
        rates = " | ".join(figures(folder, variant).rates for variant in ("as sent", "facet alone", "plan alone"))
        yield (
            f"| {folder} | {counted.sinks - counted.sinks_missing} of {counted.sinks} "
            f"| {counted.inputs - counted.inputs_missing} of {counted.inputs}, {counted.inputs_wrong} wrong "
            f"| {counted.edges - counted.edges_missing} of {counted.edges}, {counted.edges_wrong} wrong | {rates} |"
        )


def _both() -> Iterator[str]:
    for variant in VARIANTS:
        counted = figures_of(with_both(), variant)
        yield (
            f"| {variant} | {counted.edges - counted.edges_missing} of {counted.edges}, {counted.edges_wrong} wrong "
            f"| {counted.rates} |"
        )


def _reasons() -> Iterator[str]:
    sinks: dict[str, list[str]] = {}
    for scenario, gaps in json.loads(_GAPS.read_text("utf-8")).items():
        for gap in gaps.values():
            sinks.setdefault(gap["why"], []).append(scenario)
    for why in sorted(sinks, key=lambda why: (-len(sinks[why]), why)):
        where = sorted({scenario.partition("/")[0] for scenario in sinks[why]})
        yield f"| {why} | {', '.join(where)} | {len(sinks[why])} |"


if __name__ == "__main__":
    print(page())  # noqa: T201
