"""The requests of a number of events a day to Azure, their cost, and the nearest limit.

.venv/bin/python -m benchmarks.cost --events 2e6 [--kept 0.5] [--peak 20] [--price "capacity unit hours=0.5"] …

Worked out from what was measured (benchmarks/measured.json) and from list prices (benchmarks/prices.json).
"""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from signal import SIG_DFL, SIGPIPE, signal
from typing import Any

from benchmarks.limits import LIMITS, Limit
from benchmarks.mix import RECORDED, Mix, measured, recorded_mix

_DAY, _MONTH = 86_400, 30

Prices = Mapping[str, Mapping[str, Any]]
"""By what is paid for: ``price`` for ``per`` of it, after ``free`` ones a month."""

#: What the Functions host itself does for an event that is kept, as counted with its trigger engine: the notification
#: becomes a message, which is taken and deleted; the blob is looked at four times and read for the trigger. Event Grid
#: counts the event and its delivery, which was not measured.
HOST = {"queue operations": 3, "blob other": 4, "blob read": 1, "Event Grid operations": 2}
#: What the host also polls after a blob, if no other one waits.
POLLS_AFTER_A_BLOB = 2
#: Queues that trigger functions, other than the one of blobs: retries, and both poison queues.
QUEUES = 3
#: Records that the host writes to the log for an execution: its begin, its end, the request.
HOST_RECORDS = 3
SWEEPS = 24 * 12
#: The timer looks at both poison queues.
SWEEP_QUEUES = 2


@dataclass(frozen=True)
class Load:
    """What ``events`` a day ask for: ``event`` for one of them, ``day`` and ``month`` in units of the prices."""

    events: float
    mix: Mix
    event: Mapping[str, float]
    day: Mapping[str, float]

    @property
    def peak_rate(self) -> float:
        """Events a second while they arrive."""
        return self.events / _DAY * self.mix.peak

    def used(self, limit: Limit) -> float:
        """The share of a limit that is used while events come."""
        return self.peak_rate * self.event[limit.counts] / limit.a_second

    @property
    def apps(self) -> int:
        """How many function apps with a storage account each keep the limits of one to four fifths."""
        return max(1, math.ceil(max(self.used(limit) for limit in LIMITS if limit.split) / 0.8))

    def month(self, prices: Prices) -> dict[str, float]:
        """The price of a month, by what is paid for."""
        asked = {name: _MONTH * self.day[name] for name in prices if name != "stored GB-months"}
        asked["stored GB-months"] = self.day["stored GB"] * self.mix.retention_days
        return {
            name: max(0.0, asked[name] - price["free"]) / price["per"] * price["price"]
            for name, price in prices.items()
        }


