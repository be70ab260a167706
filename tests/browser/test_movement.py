"""What is in view at the opening, and after movements that are interrupted by other layouts."""

import pytest

from tests.browser import graphs
from tests.browser.conftest import Open
from tests.browser.explorer_view import ExplorerView
from tests.support.tiers import sweep

# All tests with a browser run in one process, so that they share it.
pytestmark = pytest.mark.xdist_group("browser")

LAPTOP = {"width": 1440, "height": 900}


# Before, during and after a movement, which takes a quarter of a second.
@pytest.mark.parametrize("layout_delay", sweep([0, 150, 400], [150]))
@pytest.mark.parametrize(
    ("graph", "text", "node"),
    [
        (graphs.medallion(), "landing.orders.amount", "landing.orders"),
        # Folded, so that it needs another layout.
        (graphs.chain(12, columns=30), "d.0.c29", "d.0"),
        # Not shown yet.
        (graphs.chain(80), "d.0.c0", "d.0"),
        (graphs.chain(80), "copy78", "process copy78"),
    ],
)
def test_what_was_searched_is_in_view_and_readable(
    open_file: Open, graph: graphs.Graph, text: str, node: str, layout_delay: int
) -> None:
    view = open_file(graph, moves=True, layout_delay=layout_delay)

    view.search(text)

    assert view.is_in_view(node)
    assert view.scale() > 0.6


def at_once(view: ExplorerView, *buttons: str) -> None:
    """Presses buttons before anything can move."""
    press = """(names) => names.forEach((name) => [...document.querySelectorAll('.bar button')].find((each) =>
      [each.ariaLabel, each.textContent].includes(name)).click())"""
    view.page.evaluate(press, list(buttons))
    view.ready()


def test_a_layout_during_fit_ends_with_everything_in_view(open_file: Open) -> None:
    view = open_file(graphs.medallion(), moves=True)
    view.press("Only traced")

    # Everything is more than before.
    at_once(view, "Fit", "Only traced")

    assert len(view.nodes()) == 17
    assert [name for name in view.nodes() if not view.is_in_view(name)] == []


def test_a_layout_during_a_zoom_ends_at_its_scale(open_file: Open) -> None:
    view = open_file(graphs.medallion(), moves=True)
    view.search("gold.revenue.margin")
    before = view.scale()

    at_once(view, "Zoom in", "Only traced")

    assert view.scale() == pytest.approx(before * 1.4, rel=0.01)


def test_two_searches_end_at_the_second(open_file: Open) -> None:
    view = open_file(graphs.chain(80), moves=True)

    view.page.get_by_role("combobox").fill("d.0.c0")
    view.page.keyboard.press("Enter")
    view.search("d.79.c0")

    assert view.is_in_view("d.79")


def test_dragging_ends_a_movement(open_file: Open) -> None:
    view = open_file(graphs.medallion(), moves=True)
    view.search("landing.orders.amount")
    x = view.box("landing.orders").x

    at_once(view, "Fit")
    view.page.mouse.move(500, 780)
    view.page.mouse.down()
    view.page.mouse.move(480, 780, steps=2)
    view.page.mouse.up()
    view.press("Indirect")

    assert view.box("landing.orders").x < x


def test_the_opening_shows_the_whole_way_with_names_that_can_be_read(open_file: Open) -> None:
    view = open_file(graphs.medallion(), **LAPTOP)
    on_the_way = [name for name in view.nodes() if name not in view.faded()]

    assert len(on_the_way) == 16
    assert [name for name in on_the_way if not view.is_in_view(name)] == []
    signs = dict(view.signs())
    assert {"gold.order_ facts net, cost", "landing. orders amount, discount", "order_facts"} <= signs.keys()
    assert min(signs.values()) > 8


def test_the_opening_of_a_small_graph_shows_its_rows(open_file: Open) -> None:
    view = open_file(graphs.chain(3), **LAPTOP)

    assert view.signs() == []
    assert [name for name in view.nodes() if not view.is_in_view(name)] == []


def test_the_opening_of_a_graph_that_is_too_large_shows_the_asset(open_file: Open) -> None:
    view = open_file(graphs.chain(80), **LAPTOP)

    assert view.is_in_view("d.40")
    assert view.signs() == []


def test_without_a_focus_a_large_graph_opens_at_the_end_of_its_longest_way(open_file: Open) -> None:
    graph = {key: value for key, value in graphs.chain(80).items() if key != "focus"}
    view = open_file(graph, **LAPTOP)

    assert view.is_in_view("d.79")
    assert len(view.nodes()) < 70


def test_a_card_of_an_overview_opens_its_asset(open_file: Open) -> None:
    view = open_file(graphs.medallion(), **LAPTOP)
    box = view.box("silver.orders")

    view.page.mouse.click(box.x + box.width / 2, box.y + box.height - 6)
    view.ready()

    assert "Dataset × silver.orders" in view.panel()
