"""Print docs/cost-and-scale.md from what was measured and from list prices.

.venv/bin/python -m benchmarks.cost_page > docs/cost-and-scale.md
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from string import Template

from benchmarks.calls import STEPS
from benchmarks.cost import (
    HOST,
    PAID,
    QUEUES,
    Load,
    Prices,
    checked,
    load,
    number,
    percent,
    polls_an_hour,
    price_list,
    table,
)
from benchmarks.limits import LIMITS
from benchmarks.mix import COMPRESSED, WITH_PLANS, Mix, measured, recorded_mix

_DAYS = [10.0**exponent for exponent in range(3, 9)]

#: What host.json said when the load was measured.
_MEASURED_BLOBS_AT_ONCE = 2

#: Columns of the table of steps: title, and the kinds of requests that it sums up.
_COLUMNS = {
    "blob writes": ("blob write",),
    "lists": ("blob list",),
    "reads": ("blob read", "blob properties"),
    "leases": ("blob lease",),
    "table requests": ("table read", "table query", "table write", "table transaction"),
    "rows of EventMetadata": ("rows of EventMetadata",),
    "of RunProcesses": ("rows of RunProcesses",),
    "of LineageDetails": ("rows of LineageDetails",),
    "of AssetCache and CreatedAssets": ("rows of AssetCache", "rows of CreatedAssets"),
    "Purview requests": ("Data Map read", "Data Map search", "Data Map write", "Data Map delete"),
    "operations": ("Data Map operations",),
}


def page() -> str:
    """The whole page, in Markdown; its prose is in cost_page.txt."""
    mix = recorded_mix()
    loads = [load(events, mix) for events in _DAYS]
    prices = price_list()
    made = {
        **_assumed(mix),
        "steps": "\n".join(_steps()),
        "days": "\n".join(table(loads, prices["prices"])),
        "used": "\n".join(_used(loads)),
        "limits": "\n".join(_limits(loads[0])),
        "one_partition": number(2000 / loads[0].event["rows of EventMetadata"]),
        "runs_a_second": number(1000 / measured()["calls"]["milliseconds"]["unchanged"]),
        **_polls(prices["prices"]),
        **_private(prices["prices"]),
        "cpus": str(measured()["calls"]["cpus"]),
        "trigger_reads": number(_trigger_reads(mix, prices["prices"])),
        "by_steps": number(checked()[0]),
        "counted": number(checked()[1]),
        "one_host": number(_MEASURED_BLOBS_AT_ONCE * mix.kept / loads[0].event["parser seconds"]),
        "seen": number(max(run["kept events processed a second"] for run in measured()["load"].values())),
        "plan_kilobytes": number(recorded_mix(WITH_PLANS).kept_kilobytes),
        **_compression(prices["prices"]),
        "load": "\n".join(_load()),
        "currency": prices["currency"],
        "written": prices["written"],
        "prices": "\n".join(_prices()),
    }
    return Template(Path(__file__).with_suffix(".txt").read_text("utf-8")).substitute(made).rstrip()


def _trigger_reads(mix: Mix, prices: Prices) -> float:
    """What the host's reading of blobs costs in a month of a million events a day."""
    price = prices["blob read"]
    return 30 * 1e6 * mix.kept * HOST["blob read"] / float(price["per"]) * float(price["price"])


def _compression(prices: Prices) -> dict[str, str]:
    """What storage costs in a month of a million events a day, as they come and compressed."""
    plain = recorded_mix()
    packed = replace(plain, kept_kilobytes=COMPRESSED * plain.kept_kilobytes)
    month, packed_month = (
        sum(load(1e6, mix).month(prices)[name] for name in PAID["storage"]) for mix in (plain, packed)
    )
    kilobytes = {"packed_kilobytes": number(packed.kept_kilobytes)}
    return {**kilobytes, "storage_price": number(month), "packed_storage_price": number(packed_month)}


def _polls(prices: Prices) -> dict[str, str]:
    """What it costs to poll empty queues all month, and what it would cost once a minute."""
    price = prices["queue operations"]
    interval = int(measured()["triggers"]["maxPollingInterval"].rpartition(":")[2])
    month, slow = (24 * 30 * each / price["per"] * price["price"] for each in (polls_an_hour(), 60 * (1 + QUEUES)))
    polls = {"polls": number(polls_an_hour()), "poll_interval": str(interval)}
    return {**polls, "poll_price": f"{month:.2f}", "slow_poll_price": f"{slow:.2f}"}


