"""What the documents say is so."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import cost_page
from core.settings import Settings
from scripts.settings_table import settings_table
from tests.support import agent_versions, compatibility

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MARKDOWN = [path for path in ROOT.rglob("*.md") if not {"node_modules", ".venv", ".local"} & set(path.parts)]


def test_the_readme_lists_every_setting_as_the_code_has_it() -> None:
    assert settings_table() in README, "copy the output of `.venv/bin/python -m scripts.settings_table` into README.md"


def test_the_example_of_local_settings_holds_settings_that_exist() -> None:
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    ours = {setting.name.upper() for setting in dataclasses.fields(Settings)}
    hosts_own = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}
    assert values.keys() <= ours | hosts_own
    assert Settings.from_env(values).blob_trigger_source == "LogsAndContainerScan"


MADE = {
    "agent-versions": ("tests.support.agent_versions", agent_versions.page),
    "compatibility": ("tests.support.compatibility", compatibility.page),
    "cost-and-scale": ("benchmarks.cost_page", cost_page.page),
}


@pytest.mark.parametrize("name", MADE)
def test_a_page_that_is_made_is_made_of_what_there_is_now(name: str) -> None:
    module, page = MADE[name]
    written = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert written == page() + "\n", f"run `.venv/bin/python -m {module} > docs/{name}.md`"


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_has_lines_of_at_most_120_characters(path: Path) -> None:
    assert [line for line in prose(path.read_text("utf-8")) if len(line) > 120] == []


def prose(text: str) -> list[str]:
    """The lines outside of blocks of code and tables that could be broken: a long address cannot."""
    lines = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    return [line for line in lines if not line.startswith("|") and max(map(len, line.split()), default=0) < 100]


def test_what_is_prose() -> None:
    text = "a word\n```sh\ncode\n```\n| a table |\n- " + "x" * 100 + "\n   ```\n   code\n   ```\nmore"
    assert [line for line in prose(text) if line.strip()] == ["a word", "more"]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake (\w[\w-]*)", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


COMMANDS = [line.split("#")[0].split() for line in re.findall(r"^\$ \.venv/bin/sparklin (.+)$", README, re.MULTILINE)]
OFFLINE = ("explain", "preview")


def sparklin(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "cli.main", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] in OFFLINE], ids=" ".join)
def test_every_offline_command_of_the_readme_runs(words: list[str]) -> None:
    assert sparklin(*words).strip()


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] not in OFFLINE], ids=" ".join)
def test_every_other_command_of_the_readme_has_its_options(words: list[str]) -> None:
    told = sparklin(words[0], "--help")
    assert [word for word in words if word.startswith("--") and word not in told] == []


NAMED_TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "threat-model.md").read_text("utf-8"))


@pytest.mark.parametrize(("path", "name"), NAMED_TESTS, ids=[name for _, name in NAMED_TESTS])
def test_every_test_that_the_threat_model_names_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text("utf-8")
