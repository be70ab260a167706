"""Takes the pictures of the documentation from the pages of the demo: ``make screenshots``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect

from local.demo.event_folder import FOLDER
from local.demo.recorded import play
from local.demo.scenarios import ENVIRONMENT, QUESTION
from local.demo.steps import running_stack
from tests.browser.chromium import chromium
from tests.browser.explorer_view import ExplorerView

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# No page of the documentation should take long to load.
MOST_BYTES = 300_000


@contextmanager
def view(
    browser: Browser, address: str, width: int, height: int, scheme: Literal["light", "dark"] = "light"
) -> Iterator[ExplorerView]:
    """A page of the demo."""
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    yield ExplorerView(page)
    context.close()


def take(shown: ExplorerView, name: str) -> None:
    """Saves a screenshot."""
    shown.page.screenshot(path=IMAGES / f"{name}.png")


def main() -> int:
    """Plays the demo and takes all pictures; returns the exit code."""
    column = ".".join(QUESTION)
    with running_stack(ENVIRONMENT, event_folder=FOLDER) as stack, chromium(with_system_fonts=True) as browser:
        if problems := play(stack):
            sys.stderr.write("\n".join([*problems, ""]))
            return 1
        answer = f"{stack.page}lineage?column={column}"
        with view(browser, answer, 1440, 900) as shown:
            shown.ready()
            take(shown, "explorer")
        with view(browser, answer, 1440, 900, "dark") as shown:
            shown.ready()
            shown.search("daily_sales.cost")
            shown.page.locator(".panel h2").click()
            take(shown, "explorer-dark")
        with view(browser, answer, 390, 844) as shown:
            shown.ready()
            take(shown, "explorer-narrow")
        with view(browser, f"{stack.page}overview", 1440, 900) as shown:
            expect(shown.page.get_by_role("heading", name="Applications")).to_be_visible()
            take(shown, "overview")
    large = [file.name for file in IMAGES.glob("*.png") if file.stat().st_size > MOST_BYTES]
    sys.stderr.writelines(f"{name} has more than {MOST_BYTES:,} bytes\n" for name in large)
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
