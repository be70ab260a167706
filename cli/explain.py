"""``sparklin explain``: which asset of the catalogue a dataset's name means, and by which rule. Without network."""

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.explain_input import Fault, Question, from_line, from_words, merged
from cli.plain import plain
from core.model import NameContext, Resolution
from core.settings import Settings
from qualified_names import rules as name_rules
from qualified_names.resolve import resolve
from qualified_names.rules import Rules


def explain(
    namespace: Annotated[str | None, typer.Argument(help="The dataset's OpenLineage namespace.")] = None,
    name: Annotated[str | None, typer.Argument(help='Its name; "" for the root of a container.')] = None,
    context: Annotated[
        str, typer.Option(help="A JSON object with mountPoints, hiveCluster, oneLakeIds, metastoreIds or sqlKinds.")
    ] = "",
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Read objects {namespace, name, facets, context} from stdin, one a line.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON even on a terminal.")] = False,
) -> None:
    """Show the type and qualified name that a dataset gets in Purview, the rule, and all names that are looked up."""
    _check_usage(namespace, name, context, jsonl=jsonl)
    settings = Settings.offline()
    rules = name_rules.load(settings.name_rules_file or None)
    if jsonl:
        _explain_lines(sys.stdin.buffer, settings.name_context(), rules)
        return
    try:
        question = from_words(namespace or "", name or "", context)
    except Fault as fault:
        raise typer.BadParameter(plain(str(fault)), param_hint="--context") from None
    _warn(question, "")
    resolution = _answer(question, settings.name_context(), rules)
    if as_json or not sys.stdout.isatty():
        _print(as_object(resolution))
    else:
        _show(resolution)


def as_object(resolution: Resolution) -> dict[str, Any]:
    """The answer by the contract in docs/contracts/explain.schema.json."""
    return {
        "type": resolution.asset.type_name,
        "qualifiedName": resolution.asset.qualified_name,
        "rule": resolution.rule,
        "candidates": [
            {"type": candidate.type_name, "qualifiedName": candidate.qualified_name}
            for candidate in resolution.candidates
        ],
        "notes": [{"code": note.code, "text": note.text} for note in resolution.notes],
    }


def _check_usage(namespace: str | None, name: str | None, context: str, *, jsonl: bool) -> None:
    if jsonl and (namespace is not None or context):
        raise typer.BadParameter("takes no arguments: names and contexts are read from stdin", param_hint="--jsonl")
    if not jsonl and (namespace is None or name is None):
        raise typer.BadParameter('give both, or --jsonl; "" is a name too', param_hint="NAMESPACE NAME")


def _answer(question: Question, context: NameContext, rules: Rules) -> Resolution:
    return resolve(question.dataset, merged(context, question.context), rules)


def _explain_lines(stream: BinaryIO, context: NameContext, rules: Rules) -> None:
    """An answer or an error for each line, in their order; exit code 1 if there was an error."""
    failed = False
    for number, line in _lines(stream):
        try:
            question = from_line(line)
        except Fault as fault:
            failed = True
            typer.echo(plain(f"line {number}: {fault}"), err=True)
            _print({"error": f"line {number}: {fault}"})
            continue
        _warn(question, f"line {number}: ")
        _print(as_object(_answer(question, context, rules)))
    if failed:
        raise typer.Exit(1)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream, 1):
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if stripped:
            yield number, stripped


def _warn(question: Question, where: str) -> None:
    for key in question.unknown:
        typer.echo(plain(f"{where}context.{key} is unknown and was passed over"), err=True)


def _print(value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # Half a surrogate pair, or a terminal that is not UTF-8: still the same JSON.
        text = json.dumps(value)
    typer.echo(text)


def _show(resolution: Resolution) -> None:
    # Text everywhere: a plain string would be read for markup.
    table = Table(title=Text(plain(str(resolution.dataset.id))), title_justify="left", show_edge=False)
    table.add_column("type")
    table.add_column("qualified name", overflow="fold")
    for candidate in resolution.candidates:
        style = "bold" if candidate == resolution.asset else ""
        table.add_row(Text(plain(candidate.type_name)), Text(plain(candidate.qualified_name)), style=style)
    console = Console()
    console.print(table)
    rule = plain(resolution.rule)
    console.print(Text(f"rule: {rule}; looked up in this order, created as the one in bold", style="dim"))
    for note in resolution.notes:
        console.print(Text(f"note: {plain(note.text)}", style="yellow"))
