"""What the address names is selected; if the lineage lacks it, a notice says so and suggests similar names."""

import pytest
from playwright.sync_api import expect

from tests.browser import graphs
from tests.browser.conftest import Open

# All tests with a browser run in one process, so that they share it.
pytestmark = pytest.mark.xdist_group("browser")


def without_focus() -> graphs.Graph:
    return {key: value for key, value in graphs.medallion().items() if key != "focus"}


@pytest.mark.parametrize(
    ("place", "heading", "of"),
    [
        ("#column=silver.costs.cost", "cost", "silver.costs"),
        # As the terminal accepts it: in any case, and by the end of the qualified name.
        ("#column=Silver.Costs.COST", "cost", "silver.costs"),
        ("#column=silver/costs.cost", "cost", "silver.costs"),
        (f"#asset={graphs.ROOT}/silver/costs&column=cost", "cost", "silver.costs"),
        ("#asset=silver.costs", "silver.costs", "azure_datalake_gen2_resource_set"),
        ("#process=sparklin://demo/clean_costs", "clean_costs", "INSERT"),
    ],
)
def test_what_is_named_is_selected(open_file: Open, place: str, heading: str, of: str) -> None:
    view = open_file(without_focus(), place)

    expect(view.page.locator(".panel h2")).to_have_text(heading)
    expect(view.page.locator(".panel .facts").first).to_contain_text(of)
    expect(view.page.locator(".notice")).to_have_count(0)


@pytest.mark.parametrize(
    ("place", "notice_text", "near"),
    [
        (
            "#column=gold.revenue.margn",
            "There is no column “gold.revenue.margn” in this lineage.",
            "gold.revenue.margin",
        ),
        ("#asset=silver.costs&column=csot", "silver.costs has no column “csot”.", "silver.costs.cost"),
        ("#asset=gold.revenu", "There is no dataset “gold.revenu” in this lineage.", "gold.revenue"),
        (
            "#process=clean_order",
            "There is no process “clean_order” in this lineage.",
            "clean_orders",
        ),
        ("#column=costs.cost", "Several columns fit “costs.cost”.", "silver.costs.cost"),
    ],
)
def test_an_unknown_name_is_reported_with_suggestions(open_file: Open, place: str, notice_text: str, near: str) -> None:
    view = open_file(without_focus(), f"{place}&indirect=1")
    notice = view.page.get_by_role("status").filter(has_text=notice_text)

    expect(notice).to_be_visible()
    # The rest works too, also after a reload.
    expect(view.button("Indirect")).to_have_attribute("aria-pressed", "true")
    view.page.reload()
    view.ready()
    expect(notice).to_be_visible()

    notice.get_by_role("button", name=near, exact=True).click()
    view.ready()

    expect(notice).to_have_count(0)
    assert view.panel().startswith(("Column", "Dataset", "Process"))
    assert "indirect=1" in view.page.url


def test_nothing_is_like_it(open_file: Open) -> None:
    view = open_file(without_focus(), "#asset=zzzz")

    expect(view.page.locator(".notice p")).to_have_text("There is no dataset “zzzz” in this lineage.")
    view.press("Close the notice")
    expect(view.page.locator(".notice")).to_have_count(0)


def test_an_unknown_column_leaves_its_dataset_selected(open_file: Open) -> None:
    view = open_file(without_focus(), "#asset=silver.costs&column=nothing")

    expect(view.page.locator(".panel h2")).to_have_text("silver.costs")
