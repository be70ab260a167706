"""Print docs/compatibility.md: what is supported of OpenLineage and Spark, from the data of the tests and the code.

.venv/bin/python -m tests.support.compatibility > docs/compatibility.md
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import core.operations
from core.operations import Verdict
from core.settings import Settings
from purview.bulk_requests import BATCH
from purview.limits import NAME_BYTES, PROPERTY_BYTES, REFERENCES
from tests.support.corpus import bodies, scenarios
from tests.support.facets import FATES, Fate, found_facets

_SPECIFICATION = re.compile(rb"/spec/([\d-]+)/OpenLineage")
#: The exact version of Spark, by the short version in a folder's name.
_EXACT = {"3.5": "3.5.5"}
_MADE = " (shown with a constructed event, because no recorded event needs it)"
_HIDDEN = """
The node `adaptive_spark_plan` hides what was executed, which may be a query or an insert. It counts as an insert if the
run has an output, or the class at the root is that of a write."""
_VERDICTS = {
    Verdict.CARRIES: "Operations that carry lineage",
    Verdict.DDL: "Operations that change a table or view without writing data: no process",
    Verdict.NONE: "Operations that only read or set something: ignored, unless the run has an output",
    Verdict.UNKNOWN: "Operations that are not specific enough: treated as not listed",
}


def page() -> str:
    """The whole page, in Markdown; its prose is in compatibility.txt."""
    made = {
        "agents": _agents(),
        "versions": [", ".join(_versions())],
        "shortened": [_shortened()],
        "facets": _facets(),
        "names": [str(len(_cases()))],
        "datasets": _datasets(),
        "operations": _operations(),
        "limits": _limits(),
    }
    prose = Template(Path(__file__).with_suffix(".txt").read_text("utf-8"))
    return prose.substitute({name: "\n".join(lines) for name, lines in made.items()}).rstrip()


def _agents() -> Iterator[str]:
    yield "| agent | Spark | applications | events | logical plan | `columnLineage` |"
    yield "|---|---|---|---|---|---|"
    for versions in sorted({_version(scenario) for scenario in scenarios()}):
        recorded = [scenario for scenario in scenarios() if _version(scenario) == versions]
        sent = [body for scenario in recorded for body in bodies(scenario)]
        facets = {name for body in sent for _, name in found_facets(body)}
        has = " | ".join("yes" if name in facets else "no" for name in ("spark.logicalPlan", "columnLineage"))
        agent, spark = (".".join(map(str, version)) for version in versions)
        yield f"| {agent} | {spark} | {len(recorded)} | {len(sent)} | {has} |"


def _version(scenario: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Agent and Spark by the folder's name."""
    agent, spark = re.findall(r"\d+(?:\.\d+)+", scenario)[:2]
    return tuple(map(int, agent.split("."))), tuple(map(int, _EXACT.get(spark, spark).split(".")))


def _shortened() -> str:
    """The exact versions of Spark for folders whose names have a short one."""
    said = (f"`spark-{short}` in a folder's name means Spark {exact}." for short, exact in _EXACT.items())
    return " ".join(said)


def _versions() -> list[str]:
    """The versions of the specification in the recorded events."""
    return sorted({version.decode() for body in _recorded() for version in _SPECIFICATION.findall(body)})


def _facets() -> Iterator[str]:
    counts = Counter(place for body in _recorded() for place in found_facets(body))
    for fate in FATES:
        yield f"| {fate.of} | `{fate.facet}` | {counts[fate.place]} | {_what(fate)} |"


def _what(fate: Fate) -> str:
    if not fate.used:
        return "not used" + (f": {fate.what}" if fate.what else "")
    return fate.what + ("" if fate.application else _MADE)


def _datasets() -> Iterator[str]:
    for rule in dict.fromkeys(case["rule"] for case in _cases()):
        mine = [case for case in _cases() if case["rule"] == rule]
        schemes = sorted({_scheme(case["namespace"]) for case in mine} - {""})
        types = sorted({case["type"] for case in mine})
        yield f"| `{rule}` | {len(mine)} | {_code(schemes)} | {_code(types)} |"


