"""When a process is uploaded: once for each lineage, however many runs arrive, and spread over time after an update."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.catalog_model import NameContext
from core.errors import LeaseLost, UnreadableHistory
from parser.process_history import History
from pipeline import publish
from pipeline.processes import Naming, Process, process_of
from pipeline.publish import record, republish
from pipeline.services import Services
from pipeline.unused_assets import decode
from purview import uploader
from purview.fingerprint import Fingerprints
from qualified_names.rules import load
from storage.details_table import Conflict, DetailsRow, DetailsTable
from storage.locks import HeldLocks
from tests.purview.helpers import copy_of, folder
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")


def a_write(run: str, source: str = "s", minute: float = 0) -> bytes:
    written = dataset("t", ["a"], {"a": [(source, "x")]})
    return body(event(run=run, minute=minute, inputs=[dataset(source, ["x"])], outputs=[written]))


def row_of(universe: Universe) -> DetailsRow:
    (row,) = [row for row in universe.services.details.all() if f"{universe.name}/" in row.qualified_name]
    return row


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that each upload showed."""
    found: list[str] = []
    original = uploader.upload

    def noted(lineage: Any, *arguments: Any, **more: Any) -> object:
        found.append(",".join(each.id.name.rpartition("/")[2] for each in lineage.inputs))
        return original(lineage, *arguments, **more)

    monkeypatch.setattr(uploader, "upload", noted)
    return found


def meanwhile(monkeypatch: pytest.MonkeyPatch, universe: Universe, sent: Iterator[bytes]) -> None:
    """While the process is uploaded, further runs of it are recorded by other workers, one for each write."""
    write = DetailsTable.write

    def overtaken(table: DetailsTable, row: DetailsRow) -> DetailsRow:
        following = next(sent, None) if not row.dirty and row.fingerprint else None
        if following is not None:
            with monkeypatch.context() as other:
                other.setattr("pipeline.run.publish", lambda *_: False)
                universe.deliver(following)
        return write(table, row)

    monkeypatch.setattr(DetailsTable, "write", overtaken)


def test_runs_that_keep_coming_with_the_same_lineage_cause_one_upload(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, uploads: list[str]
) -> None:
    meanwhile(monkeypatch, universe, (a_write(f"again-{number}", minute=number) for number in range(1, 5)))
    universe.deliver(a_write("first"))
    assert uploads == ["s"]
    assert not row_of(universe).dirty


def test_a_run_that_brings_something_new_meanwhile_is_uploaded_too(
    universe: Universe, monkeypatch: pytest.MonkeyPatch, uploads: list[str]
) -> None:
    later = [a_write("same", minute=1), a_write("new", "new", minute=2), a_write("same-2", minute=3)]
    meanwhile(monkeypatch, universe, iter(later))
    universe.deliver(a_write("first"))
    assert uploads == ["s", "new,s"]
    assert not row_of(universe).dirty


