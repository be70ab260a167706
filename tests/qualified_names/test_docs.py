"""docs/name-rules.md: its commands give what it says, and it leaves out nothing."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from qualified_names.matching import FACTS
from qualified_names.resolve import GENERIC_RULE
from qualified_names.rules import load
from qualified_names.rules_file import FIELDS
from qualified_names.templates import FUNCTIONS

TEXT = (Path(__file__).parents[2] / "docs/name-rules.md").read_text("utf-8")
OWN_RULES = "\n".join(re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
EXAMPLES = re.findall(r"```sh\n(.*?)```\s+```json\n(.*?)```", TEXT, re.DOTALL)
MENTIONED = set(re.findall(r"`\{?([a-z_0-9-]+)\}?`", TEXT))


@pytest.mark.parametrize(("command", "expected"), EXAMPLES)
def test_example(command: str, expected: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(OWN_RULES, "utf-8")
    program, *words = shlex.split(command)

    result = CliRunner().invoke(app, words, env={"NAME_RULES_FILE": str(rules)})

    assert program == "sparklin"
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    stated = json.loads(expected)
    assert {key: answer[key] for key in stated} == stated


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


def test_every_rule_is_listed() -> None:
    assert {rule.name for rule in load().rules} | {GENERIC_RULE} <= MENTIONED


def test_every_field_value_and_function_is_explained() -> None:
    assert {*FIELDS, *FACTS, *FUNCTIONS} <= MENTIONED


def test_every_setting_is_explained() -> None:
    for setting in ("ONELAKE_IDS", "METASTORE_IDS", "HIVE_CLUSTER", "SQL_KINDS", "NAME_RULES_FILE"):
        assert f"`{setting}`" in TEXT
