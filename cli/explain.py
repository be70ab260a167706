"""``sparklin explain``: which asset of the catalogue a dataset refers to, and by which rule.

Without network, except with ``--lookup``, which searches the catalogue.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console

from cli.connections import Local, catalog_for
from cli.explain_input import Fault, Question, from_line, from_words, merged
from cli.output import AsJson, AsText, Strict, end_if_faulty, print_json, wants_text
from cli.tables import print_line
from cli.terminal_text import terminal_text
from core.catalog_model import AssetName, NameContext, Resolution
from core.settings import Settings
from pipeline.processes import same_data
from purview.catalog import Catalog
from purview.lookup import Existing, look_up_all
from qualified_names import rules as name_rules
from qualified_names.resolve import resolve
from qualified_names.rules import Rules


def explain(
    namespace: Annotated[
        str | None, typer.Argument(metavar="NAMESPACE", help="The dataset's OpenLineage namespace.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help='Its name; "" for the root of a container.')
    ] = None,
    context: Annotated[
        str,
        typer.Option(
            metavar="JSON", help="A JSON object with mountPoints, hiveCluster, oneLakeIds, metastoreIds or sqlKinds."
        ),
    ] = "",
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Read objects {namespace, name, facets, context} from stdin, one per line.")
    ] = False,
    lookup: Annotated[bool, typer.Option("--lookup", help="Ask the catalogue which of the names exist.")] = False,
    local: Local = False,
    as_json: AsJson = False,
    as_text: AsText = False,
    strict: Strict = False,
) -> None:
    """Show the type and qualified name that a dataset gets in Purview, the rule, and all names that are looked up.

    With --jsonl, the error of a faulty line is printed in place of its answer, and on stderr as well. Exit code 1 if no
    line is readable.
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    _check_usage(namespace, name, context, jsonl=jsonl)
    settings = Settings.offline()
    explainer = Explainer(
        name_rules.of_settings(settings),
        settings.name_context(),
        catalog_for(local=local) if lookup or local else None,
    )
    if jsonl:
        _explain_lines(sys.stdin.buffer, explainer, strict=strict)
        return
    try:
        question = from_words(namespace or "", name or "", context)
    except Fault as fault:
        raise typer.BadParameter(terminal_text(str(fault)), param_hint="--context") from None
    _warn(question, "")
    answer = explainer.answer(question)
    if not is_text:
        # In a pipe as for --jsonl: a line for each answer.
        print_json(as_object(answer), one_line=not Console().is_terminal)
    else:
        _show(answer)


@dataclass(frozen=True, slots=True)
class Answer:
    """The names of a dataset, and which of them exist; ``existing`` is None if the catalogue was not searched."""

    resolution: Resolution
    existing: Existing | None = None


@dataclass(frozen=True, slots=True)
class Explainer:
    """Answers questions with the rules, the settings, and the catalogue if there is one."""

    rules: Rules
    context: NameContext
    catalog: Catalog | None = None

    def answer(self, question: Question) -> Answer:
        """The answer to one question.

        :raises TryLater, Refused: the catalogue cannot be searched.
        """
        resolution = resolve(question.dataset, merged(self.context, question.context), self.rules)
        return Answer(resolution, look_up_all(resolution, self.catalog, same_data) if self.catalog else None)


def as_object(answer: Answer) -> dict[str, Any]:
    """The answer by the contract in docs/contracts/explain.schema.json."""
    resolution, existing = answer.resolution, answer.existing
    shown: dict[str, Any] = {
        "type": resolution.asset.type_name,
        "qualifiedName": resolution.asset.qualified_name,
        "rule": resolution.rule,
        "candidates": [_named(name, existing) for name in resolution.candidates],
        "notes": [{"code": note.code, "text": note.text} for note in resolution.notes],
    }
    if existing:
        used = existing.used
        shown["asset"] = {**_named(used.name, None), "guid": used.guid} if used else None
    return shown


def _named(name: AssetName, existing: Existing | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": name.type_name, "qualifiedName": name.qualified_name}
    return {**shown, "guid": existing.guids.get(name)} if existing else shown


def _check_usage(namespace: str | None, name: str | None, context: str, *, jsonl: bool) -> None:
    if jsonl and (namespace is not None or context):
        raise typer.BadParameter(
            "takes no other arguments: names and contexts are read from stdin", param_hint="--jsonl"
        )
    if not jsonl and (namespace is None or name is None):
        raise typer.BadParameter('give both, or --jsonl; "" is a valid name', param_hint="NAMESPACE NAME")


def _explain_lines(stream: BinaryIO, explainer: Explainer, *, strict: bool) -> None:
    """An answer or an error for each line, in their order."""
    faulty = good = 0
    for number, line in _lines(stream):
        try:
            question = from_line(line)
        except Fault as fault:
            faulty += 1
            typer.echo(terminal_text(f"line {number}: {fault}"), err=True)
            print_json({"error": f"line {number}: {fault}"}, one_line=True)
            continue
        _warn(question, f"line {number}: ")
        print_json(as_object(explainer.answer(question)), one_line=True)
        good += 1
    end_if_faulty(faulty, good=good, strict=strict)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream, 1):
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if stripped:
            yield number, stripped


def _warn(question: Question, where: str) -> None:
    for key in question.unknown:
        typer.echo(terminal_text(f"{where}context.{key} is unknown and was skipped"), err=True)


def _show(answer: Answer) -> None:
    resolution, existing = answer.resolution, answer.existing
    console = Console()
    print_line(console, str(resolution.dataset.id), "bold")
    width = max(len(candidate.type_name) for candidate in resolution.candidates)
    for candidate in resolution.candidates:
        mark = "*" if candidate == resolution.asset else " "
        print_line(console, f"{mark} {candidate.type_name:{width}}  {candidate.qualified_name}")
        if existing and candidate in existing.guids:
            print_line(console, f"    in the catalogue: {existing.guids[candidate]}")
    order = "looked up in this order; if none is there, the one marked * is created"
    print_line(console, f"rule: {resolution.rule}; {order}", "dim")
    if existing:
        used = existing.used
        text = (
            f"{used.name.type_name} {used.name.qualified_name} ({used.guid})" if used else "none: it would be created"
        )
        print_line(console, f"asset used: {text}", "bold")
    for note in resolution.notes:
        print_line(console, f"note: {note.text}", "yellow")
