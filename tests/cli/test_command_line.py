"""What applies to every command: help, examples, forms of output, exit codes, and errors without tracebacks."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest
import typer
from typer.testing import CliRunner, Result

from cli.command_classes import joined
from cli.examples import EXAMPLES
from cli.main import app
from cli.spark_settings import platforms
from tests.support.corpus import CORPUS, SPARK_35
from tests.support.events import body, dataset, event
from tests.support.platform_pages import blocks

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "docs" / "contracts"
TUTORIAL = CORPUS / SPARK_35 / "tutorial_customer_master"
SERVICES = ("Blob", "Queue", "Table")
HELP = ("-h", "--help")


def run(*words: object, **environment: str) -> Result:
    wanted = [str(word) for word in words]
    return CliRunner().invoke(app, wanted, env={"COLUMNS": "80", **environment}, prog_name="sparklin")


def commands() -> Iterator[tuple[str, Any]]:
    """Each command by its name, also those of groups."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield name, command
        yield from ((f"{name} {each}", found) for each, found in getattr(command, "commands", {}).items())


COMMANDS = dict(commands())
every_command = pytest.mark.parametrize("name", COMMANDS)


@every_command
def test_the_help_has_examples_and_readable_names(name: str) -> None:
    texts = [run(*name.split(), option).stdout for option in HELP]
    assert texts[0] == texts[1]
    for example in EXAMPLES[name]:
        assert example in texts[0]
    usage = texts[0].splitlines()[1]
    assert not re.search(r"[<{]|[a-z]\.\.\.", usage)
    assert not re.search(r"<(str|int|Path|list)", texts[0])


def test_paragraphs_of_help_are_wrapped_at_the_width_of_the_terminal_alone() -> None:
    text = """First
    of two.

    A paragraph
    of two lines.

    - a list
    - stays

        and
        a block
    """
    assert joined(text) == "First of two.\n\nA paragraph of two lines.\n\n- a list\n- stays\n\n    and\n    a block"


@every_command
def test_no_paragraph_of_the_help_is_broken_in_its_middle(name: str) -> None:
    own = COMMANDS[name].help
    shown = [line.strip() for line in run(*name.split(), "-h", COLUMNS="400").stdout.splitlines()]
    assert [paragraph for paragraph in own.split("\n\n") if paragraph not in shown] == []


def test_options_in_examples_exist() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()
    for example in (each for listed in EXAMPLES.values() for each in listed):
        words = shlex.split(example.partition("sparklin ")[2], comments=False)
        name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
        known = {option for each in COMMANDS[name].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known, example
        assert len(example) < 78


def test_every_command_is_on_the_page_of_the_command_line() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"`sparklin {name}" not in page and name not in ("config", "rules")] == []


def test_text_in_a_pipe_and_json_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    as_json = run("preview", TUTORIAL).stdout
    as_text = run("preview", TUTORIAL, "--text").stdout
    assert json.loads(as_json)
    assert as_text.startswith("customer_master → customer_master_delta\n")
    assert "\x1b[" in run("preview", TUTORIAL, FORCE_COLOR="1").stdout
    assert run("preview", TUTORIAL, "--json", FORCE_COLOR="1").stdout == as_json
    assert run("preview", TUTORIAL, "--json", "--text").exit_code == 2


def test_tables_keep_names_whole_at_80_columns(tmp_path: Path) -> None:
    long = [f"a_column_with_a_name_of_{number:02}_that_needs_room" for number in range(2)]
    written = dataset("t", long, {long[0]: [("a_table_with_a_long_name", long[1])], long[1]: [("s", "x")]})
    read = [dataset("a_table_with_a_long_name", [long[1]]), dataset("s", ["x"])]
    (tmp_path / "event.json").write_bytes(body(event(inputs=read, outputs=[written])))

    shown = run("preview", tmp_path, "--text").stdout

    for name in (*long, f"a_table_with_a_long_name.{long[1]}"):
        assert name in shown


def test_at_most_five_bad_files_are_named(tmp_path: Path) -> None:
    for number in range(238):
        (tmp_path / f"{number:03}.json").write_text("no JSON")
    result = run("preview", tmp_path)
    lines = result.stderr.splitlines()
    assert result.exit_code == 1
    assert [line.rpartition("/")[2] for line in lines[:5]] == [f"{n:03}.json: it is not JSON" for n in range(5)]
    assert lines[5:] == ["… and 233 more: it is not JSON", "no OpenLineage event could be read"]


