"""One headless Chromium for all tests of this folder, and explorers opened in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from explorer.page import page
from tests.browser.chromium import chromium
from tests.browser.explorer_view import ExplorerView
from tests.browser.graphs import Graph, text

Open = Callable[..., ExplorerView]

# Far above what anything needs, even on a busy machine.
_PATIENCE = 20_000
expect.set_options(timeout=_PATIENCE)

# Web Workers, which make the layouts, get their messages later.
_LATER = """{
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (...message) { setTimeout(() => post.apply(this, message), %d); };
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages at an address; no script in them may fail, and nothing may be refused or missing.

    Pictures move at once; with ``moves`` as for most people, within a quarter of a second. ``layout_delay`` makes each
    layout of a picture that much later, in milliseconds.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(
        address: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        moves: bool = False,
        layout_delay: int = 0,
    ) -> Page:
        size: ViewportSize = {"width": width, "height": height}
        context = browser.new_context(
            viewport=size,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="no-preference" if moves else "reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(_PATIENCE)
        contexts.append(context)
        if layout_delay:
            context.add_init_script(_LATER % layout_delay)
        made = context.new_page()
        made.on("pageerror", lambda error: faults.append(str(error)))
        made.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        made.goto(address)
        return made

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def open_file(open_page: Callable[..., Page], tmp_path: Path) -> Open:
    """Opens the explorer of a graph as a file, with ``place`` after its #."""

    def opened(graph: Graph, place: str = "", **options: object) -> ExplorerView:
        file = tmp_path / "lineage.html"
        file.write_text(page(text(graph), "Lineage"), "utf-8")
        view = ExplorerView(open_page(f"{file.as_uri()}{place}", **options))
        view.ready()
        return view

    return opened
