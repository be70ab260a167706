"""What a run wrote to all its outputs together, from LineageDetails."""

from collections.abc import Iterable

from core.event_model import Written
from parser.repeated_runs import whole_history
from pipeline.services import Services


def written_by(run_key: str, services: Services) -> Written | None:
    """The sums over the run's processes; None if nothing is known.

    :raises StorageUnavailable: storage does not answer.
    :raises UnreadableHistory: the history in a row has another form.
    """
    found: list[Written] = []
    for process in sorted(services.run_records.read(run_key).processes):
        row = services.details.read(process)
        history = whole_history(row.history, row.repeats) if row else None
        runs = (run for item in history.contributions for run in item.runs) if history else ()
        found += (run.written for run in runs if run.run_key == run_key and run.written)
    return Written(*map(_sum, zip(*found, strict=True))) if found else None


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
