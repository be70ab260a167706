"""``sparklin rules check``: whether a file of naming rules can be used, and what it changes."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.output import AsJson, AsText, print_json, wants_text
from cli.tables import print_line
from cli.terminal_text import terminal_text
from core.errors import SettingsError
from qualified_names import rules as name_rules
from qualified_names.rules_file import read


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file of naming rules; see docs/name-rules.md.")],
    as_json: AsJson = False,
    as_text: AsText = False,
) -> None:
    """Check a file of naming rules, and list its rules in the order in which they are tried.

    Exit code 1 if the file has faults. To see what the rules make of a name: NAME_RULES_FILE=FILE sparklin explain …
    """
    is_text = wants_text(as_json=as_json, as_text=as_text)
    if not file.exists():
        typer.echo(terminal_text(f"no such file: {file}"), err=True)
        raise typer.Exit(2)
    shown = _checked(file)
    if not is_text:
        print_json(shown)
    else:
        _show(shown)
    for problem in shown["problems"]:
        typer.echo(terminal_text(problem), err=True)
    if shown["problems"]:
        raise typer.Exit(1)


def _checked(file: Path) -> dict[str, Any]:
    """The result by the contract in docs/contracts/rules.schema.json."""
    shown: dict[str, Any] = {"file": str(file), "ok": False, "rules": [], "removes": [], "problems": []}
    try:
        name_rules.load(str(file))
        own = read(file, str(file))
    except SettingsError as error:
        problems = [problem.removeprefix("NAME_RULES_FILE ") for problem in error.problems]
        return {**shown, "problems": problems}
    shipped = {rule.name for rule in read(name_rules.SHIPPED, name_rules.SHIPPED.name).rules}
    listed = [{"name": rule.name, "replaces": rule.name in shipped} for rule in own.rules]
    return {**shown, "ok": True, "rules": listed, "removes": list(own.remove)}


def _show(shown: dict[str, Any]) -> None:
    console = Console()
    if not shown["ok"]:
        return
    print_line(console, f"{shown['file']} can be used. Its rules are tried before the built-in ones:")
    for rule in shown["rules"]:
        print_line(console, f"  {rule['name']}{' (replaces the built-in rule)' if rule['replaces'] else ''}")
    for name in shown["removes"]:
        print_line(console, f"  {name} is removed")