@pytest.mark.parametrize("act", [republish, lambda name, services: record(name, lambda _: History(), services)])
def test_a_row_that_others_change_all_the_time_is_tried_again_later(
    universe: Universe, services: Services, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    universe.deliver(a_write("first"))
    name, pauses = row_of(universe).qualified_name, list[float]()

    def conflict(*_: object) -> None:
        raise Conflict("changed by another worker")

    monkeypatch.setattr(DetailsTable, "write", conflict)
    monkeypatch.setattr("pipeline.publish.time.sleep", pauses.append)
    with pytest.raises(LeaseLost, match="changed by others"):
        act(name, services)
    assert len(pauses) == 50


def test_a_forced_upload_is_done_although_another_worker_has_just_uploaded_the_same(
    universe: Universe, services: Services, monkeypatch: pytest.MonkeyPatch, uploads: list[str]
) -> None:
    original = uploader.upload

    def forced_meanwhile(*arguments: Any, **more: Any) -> object:
        result = original(*arguments, **more)
        if len(uploads) == 1:
            with monkeypatch.context() as other:
                other.setattr(publish, "publish", lambda *_: False)
                republish(row_of(universe).qualified_name, services)
        return result

    monkeypatch.setattr(uploader, "upload", forced_meanwhile)
    universe.deliver(a_write("first"))
    assert uploads == ["s", "s"]
    assert row_of(universe).fingerprint.startswith("draft:")


@pytest.mark.parametrize(("age", "expected"), [(0.0, 0), (0.49, 0), (0.51, 1)])
def test_what_an_earlier_version_uploaded_is_uploaded_again_at_its_share_of_the_refresh(
    universe: Universe,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    uploads: list[str],
    age: float,
    expected: int,
) -> None:
    universe.deliver(a_write("first"))
    row = row_of(universe)
    older = publish._picture(row, services).fingerprints.older
    uploaded = datetime.now(UTC) - age * services.settings.upload_refresh
    services.details.write(replace(row, fingerprint=older, uploaded=uploaded))
    uploads.clear()
    monkeypatch.setattr(publish, "_share", lambda _: 0.5)
    universe.deliver(a_write("second", minute=1))
    assert len(uploads) == expected
    assert row_of(universe).fingerprint.startswith("draft:") is bool(expected)


def test_a_worker_that_lost_its_lock_uploads_nothing_and_the_next_one_does(
    universe: Universe, uploads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(HeldLocks, "check", lambda _: _lost())
        universe.deliver(a_write("first"))
    assert (uploads, row_of(universe).dirty) == ([], True)
    name = row_of(universe).qualified_name
    assert [publish.publish(name, universe.services) for _ in range(2)] == [True, False]
    assert (uploads, row_of(universe).dirty) == (["s"], False)


def _lost() -> None:
    raise LeaseLost("expired")


@pytest.mark.parametrize("is_dirty", [False, True])
def test_a_process_certainly_refers_only_to_what_its_last_complete_upload_showed(
    is_dirty: bool, universe: Universe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upload that broke off, its process may lack references to assets, which others may delete then."""
    universe.deliver(a_write("first"))
    row = row_of(universe)
    universe.services.details.write(replace(row, dirty=is_dirty))
    referred = []
    original = uploader.upload

    def noted(*arguments: Any, **more: Any) -> object:
        referred.append(more["referred"])
        return original(*arguments, **more)

    monkeypatch.setattr(uploader, "upload", noted)
    universe.deliver(a_write("second", "other", minute=1))
    assert referred == [frozenset() if is_dirty else decode(row.referred).names]
    assert decode(row.referred).names


UPLOADED = DetailsRow("sparklin://prod/app#t", fingerprint="now", uploaded=datetime.now(UTC))
REFRESH, DAY = timedelta(days=7), timedelta(days=1)
SHOWN = process_of(copy_of(folder("in"), folder("out"), "a"), Naming(load(), NameContext()))


def row_with(uploaded: timedelta | None = timedelta(), **changes: Any) -> DetailsRow:
    """A row that was uploaded some time ago, or never."""
    return replace(UPLOADED, uploaded=None if uploaded is None else datetime.now(UTC) - uploaded, **changes)


@pytest.mark.parametrize(
    ("row", "process", "expected"),
    [
        (row_with(), SHOWN, False),
        (row_with(REFRESH - DAY), SHOWN, False),
        (row_with(REFRESH), SHOWN, True),
        (row_with(None), SHOWN, True),
        (row_with(dirty=True), SHOWN, True),
        (row_with(fingerprint="other"), SHOWN, True),
        (row_with(fingerprint="before"), SHOWN, False),
        (row_with(REFRESH / 2 - DAY, fingerprint="before"), SHOWN, False),
        (row_with(REFRESH / 2, fingerprint="before"), SHOWN, True),
        (row_with(fingerprint=""), None, False),
        (row_with(), None, True),
        (row_with(fingerprint="", dirty=True), None, True),
    ],
)
def test_an_upload_is_due_if_the_catalogue_may_differ_or_it_is_long_ago(
    row: DetailsRow, process: Process | None, expected: bool, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_share", lambda _: 0.5)
    picture = publish._Picture(b"", process, Fingerprints("now", "before"))
    assert services.settings.upload_refresh == REFRESH
    assert publish._is_due(row, picture, services) is expected


@pytest.mark.parametrize(
    ("row", "fingerprint", "expected"),
    [
        (row_with(), "now", True),
        (row_with(REFRESH - DAY), "now", True),
        (row_with(REFRESH), "now", False),
        (row_with(None), "now", False),
        (row_with(dirty=True), "now", False),
        (row_with(), "other", False),
        (row_with(fingerprint=""), "", False),
    ],
)
def test_a_run_that_repeats_is_shown_only_if_its_picture_is(
    row: DetailsRow, fingerprint: str, expected: bool, services: Services
) -> None:
    assert publish._is_shown(row, fingerprint, services) is expected


def test_the_shares_of_processes_are_spread_evenly_and_do_not_change() -> None:
    shares = sorted(publish._share(f"sparklin://prod/app-{number}#sink") for number in range(1_000))
    assert all(abs(share - number / 1_000) < 0.06 for number, share in enumerate(shares))
    assert publish._share("sparklin://prod/app#sink") == publish._share("sparklin://prod/app#sink")


def test_an_upload_of_an_earlier_version_that_shows_something_else_is_repeated_at_once(
    universe: Universe, services: Services, uploads: list[str]
) -> None:
    universe.deliver(a_write("first"))
    services.details.write(replace(row_of(universe), fingerprint="0" * 64, uploaded=datetime.now(UTC)))
    uploads.clear()
    universe.deliver(a_write("second", minute=1))
    assert uploads == ["s"]


def test_a_history_that_is_not_ours_is_refused_with_a_remedy(services: Services, universe: Universe) -> None:
    name = f"sparklin://{universe.name}/app#t"
    row = services.details.write(DetailsRow(name, b"no JSON"))
    with pytest.raises(UnreadableHistory, match="cannot be read") as refused:
        record(name, lambda history: history, services)
    assert "LineageDetails" in refused.value.remedy
    services.details.delete(row)


def test_a_run_that_repeats_the_newest_lineage_does_not_read_the_history(universe: Universe) -> None:
    """So the cost is the same however long the history is."""
    universe.deliver(a_write("first"))
    row = row_of(universe)
    universe.services.details.write(replace(row, history=b"cannot be read"))
    universe.deliver(a_write("second", minute=60))
    assert universe.statuses([a_write("second", minute=60)]) == ["Processed"]
    universe.deliver(a_write("third", source="another", minute=120))
    assert universe.statuses([a_write("third", source="another", minute=120)]) == ["DeadLettered"]


def test_runs_that_repeat_the_newest_lineage_are_retracted_like_others(universe: Universe) -> None:
    for minute in range(4):
        universe.deliver(a_write(f"run-{minute}", minute=minute))
    for minute in range(4):
        assert list(universe.processes()) == ["nb → t"]
        universe.deliver(a_write(f"run-{minute}", minute=minute).replace(b"COMPLETE", b"FAIL"))
    assert universe.processes() == {}


def test_what_leaves_the_window_while_runs_repeat_is_no_longer_shown(universe: Universe, uploads: list[str]) -> None:
    day = 24 * 60
    universe.deliver(a_write("first", source="old"))
    for number in (1, 10, 29, 31, 32):
        universe.deliver(a_write(f"day {number}", minute=number * day))
    assert uploads == ["old", "old,s", "s"]


def test_a_repeated_run_is_uploaded_again_under_other_settings_or_a_dirty_row(
    universe: Universe, uploads: list[str]
) -> None:
    for minute in range(2):
        universe.deliver(a_write(f"run-{minute}", minute=minute))
    services = universe.services
    elsewhere = replace(services, settings=replace(services.settings, purview_collection="other"))
    replace(universe, services=elsewhere).deliver(a_write("run-2", minute=2))
    services.details.write(replace(row_of(universe), dirty=True))
    replace(universe, services=elsewhere).deliver(a_write("run-3", minute=3))
    assert uploads == ["s", "s", "s"]