@cache
def price_list() -> Mapping[str, Any]:
    """The prices with their sources; see benchmarks/prices.json."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
    return found


def load(events: float, mix: Mix) -> Load:
    """What so many events a day ask for."""
    event = _for_an_event(mix)
    rate = events / _DAY * mix.peak
    parsing = _busy(rate * mix.kept, event["parser seconds"] / mix.kept, mix.blobs_at_once)
    busy = _busy(rate, event["receiver seconds"], mix.http_at_once) + parsing
    units = rate * event["Data Map operations"] / 25
    sweeps = SWEEPS * measured()["calls"]["counts"]["sweep"]["table query"]
    day = {name: events * count for name, count in event.items()}
    more = {
        "table operations": day["table operations"] + sweeps,
        "queue operations": day["queue operations"]
        + SWEEPS * SWEEP_QUEUES
        + POLLS_AFTER_A_BLOB * events * mix.kept * math.exp(-rate * mix.kept)
        + parsing / mix.peak * 24 * polls_an_hour(),
        "executions": day["executions"] + SWEEPS,
        "GB-seconds": mix.memory * (busy * _DAY / mix.peak + SWEEPS),
        "always ready GB-seconds": mix.always_ready * mix.memory * _DAY,
        "logged GB": day["log records"] * mix.log_kilobytes / 1e6,
        "stored GB": events * mix.kept * mix.kept_kilobytes / 1e6,
        "instances": math.ceil(rate * event["receiver seconds"] / mix.http_at_once)
        + math.ceil(rate * event["parser seconds"] / mix.blobs_at_once),
        "capacity units": max(1, math.ceil(units)),
        "capacity unit hours": max(1, math.ceil(units)) * 24 / mix.peak + 24 * (1 - 1 / mix.peak),
    }
    return Load(events, mix, event, {**day, **more})


def polls_an_hour() -> float:
    """Requests with which an instance polls queues that stay empty, in an hour."""
    idle = measured()["triggers"]["an idle queue, requests an hour"]
    return float(idle["Queue GET messages blob queue"] + QUEUES * idle["Queue GET messages work queue"])


def _busy(rate: float, seconds: float, at_once: float) -> float:
    """Instances that are paid for on average: one is for at least a second each time it is woken up."""
    return max(1 - math.exp(-rate * max(1.0, seconds)), rate * seconds / at_once)


def _for_an_event(mix: Mix) -> dict[str, float]:
    """What one event asks for, on average."""
    calls, often = measured()["calls"], mix.steps()
    # A billed item may not occur in any step.
    counts = dict.fromkeys((name for name in price_list()["prices"] if name.startswith("blob ")), 0.0)
    counts |= {name: mix.kept * count for name, count in HOST.items()}
    for step, share in often.items():
        for kind, count in calls["counts"][step].items():
            name = _BILLED.get(kind, kind)
            counts[name] = counts.get(name, 0) + share * count
    seconds = {step: share * calls["milliseconds"][step] / 1000 for step, share in often.items()}
    return {
        **counts,
        "executions": 1 + mix.kept,
        "log records": counts["log lines"] + HOST_RECORDS * (1 + mix.kept),
        "storage requests": storage_requests(counts),
        "kept events": mix.kept,
        "receiver seconds": seconds["ignored"] + seconds["received"],
        "parser seconds": sum(each for step, each in seconds.items() if step not in ("ignored", "received")),
    }


def storage_requests(counts: Mapping[str, float]) -> float:
    """All requests to storage, however they are named."""
    kinds = ("blob ", "table ", "queue ")
    return sum(count for name, count in counts.items() if name.startswith(kinds))


def checked() -> tuple[float, float]:
    """Requests to storage for an event of a recording that is sent again: by the steps, and as they were counted.

    Without what the Functions host does.
    """
    mix = replace(recorded_mix(), first=0, changed=0, refreshed=0)
    by_steps = _for_an_event(mix)["storage requests"] - mix.kept * storage_requests(HOST)
    events = measured()["recordings"][RECORDED]["events"]
    return by_steps, storage_requests(measured()["calls"]["recording"]) / events


_BILLED = {
    "blob lease": "blob other",
    "blob properties": "blob other",
    "table read": "table operations",
    "table query": "table operations",
    "table write": "table operations",
    "table transaction": "table operations",
}


def table(loads: Iterable[Load], prices: Prices) -> list[str]:
    """The lines of a Markdown table: what is asked for a day, the nearest limit, the price of a month."""
    found = list(loads)
    lines = ["| events a day | " + " | ".join(f"{each.events:,.0f}" for each in found) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    lines.append(_row("events a second while they arrive", (each.peak_rate for each in found)))
    lines += [_row(name, (each.day[name] for each in found)) for name in _SHOWN]
    nearest = [max(LIMITS, key=each.used) for each in found]
    lines.append("| nearest limit | " + " | ".join(limit.name.partition(":")[0] for limit in nearest) + " |")
    shares = (percent(each.used(limit)) for each, limit in zip(found, nearest, strict=True))
    lines.append("| … is used to | " + " | ".join(shares) + " |")
    lines.append(_row("function apps, each with an account", (each.apps for each in found)))
    months = [each.month(prices) for each in found]
    lines += [_row(f"$ a month: {title}", (sum(m[n] for n in names) for m in months)) for title, names in PAID.items()]
    lines.append(_row("**$ a month**", (sum(month.values()) for month in months)))
    return lines


_SHOWN = (
    "blob write",
    "blob list",
    "blob read",
    "blob other",
    "table operations",
    "queue operations",
    "Event Grid operations",
    "executions",
    "GB-seconds",
    "always ready GB-seconds",
    "instances",
    "Data Map operations",
    "capacity units",
    "log records",
    "stored GB",
)
PAID = {
    "storage": (
        "blob write",
        "blob list",
        "blob read",
        "blob other",
        "table operations",
        "queue operations",
        "stored GB-months",
    ),
    "functions, Event Grid": ("executions", "GB-seconds", "always ready GB-seconds", "Event Grid operations"),
    "log": ("logged GB",),
    "Purview": ("capacity unit hours",),
}


def _row(name: str, values: Iterable[float]) -> str:
    return f"| {name} | " + " | ".join(number(value) for value in values) + " |"


def number(value: float) -> str:
    """Three digits that count, in words where it is large."""
    for size, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{float(f'{value / size:.3g}'):g}{word}"
    return f"{float(f'{value:.3g}'):g}" if value >= 0.01 or value == 0 else "< 0.01"


def percent(share: float) -> str:
    """A share in percent, with two digits where it is small."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:,.0f} %"


def main() -> None:
    """Print the table for what was asked."""
    parser = _parser()
    options = vars(parser.parse_args())
    mix = Mix(**{figure.name: options[figure.name] for figure in fields(Mix)})
    if mix.first + mix.changed + mix.failed > 1:
        parser.error("--first, --changed and --failed are shares of the same runs: together at most 1")
    prices = dict(price_list()["prices"])
    for name, price in options["price"]:
        prices[name] = {**prices[name], "price": price}
    print("\n".join(table((load(events, mix) for events in options["events"]), prices)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        ".venv/bin/python -m benchmarks.cost",
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"Names of prices: {', '.join(price_list()['prices'])}.",
    )
    parser.add_argument(
        "--events", type=_within(1), action="append", required=True, metavar="N", help="Events a day; several times."
    )
    usual = recorded_mix()
    for figure in fields(Mix):
        default, of = getattr(usual, figure.name), figure.metadata
        parser.add_argument(
            f"--{figure.name.replace('_', '-')}",
            type=_within(of["low"], of["high"]),
            default=default,
            metavar="N",
            help=f"{of['meaning']} Default: {default:.3g}.",
        )
    parser.add_argument(
        "--price",
        type=named_price,
        action="append",
        default=[],
        metavar="NAME=PRICE",
        help="A price in dollars, instead of that of the list; several times.",
    )
    return parser


def _within(low: float, high: float = 1e15) -> Callable[[str], float]:
    """What reads a number within these bounds."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
        return value

    return number


def named_price(text: str) -> tuple[str, float]:
    name, _, price = text.rpartition("=")
    if name not in price_list()["prices"]:
        raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(price_list()['prices'])}")
    return name, _within(0)(price)


if __name__ == "__main__":
    signal(SIGPIPE, SIG_DFL)  # As by `head`: the reader may stop.
    main()
