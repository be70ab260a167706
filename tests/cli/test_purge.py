"""Which old runs ``sparklin purge`` deletes, and how it counts them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from cli import purge
from cli.tasks import purge_runs
from cli.tasks.purge_runs import OldRun, Purged, cut_off, shortest_retention
from core.settings import Settings
from pipeline.services import Services

SERVICES = cast(Services, SimpleNamespace(settings=Settings.offline({})))


def a_run(key: str, events: int, *, processed: bool = True) -> OldRun:
    return OldRun(key, (), events, processed)


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the runs that were deleted, one for each hour of their rows."""
    found: list[str] = []

    def delete(runs: Iterable[OldRun], _: Services) -> None:
        found.extend(run.run_key for run in runs)

    monkeypatch.setattr(purge_runs, "delete_runs", delete)
    return found


@pytest.mark.parametrize(
    ("unprocessed", "counts", "gone"),
    [(False, (2, 1, 5), ["a", "a", "c"]), (True, (3, 0, 9), ["a", "b", "b", "a", "c"])],
)
def test_a_run_counts_once_and_unprocessed_ones_are_kept_unless_they_are_included(
    unprocessed: bool, counts: tuple[int, int, int], gone: list[str], deleted: list[str]
) -> None:
    waiting = a_run("b", 4, processed=False)
    runs = [a_run("a", 3), waiting, waiting, a_run("a", 3), a_run("c", 2)]

    assert purge._delete(runs, SERVICES, unprocessed=unprocessed, apply=False) == counts
    assert deleted == []
    assert purge._delete(runs, SERVICES, unprocessed=unprocessed, apply=True) == counts
    assert deleted == gone


def test_the_result_says_what_was_deleted_only_if_it_was() -> None:
    rest = Purged(processes=1, locks=2, cached=3, overflow=4, letters=5)

    assert purge.as_object("2026-05-01", 1, 2, 3, None) == {
        "applied": False,
        "before": "2026-05-01",
        "runs": 1,
        "events": 3,
        "keptUnprocessed": 2,
        "others": None,
    }
    assert purge.as_object("2026-05-01", 1, 2, 3, rest)["others"] == {
        "processes": 1,
        "locks": 2,
        "cached": 3,
        "overflow": 4,
        "letters": 5,
    }
    assert purge.as_object("2026-05-01", 1, 2, 3, rest)["applied"] is True


@pytest.mark.parametrize(
    ("window", "settle_minutes", "days"),
    # The timer looks back 14 days and as long as it takes until a run is settled.
    [(30, 24 * 60, 31), (7, 24 * 60, 16), (0, 60, 15), (7, 48 * 60, 17), (90, 90 * 24 * 60, 105)],
)
def test_what_the_app_may_still_read_or_show_is_retained(window: int, settle_minutes: int, days: int) -> None:
    settings = replace(SERVICES.settings, lineage_window_days=window, settle_after_minutes=settle_minutes)

    assert shortest_retention(cast(Services, SimpleNamespace(settings=settings))).days == days


def test_the_cut_off_lies_in_the_past() -> None:
    assert round((cut_off(0) - cut_off(3)) / timedelta(days=1)) == 3
