"""``sparklin preview``: shows what events in files would draw in the catalogue, without network."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.event_bodies import readable_bodies
from cli.output import AsJson, AsText, Strict, end_if_faulty, messages, print_json, wants_text
from cli.page_file import HtmlFile, write_page
from cli.tables import print_line, print_process
from cli.tasks.event_graph import graph_of_preview
from cli.tasks.preview_events import Preview, PreviewedProcess, Rules
from cli.tasks.preview_events import preview as preview_events
from core.catalog_model import AssetName
from core.event_model import ColumnRef
from core.lineage_model import Note
from core.settings import Settings
from parser.lineage import LineageRules
from pipeline.processes import Naming, Process
from receiver.accept import ReceiverRules


def preview(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH…",
            help="Files or folders of events: .json, .json.gz or JSON lines; a file may also contain an array of "
            "events. In folders, names that begin with _ or . are skipped.",
        ),
    ],
    as_json: AsJson = False,
    as_text: AsText = False,
    html: HtmlFile = None,
    strict: Strict = False,
) -> None:
    """Show what a set of events would draw in the catalogue. Nothing is sent anywhere.

    Faulty files and events are named on stderr and left out. Exit code 1 if nothing is readable.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    read = readable_bodies(paths)
    result = preview_events(read.bodies, preview_rules(Settings.offline()))
    if html:
        write_page(html, graph_of_preview(result), f"Lineage of {', '.join(path.name for path in paths)}")
    elif is_text:
        _show(result)
    else:
        print_json([as_object(process) for process in result.processes])
    end_if_faulty(read.faulty, good=len(read.bodies), strict=strict)


def as_object(previewed: PreviewedProcess) -> dict[str, Any]:
    """One process by the contract in docs/contracts/preview.schema.json."""
    process, draft = previewed.process, previewed.draft
    return {
        "runs": list(previewed.runs),
        "process": {
            "typeName": draft.process["typeName"],
            "qualifiedName": process.qualified_name,
            "name": process.name,
            "inputs": _assets(draft.inputs),
            "outputs": _assets(draft.outputs),
            "columnMapping": json.loads(draft.process["attributes"]["columnMapping"]),
        },
        "columns": _columns(process),
        "entities": list(draft.entities),
        "notes": [_note(note) for note in previewed.notes],
    }


def _assets(names: Iterable[AssetName]) -> list[dict[str, str]]:
    return [{"typeName": name.type_name, "qualifiedName": name.qualified_name} for name in names]


def _columns(process: Process) -> list[dict[str, Any]]:
    lineage = process.lineage

    def pair(column: ColumnRef) -> list[str]:
        resolution = process.resolutions.get(column.dataset)
        return [resolution.asset.qualified_name if resolution else str(column.dataset), column.column]

    return [
        {
            "output": process.sink.asset.qualified_name,
            "column": column.name,
            "from": sorted(pair(source) for source in column.sources),
            "indirect": sorted([*pair(use.column), use.kind] for use in {*column.indirect, *lineage.indirect}),
            "expression": column.expression,
            "constant": column.constant,
        }
        for column in lineage.columns
    ]


def _note(note: Note) -> dict[str, str]:
    found = {"code": note.code, "text": note.text}
    return {**found, "dataset": str(note.dataset)} if note.dataset else found


def _show(result: Preview) -> None:
    console = Console()
    for previewed in result.processes:
        print_process(console, as_object(previewed))
    talk = messages()
    for line in _summary(len(result.processes), Counter(result.reasons.values())):
        print_line(talk, line)


def _summary(processes: int, reasons: Counter[str]) -> Iterator[str]:
    shown = f"{processes} process{'' if processes == 1 else 'es'}"
    idle = reasons.total()
    if not idle:
        yield f"{shown}; every run draws something"
        return
    yield f"{shown}; {idle} run{' draws' if idle == 1 else 's draw'} nothing:"
    yield from (f"  {number} x {reason}" for reason, number in sorted(reasons.items()))


def preview_rules(settings: Settings) -> Rules:
    """The rules of the app under these settings."""
    return Rules(
        receiver=ReceiverRules(settings.allow_operations, settings.exclude_jobs),
        lineage=LineageRules.of(settings),
        naming=Naming.of(settings),
        window=settings.lineage_window,
    )
