"""Zoom, folding, expanding, the table, exports, themes, narrow screens and accessibility of the explorer."""

import re
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from tests.browser import graphs
from tests.browser.accessibility import serious
from tests.browser.conftest import Open
from tests.support.tiers import sweep

# All tests with a browser run in one process, so that they share it.
pytestmark = pytest.mark.xdist_group("browser")


def wide(columns: int, carrying: int) -> graphs.Graph:
    """Two datasets of many columns, of which the last ones carry lineage."""
    names = [f"c{at:03}" for at in range(columns)]
    derived = [graphs.derivation(f"t.out.{each}", [f"s.in.{each}"], f"{each} + 1") for each in names[-carrying:]]
    datasets = [graphs.dataset("s.in", *names), graphs.dataset("t.out", *names)]
    return graphs.graph(datasets, [graphs.process("add", derived)], dataset="t.out")


@pytest.mark.parametrize("scheme", sweep(["light", "dark"], ["light"]))
def test_nothing_overlaps_and_the_picture_is_not_empty(open_file: Open, scheme: str) -> None:
    view = open_file(graphs.medallion(), "#asset=", scheme=scheme)

    assert len(view.nodes()) == 17
    assert view.overlaps() == []
    assert view.spilled() == []
    assert view.colours() > 50


def test_zoom_fit_and_pan(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    before = view.settled(view.scale)

    view.press("Zoom in")
    assert view.settled(view.scale) > before

    view.press("Fit")
    assert all(box.x >= 0 and box.x + box.width <= 900 for box in view.settled(view.boxes))

    x = view.box("gold.revenue").x
    view.page.mouse.move(450, 700)
    view.page.mouse.down()
    view.page.mouse.move(350, 700, steps=4)
    view.page.mouse.up()
    assert view.settled(lambda: view.box("gold.revenue").x) == pytest.approx(x - 100, abs=2)

    scale = view.scale()
    view.page.mouse.wheel(0, -300)
    assert view.settled(view.scale) > scale


def test_the_minimap_moves_the_picture(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    small = view.page.locator(".minimap")

    small.click(position={"x": 12, "y": 20})

    assert 0 < view.settled(lambda: view.box("landing.orders").x) < 900
    assert small.locator("rect").count() == len(view.nodes()) + 1


def test_hidden_neighbours_are_expanded_and_collapsed(open_file: Open) -> None:
    view = open_file(graphs.chain(80))
    shown = len(view.nodes())
    assert 50 < shown < 70
    first = min(view.boxes(), key=lambda box: box.x).name
    more = view.page.get_by_role("button", name=f"Show 1 more upstream of {first}")

    more.focus()
    more.press("Enter")
    view.ready()
    assert len(view.nodes()) == shown + 2

    less = view.page.get_by_role("button", name="Hide what is upstream of d.40")
    less.focus()
    less.press("Enter")
    view.ready()
    assert view.boxes()[0].name == "d.40"
    assert min(view.boxes(), key=lambda box: box.x).name == "d.40"


def test_columns_without_lineage_are_folded(open_file: Open) -> None:
    view = open_file(wide(columns=60, carrying=5))
    carrying = [f"t.out.c{at:03}" for at in range(55, 60)]

    assert [name for name in view.rows() if name.startswith("t.out")] == carrying
    view.click("t.out", "55 more columns")

    assert len([name for name in view.rows() if name.startswith("t.out")]) == 60


def test_a_traced_column_is_never_folded(open_file: Open) -> None:
    view = open_file(wide(columns=60, carrying=60))
    assert "t.out.c059" not in view.rows()

    view.search("t.out.c059")

    assert view.traced() == ["s.in.c059", "t.out.c059"]


def test_the_table_shows_the_same_facts(open_file: Open) -> None:
    made = graphs.medallion()
    view = open_file(made)

    view.press("Table")
    rows = view.table()

    assert len(rows) == sum(len(process["columns"]) for process in made["processes"])
    assert [
        "gold.revenue.margin",
        "sum(net) - sum(cost)",
        "gold.order_facts.net gold.order_facts.cost",
        "day >= date_sub(current_date(), 365) "
        "Grouping: gold.order_facts.country, gold.order_facts.day Filter: gold.order_facts.day",
        "revenue",
    ] in rows

    view.press("Only traced")
    assert len(view.table()) == 10
    view.page.get_by_label("Filter the table").fill("currency")
    assert [row[0] for row in view.table()] == ["silver.costs.cost"]


def test_a_picture_is_saved_as_svg(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    name, content = view.saved("Save as SVG")

    root = ElementTree.fromstring(content)
    texts = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert name == "Lineage.svg"
    assert {"gold.revenue", "margin", "= sum(net) - sum(cost)"} <= texts
    assert b"var(--" not in content
    assert b"tabindex" not in content


def test_a_picture_is_saved_as_png(open_file: Open) -> None:
    view = open_file(graphs.medallion(), scheme="dark")

    name, content = view.saved("Save as PNG")

    assert name == "Lineage.png"
    assert view.count_colours(content) > 50


def test_the_theme_follows_the_system_until_it_is_switched(open_file: Open) -> None:
    view = open_file(graphs.medallion(), scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = view.page.evaluate(ground)

    view.press("Switch between light and dark")
    light = view.page.evaluate(ground)
    assert light != dark

    view.page.reload()
    view.ready()
    assert view.page.evaluate(ground) == light


def test_a_narrow_screen_starts_at_the_asset(open_file: Open) -> None:
    view = open_file(graphs.medallion(), width=390, height=800)

    box = view.settled(lambda: view.box("gold.revenue"))

    assert box.x >= 0
    assert box.x + box.width <= 390
    assert view.scale() > 0.9
    assert view.page.evaluate("() => document.documentElement.scrollWidth") == 390
    expect(view.page.locator(".panel h2")).to_be_in_viewport()


VIEWS = [("", "light"), ("#view=table", "dark"), ("", "dark"), ("#asset=", "light"), ("#asset=orders", "light")]


@pytest.mark.parametrize("view", sweep(VIEWS, VIEWS[:2]))
def test_axe_finds_no_serious_fault(open_file: Open, view: tuple[str, str]) -> None:
    place, scheme = view
    assert serious(open_file(graphs.medallion(), place, scheme=scheme).page) == []


def test_names_are_text(open_file: Open) -> None:
    evil = "<img/src=x:y>'\"&`${7*7}"
    made = graphs.graph(
        [graphs.dataset("in", evil), graphs.dataset("out", evil)],
        [graphs.process("p", [graphs.derivation(f"out.{evil}", [f"in.{evil}"], f"{evil} || '</script>'")])],
        dataset="out",
        column=evil,
    )
    view = open_file(made)

    assert view.traced() == [f"in.{evil}", f"out.{evil}"]
    assert f"{evil} || '</script>'" in view.panel()
    assert view.page.locator("img").count() == 0
    assert ElementTree.fromstring(view.saved("Save as SVG")[1]) is not None


def test_a_merge_that_reads_what_it_writes(open_file: Open) -> None:
    columns = [
        graphs.derivation("d.t.a", ["d.s.a", "d.t.a"], "coalesce(s.a, t.a)"),
        graphs.derivation("d.t.b", ["d.t.a"], "t.a + 1"),
    ]
    made = graphs.graph([graphs.dataset("d.s", "a"), graphs.dataset("d.t", "a", "b")], [graphs.process("m", columns)])
    view = open_file(made)

    view.click("d.t", "b")

    assert view.traced() == ["d.s.a", "d.t.a", "d.t.b"]
    assert view.overlaps() == []


def test_processes_without_columns_are_joined_by_their_datasets(open_file: Open) -> None:
    loaded = {**graphs.process("load", []), "inputs": ["d.s"], "outputs": ["d.t"]}
    note = {"code": "no-columns", "text": "Columns of load are not known"}
    made = graphs.graph([graphs.dataset("d.s"), graphs.dataset("d.t", "a", moreDownstream=3)], [loaded])
    view = open_file({**made, "notes": [note]})

    assert view.page.locator(".line.flow").count() == 2
    assert note["text"] in view.panel()
    view.open("d.t")
    assert re.search(r"Read by 3 processes not in this graph", view.panel())


@pytest.mark.exhaustive
def test_a_large_graph_stays_usable(open_file: Open) -> None:
    view = open_file(graphs.large(columns=800, processes=100, hops=6))
    # So few elements are drawn although the graph has 800 columns in one dataset and 4,600 computed ones.
    assert view.page.locator(".picture .row").count() < 1_500
    assert view.overlaps() == []

    view.search("level3.table0.c600")

    assert "level3.table0.c600" in view.traced()
    assert {name.partition(".")[0] for name in view.traced()} == {f"level{at}" for at in range(4)}
    view.click("level3.table0", "c000")
    assert {name.partition(".")[0] for name in view.traced()} == {f"level{at}" for at in range(7)}
    assert view.overlaps() == []
    view.press("Fit")
    assert view.colours() > 50
