"""What a day's events are like: what was measured of it, and what is assumed.

Only benchmarks/calls.py measures; here and in benchmarks/cost.py its figures are read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

RECORDED = "openlineage-1.53.0_spark-3.5.1"
"""The recording that stands for a typical notebook."""
WITH_PLANS = "openlineage-1.53.0_spark-3.5_plans"
"""A recording whose events carry the logical plan."""

COMPRESSED = 0.2
"""The size of an event with ``EVENT_COMPRESSION=gzip``: 0.198 of the kept ones of RECORDED, 0.130 of WITH_PLANS."""


def _figure(default: float, meaning: str, low: float = 0, high: float = 1e15) -> Any:
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high})


@dataclass(frozen=True)
class Mix:
    """What a day's events are like. Shares of runs are of all that end; the rest of them is unchanged."""

    kept: float = _figure(0.5, "Share of events that are kept.", 0.001, 1)
    kept_a_run: float = _figure(2.6, "Events that are kept, a run.", 1)
    kept_kilobytes: float = _figure(6.5, "Average body that is kept.")
    first: float = _figure(0.01, "Share of runs that are the first of their process, with assets that are new.", 0, 1)
    refreshed: float = _figure(
        1 / 7, "Share of unchanged runs that are uploaded as a week has passed: one in seven for a daily run.", 0, 1
    )
    changed: float = _figure(0.02, "Share of runs that bring something new.", 0, 1)
    failed: float = _figure(0.01, "Share of runs that fail.", 0, 1)
    peak: float = _figure(10, "How much more than on average comes in while events come; else nothing does.", 1)
    memory: float = _figure(2, "GB of an instance, as the templates have it.")
    always_ready: float = _figure(1, "Instances for HTTP that never stop, as the templates have it.")
    http_at_once: float = _figure(16, "Requests that an instance takes at once.", 1)
    blobs_at_once: float = _figure(3, "Blobs that an instance processes at once, as host.json says.", 1)
    log_kilobytes: float = _figure(1, "What a record of the log takes.")
    retention_days: float = _figure(365, "How long events are kept, as the templates have it.")

    def steps(self) -> dict[str, float]:
        """How often each step is taken, for one event that comes in."""
        runs = self.kept / self.kept_a_run
        settled = 1 - self.first - self.changed - self.failed
        return {
            "ignored": 1 - self.kept,
            "received": self.kept,
            "waiting": self.kept - runs,
            "first": runs * self.first,
            "changed": runs * self.changed,
            "failed": runs * self.failed,
            "refreshed": runs * settled * self.refreshed,
            "unchanged": runs * settled * (1 - self.refreshed),
        }


@cache
def measured() -> Mapping[str, Any]:
    """What was measured; see benchmarks/measured.json."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("measured.json").read_text("utf-8"))
    return found


def recorded_mix(recording: str = RECORDED) -> Mix:
    """The mix with the figures of a recording."""
    counts = measured()["recordings"][recording]
    return Mix(
        counts["kept"] / counts["events"], counts["kept"] / counts["runs"], counts["kept bytes"] / counts["kept"] / 1000
    )
