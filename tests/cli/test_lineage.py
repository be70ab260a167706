"""``sparklin lineage``: one answer from events, from LineageDetails and from the catalogue, in every form."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from cli import lineage_command
from cli.main import app
from core.catalog_model import AssetName
from explorer.asset_names import Named
from explorer.graph import LineageGraph
from pipeline.services import Services
from tests.explorer.graphs import graph, process
from tests.support.corpus import CORPUS, SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.fixtures import Sparklin
from tests.support.universe import Universe

TUTORIAL = CORPUS / SPARK_35 / "tutorial_customer_master"
MEDALLION = CORPUS / "fabric-1.40.1_spark-4.0.1" / "medallion"
LAKE = "https://contosolake.dfs.core.windows.net"
SINK = f"{LAKE}/curated/customer_master_delta/{{SparkPartitions}}"


def lineage(*words: object, exit_code: int = 0, events: Path = TUTORIAL) -> Result:
    result = CliRunner().invoke(app, ["lineage", *map(str, words), "--events", str(events)])
    assert result.exit_code == exit_code, (result.stderr, result.exception)
    return result


def edges(shown: Any) -> set[tuple[str, str, str]]:
    """Sink column, source dataset and column of each edge of a graph."""
    return {
        (each["column"], source["dataset"].rpartition("#")[2], source["column"])
        for process in shown["processes"]
        for each in process["columns"]
        for source in each["sources"]
    }


@pytest.mark.parametrize(
    "name",
    [
        f"{SINK}.full_name",
        "customer_master_delta.full_name",
        "CUSTOMER_MASTER_DELTA.Full_Name",
        "curated/customer_master_delta.full_name",
        "curated.customer_master_delta.`full_name`",
        "master_del.full_name",
    ],
)
def test_a_column_is_named_in_many_ways(name: str) -> None:
    shown = json.loads(lineage(name, "--up").stdout)
    assert shown["focus"] == {"dataset": SINK, "column": "full_name", "direction": "up"}
    assert {(column, source) for column, _, source in edges(shown)} == {
        ("full_name", "first_name"),
        ("full_name", "last_name"),
    }


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("customer", 0, ""),
        ("raw/crm", 2, "2 assets fit 'raw/crm'; give more of the name:\n  address\n  customer\n"),
        ("custmer", 1, "no asset is called 'custmer'; similar names:\n  customer\n"),
        (
            "customer.frist_name",
            1,
            "customer is known, but it has no column 'frist_name'; similar names:\n  customer.first_name\n",
        ),
        (
            "raw/crm.frist_name",
            1,
            "2 assets fit 'raw/crm', but none has a column 'frist_name'; similar names:\n  customer.first_name\n",
        ),
        (
            "address.zzz",
            1,
            "address is known, but it has no column 'zzz'; it has:\n  address.customer_id\n",
        ),
        ("gold.customer.id", 1, "no asset is called 'gold.customer.id'; these end like it:\n  customer.id\n"),
    ],
)
def test_what_fits_several_or_nothing_leads_to_near_names(name: str, code: int, said: str) -> None:
    stderr = lineage(name, exit_code=code).stderr
    assert stderr[: len(said)] == said


def test_the_tree_says_what_feeds_a_column_and_what_uses_it() -> None:
    assert lineage("customer.created", "--text").stdout.splitlines()[:7] == [
        "customer.created: no process is known that writes it",
        "",
        "customer.created is used by:",
        "└── save by customer_master → customer_master_delta",
        "    rows: filter customer.created; join address.customer_id, customer.id",
        "    ├── customer_master_delta.rn (window)",
        "    └── every row of customer_master_delta (filter)",
    ]


def test_a_tree_goes_over_several_hops() -> None:
    assert lineage("dbo.revenue.country", "--up", "--text", events=MEDALLION).stdout.splitlines()[:9] == [
        "revenue.country comes from:",
        "└── overwrite by nb_medallion → revenue",
        "    rows: filter dbo/customers.customer_id, sales/orders.customer_id; group by",
        "    dbo/customers.country; join dbo/customers.customer_id,",
        "    sales/orders.customer_id",
        "    └── dbo/customers.country",
        "        └── create table as select by nb_medallion → customers",
        "            └── customers_raw.country",
        "                └── replace table as select by nb_medallion → customers_raw",
    ]


def test_a_formula_is_shown() -> None:
    plan = CORPUS / SPARK_35 / "logical_plan_facet"
    shown = lineage("plan_totals.pos", "--text", events=plan).stdout
    assert "    = rank() OVER (ORDER BY sum(orders.amount) DESC)\n" in shown
    assert "    WHERE: orders.qty > 0\n" in shown


def test_csv_has_a_row_for_each_source_of_a_column() -> None:
    rows = list(csv.DictReader(io.StringIO(lineage("customer_master_delta.country", "--up", "--csv").stdout)))
    assert [(row["column"], row["source column"], row["kind"]) for row in rows] == [
        ("country", "country", "VALUE"),
        ("country", "country", "VALUE"),
        ("country", "country", "CONDITIONAL"),
        ("country", "country", "CONDITIONAL"),
        ("", "customer_id", "JOIN"),
        ("", "created", "FILTER"),
        ("", "id", "JOIN"),
    ]
    assert {row["output"] for row in rows} == {SINK}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "x;="])
def test_no_cell_of_the_csv_is_a_formula(start: str, tmp_path: Path) -> None:
    column = f'{start}HYPERLINK("http://x")'
    written = dataset("t", [column], {column: [("s", column)]})
    (tmp_path / "e.json").write_bytes(body(event(inputs=[dataset("s", [column])], outputs=[written])))
    shown = lineage("--csv", events=tmp_path).stdout
    escaped = column.replace('"', '""')
    assert shown.partition("\n")[2].count(f',"{escaped}",' if start == "x;=" else f',"\'{escaped}",') == 2
    assert all(line.startswith('"') for line in shown.replace(start, "").splitlines())


def test_mermaid_draws_columns_or_datasets() -> None:
    assert lineage("customer_master_delta", "--up", "--mermaid").stdout == (
        "flowchart LR\n"
        '  d0["customer_master_delta"]\n'
        '  d1["address"]\n'
        '  d2["customer"]\n'
        '  p0(["customer_master → customer_master_delta"])\n'
        "  d1 --> p0\n"
        "  d2 --> p0\n"
        "  p0 --> d0\n"
    )
    drawn = lineage("customer_master_delta.city", "--up", "--mermaid").stdout
    assert 'subgraph d1["address"]' in drawn
    assert "-.->|" in drawn


def test_a_page_contains_the_graph(tmp_path: Path) -> None:
    file = tmp_path / "lineage.html"
    written = lineage("customer_master_delta.city", "--html", file)
    assert (written.stdout, written.stderr) == ("", f"written to {file}\n")
    assert "address_updated" in file.read_text()
    other = tmp_path / "preview.html"
    assert CliRunner().invoke(app, ["preview", str(TUTORIAL), "--html", str(other)]).exit_code == 0
    assert "customer_master" in other.read_text()
    assert "cannot be written" in lineage("--html", tmp_path / "none" / "x.html", exit_code=1).stderr


@pytest.mark.parametrize(
    "options",
    [("--up", "--down"), ("--json", "--csv"), ("--json", "--text"), ("--catalogue",), ("--depth", "0")],
)
def test_options_that_exclude_each_other_are_refused(options: tuple[str, ...]) -> None:
    lineage("x", *options, exit_code=2)


def test_details_and_catalogue_answer_the_same(universe: Universe, services: Services, sparklin: Sparklin) -> None:
    universe.deliver_all(bodies(f"{SPARK_35}/tutorial_customer_master"))
    name = "curated.customer_master_delta.full_name"
    (_, details), (_, catalogue) = sparklin("lineage", name, "--up"), sparklin("lineage", name, "--up", "--catalogue")
    assert (details["source"], catalogue["source"]) == ("details", "catalog")
    assert details["focus"] == catalogue["focus"]
    own = f"sparklin://{universe.name}/customer_master#{SINK}"
    shown = [{each["id"]: each["columns"] for each in graph["processes"]}[own] for graph in (details, catalogue)]
    assert [[source["column"] for source in each["sources"]] for (each,) in shown] == [["first_name", "last_name"]] * 2


def test_everything_is_listed_by_dataset() -> None:
    assert lineage("--text").stdout.splitlines()[::2] == [
        "address  (written by 0 processes, read by 1, 6 columns)",
        "customer  (written by 0 processes, read by 1, 6 columns)",
        "customer_master_delta  (written by 1 process, read by 0, 9 columns)",
    ]
    assert json.loads(lineage().stdout).get("focus") is None
    assert "focus" not in lineage("--mermaid").stdout


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that were opened."""
    opened: list[str] = []
    monkeypatch.setattr("typer.launch", opened.append)
    return opened


