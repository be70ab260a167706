"""A column is followed over all hops, by mouse, by keyboard, by search and by address."""

import pytest
from playwright.sync_api import expect

from tests.browser import graphs
from tests.browser.conftest import Open

# All tests with a browser run in one process, so that they share it.
pytestmark = pytest.mark.xdist_group("browser")

WAY = [
    "bronze.costs.cost",
    "bronze.orders.amount",
    "bronze.orders.discount",
    "gold.order_facts.cost",
    "gold.order_facts.net",
    "gold.revenue.margin",
    "landing.costs.cost",
    "landing.orders.amount",
    "landing.orders.discount",
    "serving.report.margin",
    "serving.report.share",
    "silver.costs.cost",
    "silver.orders.net",
]
UP = [name for name in WAY if not name.startswith("serving")]
DOWN = [name for name in WAY if name.startswith(("serving", "gold.revenue"))]


def test_the_panel_answers_where_a_column_comes_from(open_file: Open) -> None:
    text = open_file(graphs.medallion()).panel()

    assert "How it is computed margin = sum(net) - sum(cost)" in text
    assert "Where it comes from 4 hops" in text
    assert "silver.orders.net = CAST(amount AS DECIMAL(18,2)) * (1 - coalesce(CAST(discount" in text
    assert "What decides about its rows day >= date_sub(current_date(), 365)" in text
    assert "What depends on it 1 hop serving.report.margin = round(margin, 2)" in text


def test_each_hop_shows_what_determines_its_rows_and_values(open_file: Open) -> None:
    text = open_file(graphs.medallion()).panel()
    way = text[text.index("Where it comes from") : text.index("What depends on it")]

    assert (
        "gold.order_facts.net = net in order_facts o.customer_id = c.id o.order_id = k.order_id "
        "Join silver.orders.customer_id sales.customers.id silver.costs.order_id"
    ) in way
    assert "ELSE CAST(cost AS DECIMAL(18,2)) / 1.08 END in clean_costs Condition bronze.costs.currency" in way
    # It is shown once for each process, although two columns of this one are on the path.
    assert way.count("o.customer_id = c.id") == 1


def test_a_column_with_an_indirect_influence_shows_on_what(open_file: Open) -> None:
    view = open_file(graphs.medallion(), "#asset=")

    view.search("bronze.costs.currency")
    assert "What depends on it Nothing in this graph takes its values. Values of silver.costs.cost" in view.panel()

    view.search("sales.customers.id")
    assert "Rows of order_facts" in view.panel()


def test_a_click_lights_the_whole_way_and_fades_the_rest(open_file: Open) -> None:
    view = open_file(graphs.medallion(), "#asset=")
    assert view.traced() == []

    view.click("gold.revenue", "margin")

    assert view.traced() == WAY
    assert view.faded() == ["sales.customers"]
    assert view.page.locator(".line.lit").count() == 22


