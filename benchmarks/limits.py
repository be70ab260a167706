"""The limits of Azure that a stream of events may reach."""

from dataclasses import dataclass

from benchmarks.mix import Mix


@dataclass(frozen=True)
class Limit:
    """A limit of Azure: what it counts (a key of ``Load.event``), and how much per second it allows."""

    name: str
    counts: str
    a_second: float
    source: str
    remedy: str
    split: bool = False
    """Whether a second function app with its own storage account has the limit a second time."""


#: ``maximumInstances`` of infra/main.bicep.
INSTANCES = 40
_SPLIT = "a second function app with its own storage account; send each workspace to one of them"
_TARGETS = "https://learn.microsoft.com/azure/storage"
LIMITS = (
    Limit(
        "storage account: requests",
        "storage requests",
        20_000,
        f"{_TARGETS}/tables/scalability-targets",
        _SPLIT,
        split=True,
    ),
    Limit(
        "queue of the blob trigger: put, take, delete",
        "queue operations",
        2_000,
        f"{_TARGETS}/queues/scalability-targets",
        f"the host has one queue per app: {_SPLIT}",
        split=True,
    ),
    Limit(
        "table EventMetadata: rows in the 16 partitions of an hour",
        "rows of EventMetadata",
        16 * 2_000,
        f"{_TARGETS}/tables/scalability-targets",
        f"{_SPLIT}; more shards require a change of the code",
        split=True,
    ),
    Limit(
        "table RunProcesses: rows in 16 partitions",
        "rows of RunProcesses",
        16 * 2_000,
        f"{_TARGETS}/tables/scalability-targets",
        f"{_SPLIT}; more shards require a change of the code",
        split=True,
    ),
    Limit(
        "Event Grid: events",
        "kept events",
        5_000,
        "https://learn.microsoft.com/azure/event-grid/quotas-limits (published for custom topics)",
        _SPLIT,
        split=True,
    ),
    Limit(
        f"instances of the parser: {INSTANCES}, as in the templates",
        "parser seconds",
        INSTANCES * Mix.blobs_at_once,
        "https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to",
        "raise `maximumInstances`, up to 1,000",
    ),
    Limit(
        "Purview: 10 capacity units, the default window",
        "Data Map operations",
        10 * 25,
        "https://learn.microsoft.com/purview/concept-elastic-data-map",
        "ask for a larger window, up to 100 units; raise `UPLOAD_REFRESH_DAYS`; retries spread the excess",
    ),
)
