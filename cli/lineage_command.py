"""``sparklin lineage``: what a dataset or column comes from, and what depends on it."""

import json
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer
from rich.console import Console

from cli.asset_argument import asset_named
from cli.connections import Local, catalog_for, services_for
from cli.event_bodies import readable_bodies
from cli.lineage_text import show_datasets, show_lineage
from cli.output import AsJson, AsText, Strict, end_if_faulty, messages, print_text, wants_text
from cli.page_file import HtmlFile, write_page
from cli.preview import preview_rules
from cli.tasks.event_graph import from_events
from cli.tasks.lineage_graphs import candidates_in_catalog, graph_of_details
from cli.web import Web, open_page
from core.catalog_model import AssetName
from core.errors import SettingsError
from core.settings import Settings
from explorer.asset_names import Named
from explorer.exports import to_csv, to_mermaid
from explorer.from_catalog import from_catalog
from explorer.graph import Direction, Focus, LineageGraph, to_json
from explorer.graph_index import GraphIndex
from explorer.tracing import trace
from purview.links import asset_link


def lineage(
    asset: Annotated[
        str,
        typer.Argument(
            metavar="ASSET[.COLUMN]",
            help="A dataset by its qualified name, its short name, or a unique part of either, and a column of it. "
            "Without it, all assets are listed.",
        ),
    ] = "",
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what depends on it.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Both directions (the default).")] = False,
    depth: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most this many processes away.")] = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="Read LineageDetails of the app (the default): with runs, and formulas and conditions in full.",
        ),
    ] = False,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Read the catalogue: also with lineage of other tools.")
    ] = False,
    events: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Read a file or folder of events, without network; can be repeated."),
    ] = None,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table: one row for each source of a column.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    html: HtmlFile = None,
    web: Web = False,
    strict: Strict = False,
) -> None:
    """Show what a dataset or a column comes from, by which expressions, and what breaks without it.

    Exit code 1 if there is no such asset, 2 if several fit. Faulty files and events of --events are named on stderr
    and left out.
    """
    _at_most_one(**{"--up": up, "--down": down, "--both": both})
    _at_most_one(**{"--details": details, "--catalogue": catalogue, "--events": bool(events)})
    _at_most_one(**{"--json": as_json, "--text": as_text, "--csv": as_csv, "--mermaid": as_mermaid})
    direction: Direction = "up" if up else "down" if down else "both"
    is_text = wants_text(as_json=as_json, as_text=as_text)
    form = "csv" if as_csv else "mermaid" if as_mermaid else "text" if is_text else "json"
    named: Named | None
    read = readable_bodies(events) if events else None
    if catalogue:
        whole, named = _of_catalog(asset, direction, depth, local=local)
    else:
        whole = from_events(read.bodies, preview_rules(Settings.offline())) if read else _of_details(local=local)
        named = asset_named(asset, whole) if asset else None
    index = GraphIndex.of(whole)
    focus = Focus(named.dataset, direction, named.column, depth) if named else None
    if web:
        open_page(_address(whole, named, local=local))
    elif html:
        shown = trace(index, focus, whole_processes=True) if focus else whole
        write_page(html, shown, f"Lineage of {asset}" if asset else "Lineage")
    else:
        _print(form, index, trace(index, focus) if focus else whole, is_part=bool(focus))
    if read:
        end_if_faulty(read.faulty, good=len(read.bodies), strict=strict)


def _print(form: str, index: GraphIndex, graph: LineageGraph, *, is_part: bool) -> None:
    """Print the lineage, as a tree if it is that of one asset."""
    if form == "csv":
        typer.echo(to_csv(graph), nl=False)
    elif form == "mermaid":
        typer.echo(to_mermaid(graph), nl=False)
    elif form == "json":
        print_text(text := to_json(graph), json.dumps(json.loads(text), indent=2))
    elif is_part:
        show_lineage(Console(), index, graph)
    else:
        show_datasets(Console(), graph)


def _address(graph: LineageGraph, named: Named | None, *, local: bool) -> str:
    """The address of the asset's page, "" if the catalogue does not have it."""
    wanted = [
        AssetName(each.type, each.qualified_name) for each in graph.datasets if named and each.id == named.dataset
    ]
    with catalog_for(local=local) as catalogue:
        link = next((asset_link(catalogue.endpoint, each.guid) for each in catalogue.find(wanted).values()), "")
    # The page of the local Data Map can select a column; addresses of the portal have parameters of their own.
    selects = link and "?" not in link and named and named.column
    return f"{link}?{urlencode({'column': named.column})}" if named and selects else link


def _at_most_one(**given: bool) -> None:
    wanted = [name for name, is_given in given.items() if is_given]
    if len(wanted) > 1:
        raise typer.BadParameter(f"give only one of {', '.join(given)}")


def _of_details(*, local: bool) -> LineageGraph:
    try:
        services = services_for(local=local)
    except SettingsError as error:
        others = "or use --catalogue, which needs PURVIEW_ENDPOINT only, or --events PATH, which needs nothing"
        raise SettingsError((*error.problems, others)) from None
    with messages().status("reading LineageDetails"):
        return graph_of_details(services)


def _of_catalog(asset: str, direction: Direction, depth: int | None, *, local: bool) -> tuple[LineageGraph, Named]:
    """The lineage around the asset, which is looked up first: a catalogue is never read as a whole."""
    if not asset:
        raise typer.BadParameter("give ASSET with --catalogue: only --details and --events are read as a whole")
    with catalog_for(local=local) as catalog, messages().status("reading the catalogue"):
        found = candidates_in_catalog(asset, catalog)
        named = asset_named(asset, found)
        guids = [each.guid for each in found.datasets if each.id == named.dataset]
        return from_catalog(catalog, guids, direction, depth), named