def _private(prices: Prices) -> dict[str, str]:
    """What it costs to poll the queues as often as private networks do, and how long events wait there."""
    found, price = measured()["private mode"], prices["queue operations"]
    interval = int(found["maxPollingInterval"].rpartition(":")[2])
    # The queue of blobs is polled once a minute, as ever.
    month = 24 * 30 * (QUEUES * 3600 / interval + 60) / price["per"] * price["price"]
    waits = {"queue": found["the queue"], "timer": found["the timer alone"]}
    seconds = {f"{way}_{which}": number(waits[way][which]) for way in waits for which in ("median", "most", "events")}
    return {"private_interval": str(interval), "private_poll_price": f"{month:.2f}", **seconds}


def _assumed(mix: Mix) -> dict[str, str]:
    shares = {name: percent(getattr(mix, name)) for name in ("kept", "first", "changed", "failed")}
    names = ("kept_a_run", "memory", "http_at_once", "blobs_at_once", "log_kilobytes")
    counts = {"retention_days": f"{mix.retention_days:g}", "always_ready": f"{mix.always_ready:g}"}
    counts |= {name: number(getattr(mix, name)) for name in names}
    return {**shares, **counts, "kilobytes": number(mix.kept_kilobytes), "hours": number(24 / mix.peak)}


def _steps() -> Iterator[str]:
    yield "| step | " + " | ".join(_COLUMNS) + " | log lines | ms |"
    yield "|---" * (len(_COLUMNS) + 3) + "|"
    calls = measured()["calls"]
    for step, title in STEPS.items():
        counts = calls["counts"][step]
        cells = [sum(counts.get(kind, 0) for kind in kinds) for kinds in (*_COLUMNS.values(), ("log lines",))]
        shown = " | ".join(str(cell or "") for cell in cells)
        yield f"| {title} | {shown} | {calls['milliseconds'][step]:.0f} |"


def _used(loads: Iterable[Load]) -> Iterator[str]:
    found = list(loads)
    yield "| limit | " + " | ".join(number(each.events) for each in found) + " |"
    yield "|---" * (len(found) + 1) + "|"
    for limit in LIMITS:
        shares = ((percent(each.used(limit)), limit is max(LIMITS, key=each.used)) for each in found)
        cells = (f"**{share}**" if is_nearest else share for share, is_nearest in shares)
        yield f"| {limit.name} | " + " | ".join(cells) + " |"


def _limits(one: Load) -> Iterator[str]:
    yield "| limit | per second | one event uses | reached at events a second | … a day | how to raise it | source |"
    yield "|---|---|---|---|---|---|---|"
    for limit in sorted(LIMITS, key=one.used, reverse=True):
        takes, a_day = one.event[limit.counts], one.events / one.used(limit)
        unit = " s" if limit.counts.endswith("seconds") else ""
        yield (
            f"| {limit.name} | {limit.a_second:,.0f}{unit} | {number(takes)}{unit} | {number(limit.a_second / takes)} "
            f"| {number(a_day)} | {limit.remedy} | {limit.source} |"
        )


def _load() -> Iterator[str]:
    runs = list(measured()["load"].values())
    yield "| sent per second (intended) | " + " | ".join(measured()["load"]) + " |"
    yield "|---" * (len(runs) + 1) + "|"
    for name in runs[0]:
        yield f"| {name} | " + " | ".join(f"{run[name]:g}" for run in runs) + " |"


def _prices() -> Iterator[str]:
    yield "| what | price | for | free a month | source |"
    yield "|---|---|---|---|---|"
    for name, price in price_list()["prices"].items():
        source = price["source"] if price["sure"] else f"unsure: {price['source']}"
        amount = f"{price['price']:.6f}".rstrip("0")
        free = f"{price['free']:,}" if price["free"] else ""
        yield f"| {name} | {amount} | {price['per']:,} | {free} | {source} |"


if __name__ == "__main__":
    print(page())