def _scheme(namespace: str) -> str:
    return namespace.partition(":")[0].lower()


def _operations() -> Iterator[str]:
    groups = json.loads(Path(str(core.operations.__file__)).with_suffix(".json").read_text("utf-8"))["groups"]
    for verdict, title in _VERDICTS.items():
        yield f"\n### {title}\n"
        yield "| operation | in the job's name | at the root of the plan |"
        yield "|---|---|---|"
        for group in groups:
            if group["verdict"] == verdict.value:
                yield f"| {group['name']} | {_code(group['nodes'])} | {_code(group['classes'])} |"
        if verdict is Verdict.NONE:
            yield _HIDDEN


def _limits() -> Iterator[str]:
    settings = Settings.offline({})
    window, refresh = settings.lineage_window_days, settings.upload_refresh_days
    yield from (
        f"| {what} | {limit} | {beyond} |"
        for what, limit, beyond in (
            ("body on the wire", f"{settings.max_body_bytes:,} bytes (`MAX_BODY_BYTES`)", "413"),
            ("body after decompression", f"{settings.max_expanded_bytes:,} bytes (`MAX_EXPANDED_BYTES`)", "413"),
            ("expansion of gzip, above 1 MiB", f"{settings.max_expansion_ratio} times (`MAX_EXPANSION_RATIO`)", "413"),
            ("commas and opening brackets in a body", f"{settings.max_separators:,} (`MAX_SEPARATORS`)", "413"),
            ("inputs and outputs of an event", f"{settings.max_datasets:,} (`MAX_DATASETS`)", "413"),
            ("columns of an event", f"{settings.max_columns:,} (`MAX_COLUMNS`)", "413"),
            ("nodes in the plan of an event", f"{settings.max_plan_nodes:,} (`MAX_PLAN_NODES`)", "413"),
            ("events in a batch", f"{settings.max_batch_items:,} (`MAX_BATCH_ITEMS`)", "413"),
            ("bodies above 1 MiB at a time in a worker", "1", "the next one waits, then 503"),
            ("time for storing an event", f"{settings.storage_budget_seconds:g} s (`STORAGE_BUDGET_SECONDS`)", "503"),
            (
                "name of a dataset",
                "4,096 characters",
                "a [generic asset](name-rules.md#how-an-asset-is-found) and a note",
            ),
            ("name in Purview", f"{NAME_BYTES:,} bytes", "cut, with a hash at its end if it must be unique"),
            (
                "`columnMapping`",
                f"{PROPERTY_BYTES:,} bytes",
                "column pairs of equal names are dropped first; LineageDetails keeps all",
            ),
            ("inputs of a process", f"{REFERENCES:,}", "the rest is left out, with a note"),
            ("entities per request to Purview", f"{BATCH}", "several requests: datasets and columns, then the process"),
            (
                "runs that a process shows",
                f"{window} days before its newest (`LINEAGE_WINDOW_DAYS`)",
                "no longer shown",
            ),
            ("unchanged lineage", f"{refresh} days (`UPLOAD_REFRESH_DAYS`)", "uploaded once more"),
            (
                "a run without an end",
                f"{settings.settle_after_minutes // 60} h (`SETTLE_AFTER_MINUTES`)",
                "counts as ended",
            ),
            ("retries", f"{settings.retry_give_up_hours} h (`RETRY_GIVE_UP_HOURS`)", "dead letter"),
        )
    )


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


@cache
def _recorded() -> tuple[bytes, ...]:
    return tuple(body for scenario in scenarios() for body in bodies(scenario))


@cache
def _cases() -> tuple[dict[str, Any], ...]:
    lines = (Path(__file__).parent.parent / "qualified_names" / "cases.jsonl").read_text("utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


if __name__ == "__main__":
    print(page())  # noqa: T201
