"""The overview next to the lineage page: live, also without a mouse, in light and dark, and on narrow screens."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.data_map.server import running
from pipeline.services import Services
from tests.browser.accessibility import serious
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

# All tests with a browser run in one process, so that they share it.
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.usefixtures("no_faults_left")]

Open = Callable[..., Page]


@pytest.fixture
def address(services: Services, tmp_path: Path) -> Iterator[str]:
    """The overview of a Data Map with the app whose services the tests use."""
    connection = services.settings.lineage_storage.connection_string
    settings = {"LINEAGE_STORAGE": connection, "PURVIEW_ENDPOINT": "http://127.0.0.1:9", "PURVIEW_AUTH": "none"}
    (tmp_path / "app.json").write_text(json.dumps(settings))
    with running(app_settings=tmp_path / "app.json") as url:
        yield f"{url}/overview"


@pytest.fixture
def open_overview(address: str, open_page: Open) -> Open:
    """Opens the overview. It asks for news until it is closed, which is before the Data Map ends."""
    return partial(open_page, address)


def deliver(universe: Universe, run: str, **more: Any) -> None:
    written = dataset("t", ["a"], {"a": [("s", "x")]})
    universe.deliver(body(event(run=run, inputs=[dataset("s", ["x"])], outputs=[written], **more)))


def test_it_shows_new_events_automatically(open_overview: Open, universe: Universe) -> None:
    page = open_overview()
    expect(page.get_by_role("heading", name="Applications")).to_be_visible()

    deliver(universe, "one")
    row = page.get_by_role("row").filter(has_text=universe.name)
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")

    deliver(universe, "two")
    expect(row.get_by_role("cell").nth(1)).to_have_text("2")


def test_it_can_be_stopped(open_overview: Open, universe: Universe) -> None:
    page = open_overview()
    stop = page.get_by_role("button", name="Stop updating")
    stop.focus()
    stop.press("Enter")
    expect(stop).to_have_attribute("aria-pressed", "true")
    deliver(universe, "one")
    # As if it had become due several times.
    page.evaluate("() => refresh()")
    expect(page.get_by_role("row").filter(has_text=universe.name)).to_have_count(0)

    stop.press("Enter")
    expect(page.get_by_role("row").filter(has_text=universe.name)).to_have_count(1)


def test_an_update_keeps_the_focus(open_overview: Open, universe: Universe) -> None:
    deliver(universe, "one")
    page = open_overview()
    table = page.get_by_role("region", name="Applications")
    table.focus()

    deliver(universe, "two")
    row = page.get_by_role("row").filter(has_text=universe.name)
    expect(row.get_by_role("cell").nth(1)).to_have_text("2")

    expect(table).to_be_focused()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_finds_no_serious_fault_and_nothing_sticks_out(
    open_overview: Open, universe: Universe, scheme: str, width: int
) -> None:
    universe.fail(count=100, path="entity/bulk", status=400)
    deliver(universe, "one", job_name="long" * 30)
    page = open_overview(scheme=scheme, width=width)
    expect(page.get_by_role("region", name="Last errors")).to_be_visible()

    assert serious(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_it_leads_to_the_lineage_and_back(open_overview: Open) -> None:
    page = open_overview()

    page.get_by_role("link", name="Lineage").click()
    expect(page.locator("#explorer")).to_be_visible()
    page.get_by_role("link", name="Overview").click()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