GOOD = body(event(inputs=[dataset("in", ["x"])], outputs=[dataset("t", ["x"], {"x": [("in", "x")]})]))
NAME = b'{"namespace": "n", "name": "x"}'


@pytest.mark.parametrize("strict", [(), ("--strict",)])
@pytest.mark.parametrize("command", ["preview PATH", "lineage --events PATH", "explain --jsonl"])
@pytest.mark.parametrize("fault", [b"{broken", b"{}"])
def test_faulty_input_among_good_input_has_one_exit_code(
    command: str, strict: tuple[str, ...], fault: bytes, tmp_path: Path
) -> None:
    def exit_code(*contents: bytes) -> int:
        for number, content in enumerate(contents):
            (tmp_path / f"{number}.json").write_bytes(content)
        words = [str(tmp_path) if word == "PATH" else word for word in command.split()]
        lines = b"\n".join(NAME if content == GOOD else content for content in contents)
        result = CliRunner().invoke(app, [*words, *strict], input=lines)
        assert bool(result.stderr) == (fault in contents)
        return result.exit_code

    assert exit_code(fault) == 1
    assert exit_code(fault, GOOD) == (1 if strict else 0)
    assert exit_code(GOOD, GOOD) == 0


def test_what_users_cause_has_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    for words in (
        ("preview", tmp_path / "none"),
        ("preview", "\0"),
        ("preview", "x" * 5_000),
        ("lineage", "x", "--events", tmp_path),
        ("lineage", "--html", tmp_path, "--events", TUTORIAL),
        ("rules", "check", tmp_path / "folder.toml"),
        ("show", "x"),
        ("show", "x", "--local"),
        ("status", "--since", "yesterday"),
        ("config", "spark", "--platform", "emr"),
    ):
        result = run(*words)
        assert result.exit_code in (1, 2), words
        assert isinstance(result.exception, SystemExit), (words, result.exception)
        assert result.stderr.strip(), words
        assert "Traceback" not in result.stderr
        assert "unexpected error" not in result.stderr, words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lineag", "sparklin: no such command 'lineag'. Did you mean 'lineage'?"),
        ("--lcoal", "sparklin: no such option: --lcoal"),
        ("show", "sparklin show: missing argument 'RUN|JOB'."),
        ("show a b", "sparklin show: there is no place for b"),
        (
            f"lineage a.b {'folder_with_a_long_name/' * 5}events",
            f"sparklin lineage: there is no place for {'folder_with_a_long_name/' * 5}events; "
            "files and folders of events are given with --events PATH",
        ),
        ("lineage --depth x", "sparklin lineage: invalid value for '--depth': it must be a whole number"),
        ("lineage --depth 0", "sparklin lineage: invalid value for '--depth': it must be greater than or equal to 1"),
        (
            "config spark --platform fabrik",
            "sparklin config spark: invalid value for '--platform': 'fabrik' is not one of 'fabric', 'synapse', "
            "'databricks', 'submit'. Did you mean 'fabric'?",
        ),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_where_the_help_is(words: str, said: str) -> None:
    result = run(*words.split())
    command = said.partition(":")[0]
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [said, f"`{command} -h` shows options and examples"]


def test_an_unexpected_error_is_one_line_and_more_with_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.preview.preview_events", lambda *_: 1 / 0)
    brief = run("preview", TUTORIAL)
    assert (brief.exit_code, brief.stderr.splitlines()[0]) == (
        1,
        "unexpected error, please report it: ZeroDivisionError: division by zero",
    )
    assert isinstance(run("--debug", "preview", TUTORIAL).exception, ZeroDivisionError)


def test_an_interrupted_command_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.preview.preview_events", interrupted)
    assert run("preview", TUTORIAL).exit_code == 130


