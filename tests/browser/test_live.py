"""The explorer on the pages of the local Data Map."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from local.data_map.server import running
from tests.browser.accessibility import serious
from tests.browser.explorer_view import ExplorerView
from tests.local.data_map.api import Api, Json, dataset, process
from tests.support.tiers import sweep

# All tests with a browser run in one process, so that they share it.
pytestmark = pytest.mark.xdist_group("browser")

OpenPage = Callable[..., Page]
NAMES = ("bronze", "silver", "gold")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with running() as address, requests.Session() as session:
        yield Api(address, session)


@pytest.fixture(scope="module")
def guids(api: Api) -> dict[str, str]:
    """Three datasets in a row, with what computes the columns between them."""
    made = [dataset(name, f"-{at}") for at, name in enumerate(NAMES, 1)]
    for at, (source, sink) in enumerate([("bronze", "silver"), ("silver", "gold")], 1):
        columns = [{"Source": "amount", "Sink": "amount"}, {"Source": "day", "Sink": "day"}]
        pairs = [{"DatasetMapping": {"Source": f"x://{source}", "Sink": f"x://{sink}"}, "ColumnMapping": columns}]
        text = (
            f"Save by load_{sink} (run 1), as told by Spark's OpenLineage events.\n\n"
            f"Computed columns:\n- amount = sum({source}.amount)"
        )
        ends = [{"guid": f"-{at}"}], [{"guid": f"-{at + 1}"}]
        mapping = json.dumps(pairs)
        made.append(process(f"load_{sink}", *ends, guid=f"-1{at}", columnMapping=mapping, description=text))
    stored = api.stored(*made)
    names = {f"-{at}": name for at, name in enumerate(NAMES, 1)} | {"-11": "load_silver", "-12": "load_gold"}
    return {name: stored[guid] for guid, name in names.items()}


def opened(open_page: OpenPage, api: Api, guid: str, query: str = "", **options: object) -> ExplorerView:
    view = ExplorerView(open_page(f"{api.address}/asset/{guid}{query}", **options))
    view.ready()
    return view


def test_a_column_in_the_address_is_followed(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["gold"], "?column=amount")

    assert len(view.traced()) == 3
    assert "amount = sum(silver.amount)" in view.panel()
    assert "bronze.amount" in view.panel()


def test_a_click_is_in_the_query_and_survives_a_reload(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["silver"])

    view.click("x://gold", "day")
    assert "?asset=x%3A%2F%2Fgold&column=day" in view.page.url
    view.page.reload()
    view.ready()

    expect(view.page.locator(".panel h2")).to_have_text("day")


def test_a_process_begins_with_how_it_computes(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["load_gold"])

    assert "How each column is computed 2 amount = sum(silver.amount)" in view.panel()
    assert view.page.get_by_role("heading", name="Attributes").is_visible()


def test_an_asset_links_to_its_page(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["gold"])

    view.page.locator(".panel").get_by_role("button", name="load_gold").click()
    view.page.get_by_role("link", name="Open its page").click()

    expect(view.page.locator("h1")).to_have_text("load_gold")


def test_all_lineage_with_a_column_by_its_name(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = ExplorerView(open_page(f"{api.address}/lineage?column=gold.amount"))
    view.ready()

    assert len(view.traced()) == 3
    assert len(view.nodes()) == len(guids)


def test_an_unknown_column_is_reported(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["gold"], "?column=amuont")

    expect(view.page.locator(".notice")).to_contain_text("There is no column “amuont” in this lineage.")
    expect(view.page.locator(".panel h2")).to_have_text("gold")


def folder(path: str, guid: str) -> Json:
    made = dataset(path, guid)
    made["attributes"]["name"] = path.rpartition("/")[2]
    return made


def test_an_asset_has_one_name_everywhere(open_page: OpenPage) -> None:
    with running() as address, requests.Session() as session:
        api = Api(address, session)
        made = api.stored(
            folder("lake/silver/orders", "-1"),
            folder("lake/gold/report", "-2"),
            process("load", [{"guid": "-1"}], [{"guid": "-2"}], guid="-3"),
            # Not in the lineage of the others, and yet of the same name.
            folder("lake/bronze/orders", "-4"),
        )
        listed = open_page(f"{address}/").get_by_role("link", name="orders").all_inner_texts()
        view = opened(open_page, api, made["-1"])

        assert sorted(set(listed)) == ["bronze/orders", "silver/orders"]
        expect(view.page.locator("h1")).to_have_text("silver/orders")
        expect(view.page.locator(".panel h2")).to_have_text("silver/orders")
        expect(view.page.locator(".picture .title").first).to_have_text("silver/orders")


def test_the_wheel_scrolls_the_page(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    view = opened(open_page, api, guids["gold"])
    scale = view.scale()

    view.page.mouse.move(400, 500)
    view.page.mouse.wheel(0, 200)
    view.page.wait_for_function("() => scrollY > 0")

    assert view.scale() == scale


@pytest.mark.parametrize("scheme", sweep(["light", "dark"], ["light"]))
def test_axe_finds_no_serious_fault(open_page: OpenPage, api: Api, guids: dict[str, str], scheme: str) -> None:
    assert serious(opened(open_page, api, guids["gold"], "?column=amount", scheme=scheme).page) == []


def test_axe_finds_no_serious_fault_in_the_list(open_page: OpenPage, api: Api, guids: dict[str, str]) -> None:
    assert serious(open_page(f"{api.address}/")) == []
