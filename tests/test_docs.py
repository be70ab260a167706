"""The documents are correct: their tables, links, commands and generated pages."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import cost_page
from cli.main import app
from core.settings import Settings
from scripts.settings_table import settings_table
from tests.support import agent_versions, compatibility
from tests.support.corpus import scenarios
from tests.support.figures import with_both
from tests.support.tiers import sweep

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# What tools install or leave behind is no document, and may appear while tests are collected.
_OTHERS = {"node_modules", ".venv", ".local", ".pytest_cache"}
MARKDOWN = sorted(path for path in ROOT.rglob("*.md") if not _OTHERS & set(path.relative_to(ROOT).parts))


def test_the_settings_page_lists_every_setting_as_the_code_has_it() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert settings_table() in page, "copy the output of `.venv/bin/python -m scripts.settings_table` into the page"


def test_the_readme_fits_on_150_lines() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"))
def test_the_table_of_contents_lists_every_page(page: str) -> None:
    assert f"]({page})" in (ROOT / "docs" / "README.md").read_text("utf-8")


def test_the_example_of_local_settings_has_only_settings_that_exist() -> None:
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    ours = {setting.name.upper() for setting in dataclasses.fields(Settings)}
    of_the_host = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}
    assert values.keys() <= ours | of_the_host
    assert Settings.from_env(values).blob_trigger_source == "LogsAndContainerScan"


GENERATED = {
    "agent-versions": ("tests.support.agent_versions", agent_versions.page),
    "compatibility": ("tests.support.compatibility", compatibility.page),
    "cost-and-scale": ("benchmarks.cost_page", cost_page.page),
}


@pytest.mark.parametrize("name", sweep(GENERATED, ("compatibility", "cost-and-scale")))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    module, page = GENERATED[name]
    written = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert written == page() + "\n", f"run `.venv/bin/python -m {module} > docs/{name}.md`"


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_to_files(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_has_lines_of_at_most_120_characters(path: Path) -> None:
    assert [line for line in prose(path.read_text("utf-8")) if len(line) > 120] == []


def prose(text: str) -> list[str]:
    """The lines that could be broken: not those of code blocks and tables, nor those with a long address."""
    lines = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    return [line for line in lines if not line.startswith("|") and max(map(len, line.split()), default=0) < 100]


def test_what_is_prose() -> None:
    text = "a word\n```sh\ncode\n```\n| a table |\n- " + "x" * 100 + "\n   ```\n   code\n   ```\nmore"
    assert [line for line in prose(text) if line.strip()] == ["a word", "more"]


TEXTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in MARKDOWN}


def links_to_headings() -> list[tuple[str, str, str]]:
    """Each page with a link to a heading: the page, the target page ("" for itself), and the anchor."""
    link = re.compile(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)")
    return [(page, target, anchor) for page, text in TEXTS.items() for target, anchor in link.findall(text)]


@pytest.mark.parametrize(("page", "target", "anchor"), links_to_headings(), ids=" ".join)
def test_links_to_headings_lead_to_headings(page: str, target: str, anchor: str) -> None:
    text = ((ROOT / page).parent / target if target else ROOT / page).read_text("utf-8")
    assert anchor in {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(
    "target",
    sorted({name for text in TEXTS.values() for name in re.findall(r"^\$ make (\w[\w-]*)", text, re.MULTILINE)}),
)
def test_every_make_target_of_the_documents_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The words of each command `sparklin` in a block of code, without what follows it."""
    found = re.findall(r"^ *\$ (?:\w+=\S+ )?sparklin (.+)$", text, re.MULTILINE)
    return [re.split(r" [#|>]", line)[0].split() for line in found]


COMMANDS = [words for text in TEXTS.values() for words in commands(text)]
OFFLINE = ("explain", "preview")
GROUPS = ("config", "rules")


@pytest.mark.parametrize("words", [words for words in commands(README) if words[0] in OFFLINE], ids=" ".join)
def test_every_offline_command_of_the_readme_runs(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, bool(done.stdout.strip())) == (0, True), done.output


def name_of(words: list[str]) -> str:
    """The command that the words call, in a group or not."""
    return " ".join(words[:2]) if words[0] in GROUPS else words[0]


@pytest.mark.parametrize("command", sorted({name_of(words) for words in COMMANDS}))
def test_every_command_of_the_documents_has_its_options(command: str) -> None:
    options = {word for words in COMMANDS if name_of(words) == command for word in words if word.startswith("--")}
    help_text = CliRunner().invoke(app, [*command.split(), "--help"], color=False).stdout
    assert [option for option in sorted(options) if option not in help_text] == []


NAMED_TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "threat-model.md").read_text("utf-8"))


@pytest.mark.parametrize(("path", "name"), NAMED_TESTS, ids=[name for _, name in NAMED_TESTS])
def test_every_test_that_the_threat_model_names_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text("utf-8")


def test_the_readme_counts_the_recorded_applications() -> None:
    assert f"recorded events of {len(scenarios())} Spark applications" in README
    assert f"For the {len(with_both())} recorded applications of agent 1.53" in " ".join(README.split())