@pytest.mark.parametrize("content", ["{bro", "{}", '{"storage": "x"}'])
def test_a_damaged_stack_file_is_a_sentence(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(content)
    monkeypatch.chdir(tmp_path)
    result = run("status", "--local")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "`make down`, then `make up`" in result.stderr


def test_a_report_that_cannot_be_written_is_known_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.verify.services_for", lambda **_: pytest.fail("it has begun"))
    words = ("verify", "--receiver", "https://x", "--report", tmp_path / "none" / "x")
    result = run(*words, SPARKLIN_FUNCTION_KEY="k")
    assert (result.exit_code, "is not a folder that can be written to" in result.stderr) == (2, True)


def test_errors_name_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "make up" in run("show", "x", "--local").stderr
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text("{}")
    assert "--local" in run("show", "x", PURVIEW_ENDPOINT="", LINEAGE_STORAGE="").stderr
    closed = "http://127.0.0.1:9"
    parts = {"AccountName": "a", "AccountKey": "YQ==", **{f"{kind}Endpoint": f"{closed}/a" for kind in SERVICES}}
    storage = "".join(f"{name}={value};" for name, value in parts.items())
    stack = {"storage": storage, "dataMap": closed, "receiver": closed, "functionKey": "k"}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(stack))
    gone = run("show", "x", "--local")
    assert gone.exit_code == 1
    assert "Is the local stack still running? `make down`, then `make up`" in gone.stderr


def test_colours_for_data_bring_no_bars_into_a_file_of_messages() -> None:
    program = "from cli.output import messages\nwith messages().status('reading'): pass"
    environment = {**os.environ, "FORCE_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", platforms())
def test_the_pages_show_the_lines_that_are_printed(name: str) -> None:
    found = platforms()[name]
    block = blocks()[found.block]
    assert dict(found.settings) == block.settings
    platform, _, files = name.partition("-")
    url = () if files else ("--url", "https://<function app>.azurewebsites.net")
    printed = run("config", "spark", "--platform", platform, *url)
    assert printed.stderr == f"enter them in {found.where}; see {found.page}\n"
    lines = [line for line in printed.stdout.splitlines() if not line.startswith("#")]
    assert [line.split(None, 1) for line in lines] == [line.split(None, 1) for line in block.text.strip().splitlines()]
    shown = json.loads(run("config", "spark", "--platform", platform, *url, "--json").stdout)
    jsonschema.validate(shown, json.loads((CONTRACTS / "config.schema.json").read_text()))
    assert shown["settings"] == block.settings


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("fabric", "the jar goes into its custom libraries"),
        ("synapse", "the jar goes into the workspace packages"),
        ("databricks", "the jar needs an init script"),
        ("submit", f"# {blocks()['spark-submit.md: The jar'].text.strip()}\n"),
    ],
)
def test_where_the_jar_of_the_listener_comes_from(platform: str, said: str) -> None:
    printed = run("config", "spark", "--platform", platform, "--url", "https://x.azurewebsites.net")
    assert said in printed.stdout + printed.stderr


def test_what_is_given_replaces_the_placeholders() -> None:
    words = ("config", "spark", "--platform", "submit", "--url", "https://x.azurewebsites.net/", "--namespace", "prod")
    shown = json.loads(run(*words, "--json").stdout)["settings"]
    assert shown["spark.openlineage.transport.url"] == "https://x.azurewebsites.net"
    assert shown["spark.openlineage.namespace"] == "prod"


RULES = """
remove = ["adls-gen2"]

[[rule]]
name = "own"
scheme = "own"
type = "DataSet"
qualified_name = "own://{host}/{name}"
"""


def test_a_rules_file_is_checked(tmp_path: Path) -> None:
    contract = json.loads((CONTRACTS / "rules.schema.json").read_text())
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(RULES)
    bad.write_text(RULES.replace("{host}", "{hots}").replace("adls-gen2", "adls-gen9"))

    passed, failed = run("rules", "check", good), run("rules", "check", bad)

    for result in (passed, failed):
        jsonschema.validate(json.loads(result.stdout), contract)
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert json.loads(passed.stdout)["rules"] == [{"name": "own", "replaces": False}]
    assert "hots" in failed.stderr
    assert run("rules", "check", good, "--text").stdout.splitlines()[1:] == ["  own", "  adls-gen2 is removed"]
    assert [json.loads(result.stdout)["ok"] for result in (passed, failed)] == [True, False]
    none = run("rules", "check", tmp_path / "none.toml")
    assert (none.exit_code, none.stdout, none.stderr) == (2, "", f"no such file: {tmp_path / 'none.toml'}\n")