@pytest.mark.usefixtures("sparklin")
def test_the_page_of_a_dataset_or_a_column_is_opened(universe: Universe, services: Services, pages: list[str]) -> None:
    universe.deliver_all(bodies(f"{SPARK_35}/tutorial_customer_master"))
    found = services.catalog.find([AssetName("azure_datalake_gen2_resource_set", SINK)])
    address = f"{services.settings.purview_endpoint}/asset/{next(iter(found.values())).guid}"

    for name in (SINK, f"{SINK}.full_name"):
        result = CliRunner().invoke(app, ["lineage", name, "--web", "--local"])
        assert (result.exit_code, result.stdout) == (0, "")
    nothing = CliRunner().invoke(app, ["lineage", "--web", "--local"])

    assert pages == [address, f"{address}?column=full_name"]
    assert (nothing.exit_code, "no page is known" in nothing.stderr) == (1, True)


@pytest.mark.usefixtures("sparklin")
def test_a_page_of_the_portal_gets_no_column(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    universe.deliver_all(bodies(f"{SPARK_35}/tutorial_customer_master"))
    monkeypatch.setattr(lineage_command, "asset_link", lambda _endpoint, guid: f"https://portal/entity?guid={guid}")
    unknown = graph(process("nb", "s", "t", {"x": "s.x"}))
    known = msgspec.structs.replace(
        unknown,
        datasets=tuple(
            msgspec.structs.replace(each, type="azure_datalake_gen2_resource_set", qualified_name=SINK)
            if each.id == "t"
            else each
            for each in unknown.datasets
        ),
    )

    def address(of: LineageGraph, dataset: str) -> str:
        return lineage_command._address(of, Named(dataset, "x"), local=True).rpartition("=")[0]

    assert [address(known, "t"), address(known, "s"), address(unknown, "t")] == ["https://portal/entity?guid", "", ""]


def test_missing_settings_name_the_other_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINEAGE_STORAGE", raising=False)

    result = CliRunner().invoke(app, ["lineage"], env={"PURVIEW_ENDPOINT": "", "LINEAGE_STORAGE": ""})

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith(
        "or use --catalogue, which needs PURVIEW_ENDPOINT only, or --events PATH, which needs nothing"
    )