def test_the_address_contains_the_selection(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    view.click("silver.costs", "cost")
    view.press("Upstream", "Only traced")
    shown = (view.traced(), view.nodes(), view.panel())

    assert "column=cost" in view.page.url
    view.page.reload()
    view.ready()

    assert (view.traced(), view.nodes(), view.panel()) == shown


def test_back_leads_to_the_selection_before(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    view.click("gold.revenue", "country")

    view.search("landing.orders.ts")
    assert not view.is_in_view("gold.revenue")

    view.page.go_back()
    expect(view.page.locator(".panel h2")).to_have_text("country")
    view.page.go_back()
    expect(view.page.locator(".panel h2")).to_have_text("margin")
    view.ready()

    assert view.traced() == WAY
    assert view.is_in_view("gold.revenue")


def test_escape_ends_it(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.keys("Escape")

    assert (view.traced(), view.faded()) == ([], [])
    assert "10 datasets, 7 processes" in view.panel()


def test_the_end_of_a_selection_survives_a_reload(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.keys("Escape")
    view.page.reload()
    view.ready()

    assert "10 datasets, 7 processes" in view.panel()


def test_only_one_direction(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.press("Upstream")
    assert view.traced() == UP
    assert "serving.report" not in view.nodes()

    view.press("Downstream")
    assert view.traced() == DOWN
    assert view.nodes() == ["gold.revenue", "process publish_report", "serving.report"]

    view.press("Both")
    assert view.traced() == WAY


def test_only_what_is_traced(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.press("Only traced")

    assert view.rows() == WAY
    assert "sales.customers" not in view.nodes()


def test_indirect_columns(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    assert view.page.locator(".line.indirect").count() == 0

    view.press("Indirect")

    # Nine columns determine rows on the path, and the currency influences the cost.
    assert view.page.locator(".line.indirect.lit").count() == 8
    assert view.faded() == []


def test_only_what_is_traced_and_what_decides_about_it(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.press("Only traced", "Indirect")

    assert view.rows(".row.column.decides") == [
        "bronze.costs.currency",
        "bronze.orders.ts",
        "gold.order_facts.country",
        "gold.order_facts.day",
        "sales.customers.id",
        "silver.costs.order_id",
        "silver.orders.customer_id",
    ]
    assert view.rows() == sorted([*WAY, *view.rows(".row.column.decides")])
    assert view.page.locator('.line.indirect[data-from="sales.customers"]').count() == 1


def test_inputs_that_may_decide_where_only_the_text_of_conditions_is_known(open_file: Open) -> None:
    made = graphs.medallion()
    view = open_file({**made, "processes": [{**each, "rows": []} for each in made["processes"]]})

    view.press("Only traced", "Indirect")

    assert "sales.customers" in view.nodes()
    assert view.page.locator('.line.indirect[data-from="sales.customers"]').count() == 1
    assert view.page.locator(".line.flow").count() == 0


def test_search_finds_assets_and_columns(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.keys("/")
    view.page.keyboard.type("costs cur")
    options = view.page.get_by_role("option")
    expect(options).to_have_text(["Columncurrencylanding.costs", "Columncurrencybronze.costs"])
    view.keys("ArrowDown", "Enter")

    expect(view.page.locator(".panel h2")).to_have_text("currency")
    assert view.traced() == ["bronze.costs.currency", "landing.costs.currency"]


def test_search_without_a_result(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.page.get_by_role("combobox").fill("nowhere")

    expect(view.page.get_by_role("option")).to_have_text("Nothing fits “nowhere”")


def test_keyboard_alone_reaches_and_follows_columns(open_file: Open) -> None:
    view = open_file(graphs.medallion(), "#asset=")

    view.page.locator(".theme").focus()
    view.keys("Tab", "ArrowDown", "ArrowDown", "Enter")
    expect(view.page.locator(".panel h2")).to_have_text("day")

    view.keys("ArrowLeft", "Enter")
    expect(view.page.locator(".panel .kind").first).to_have_text("Computation")
    view.keys("ArrowLeft", "Enter")
    expect(view.page.locator(".panel .facts").first).to_contain_text("gold.order_facts")


def test_the_way_can_be_walked_in_the_panel(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.page.locator(".way").get_by_role("button", name="silver.costs.cost").click()

    expect(view.page.locator(".panel h2")).to_have_text("cost")
    assert "Condition bronze.costs.currency" in view.panel()
    assert view.is_in_view("silver.costs")
    assert view.scale() > 0.6


def test_the_panel_starts_at_its_top_and_continues_at_its_heading(open_file: Open) -> None:
    view = open_file(graphs.medallion(), height=500)
    scrolled = "() => document.querySelector('.panel').scrollTop"
    step = view.page.locator(".way").get_by_role("button", name="landing.costs.cost")
    step.scroll_into_view_if_needed()
    assert view.page.evaluate(scrolled) > 0

    step.focus()
    view.keys("Enter")

    assert view.page.evaluate(scrolled) == 0
    expect(view.page.locator(".panel h2")).to_be_focused()
    expect(view.page.locator(".panel h2")).to_have_text("cost")

    view.keys("Escape")

    expect(view.page.locator(".panel h2")).to_have_text("10 datasets, 7 processes")
    expect(view.page.locator(".panel h2")).to_be_focused()


def test_a_line_shows_expression_conditions_and_what_decides_about_rows(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    view.press("Fit")

    view.hover_line("process clean_orders", "silver.orders")

    tooltip = view.page.get_by_role("tooltip")
    expect(tooltip).to_contain_text("net = CAST(amount AS DECIMAL(18,2))")
    expect(tooltip).to_contain_text("amount IS NOT NULL")
    expect(tooltip).to_contain_text("Filter: bronze.orders.amount")
    expect(tooltip).to_contain_text("in clean_orders")


def test_a_computed_column_shows_the_same(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.point("gold.revenue", "rank")

    expect(view.page.get_by_role("tooltip")).to_contain_text("Window: gold.order_facts.net, gold.order_facts.day")


def test_a_click_on_a_line_keeps_it(open_file: Open) -> None:
    view = open_file(graphs.medallion())
    view.press("Fit")

    view.hover_line("process clean_orders", "silver.orders")
    view.page.mouse.down()
    view.page.mouse.up()

    expect(view.page.locator(".panel .kind").first).to_have_text("Computation")
    assert "net = CAST(amount AS DECIMAL(18,2))" in view.panel()


def test_a_process_shows_first_how_its_columns_are_computed(open_file: Open) -> None:
    view = open_file(graphs.medallion())

    view.open("process order_facts")
    text = view.panel()

    assert "How each column is computed 5 country = upper(c.country) from sales.customers.country" in text
    assert "Copied unchanged 3 order_id net day" in text
    assert "o.customer_id = c.id" in text
    assert text.index("computed") < text.index("Reads and writes") < text.index("Runs")
