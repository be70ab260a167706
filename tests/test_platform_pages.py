"""The lines that docs/platforms and the README ask people to enter: they parse, exist, and claim what is tested."""

import re

import pytest

from local.spark.releases import AGENT, RELEASES
from tests.support.platform_pages import COMMON, PLATFORMS, ROOT, Block, blocks, is_claim, sessions

BLOCKS = blocks()
PAGES = sorted(PLATFORMS.glob("*.md"))
SPARK = {
    "spark.app.name",
    "spark.extraListeners",
    "spark.jars.packages",
    "spark.sql.optimizer.plannedWrite.enabled",
}
#: What the agent reads below ``spark.openlineage.``; * stands for a name.
AGENT_KEYS = {
    "appName",
    "capturedProperties",
    "circuitBreaker.blockingTimeInSeconds",
    "circuitBreaker.memoryThreshold",
    "circuitBreaker.queueSize",
    "circuitBreaker.shutdownTimeoutSeconds",
    "circuitBreaker.threadCount",
    "circuitBreaker.timeoutInSeconds",
    "circuitBreaker.type",
    "disabled",
    "facets.*.disabled",
    "jobName.appendDatasetName",
    "namespace",
    "transport.endpoint",
    "transport.headers.*",
    "transport.location",
    "transport.properties.*",
    "transport.topicName",
    "transport.timeoutInMillis",
    "transport.type",
    "transport.url",
    "transport.urlParams.*",
}
AGENT_KEYS_0_4 = {"host", "namespace", "url.param.code", "version"}
PLACEHOLDERS = {
    "<function app>",
    "<function key>",
    "<workspace>",
    "<namespace>",
    "<connection string>",
    "{{secrets/<scope>/<secret>}}",
}
every_block = pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)


def is_known(key: str, names: set[str]) -> bool:
    patterns = (re.escape(name).replace(r"\*", r"[A-Za-z._-]+") for name in names)
    return any(re.fullmatch(rf"spark\.openlineage\.{pattern}", key) for pattern in patterns)


@every_block
def test_every_line_has_a_known_key_once_and_a_value(block: Block) -> None:
    lines = [line for line in block.text.splitlines() if line.strip()]
    ours = AGENT_KEYS_0_4 if block.name.startswith("agent-0.4.0") else AGENT_KEYS

    assert len(block.settings) == len(lines)
    assert all(block.settings.values())
    assert [key for key in block.settings if key not in SPARK and not is_known(key, ours)] == []


@every_block
def test_only_known_placeholders_are_left_to_fill_in(block: Block) -> None:
    rest = block.text
    for placeholder in PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    assert not re.search(r"[<>{}]", rest)


@every_block
def test_every_block_says_whether_it_was_run(block: Block) -> None:
    assert is_claim(block.claim), f"{block.name}: above the block stands {block.claim!r}"
    assert set(block.versions) <= RELEASES.keys()


def test_the_common_lines_are_run_with_every_spark_with_and_without_delta() -> None:
    assert set(BLOCKS[COMMON].versions) == RELEASES.keys()
    assert set(BLOCKS["spark-submit.md: With Delta"].versions) == RELEASES.keys()


def test_every_claim_is_what_a_real_session_runs() -> None:
    planned = sessions()
    run = {(block.name, session.version, session.kind) for session in planned for block in session.blocks}

    assert run == {(block.name, version, block.kind) for block in BLOCKS.values() for version in block.versions}
    for session in planned:
        for block in session.blocks:
            assert block.settings.items() <= session.settings.items(), f"{session.name} sets something else"
            assert not block.is_whole or session.settings == block.settings


def test_no_block_is_overlooked() -> None:
    fences = sum(page.read_text("utf-8").count("```properties") for page in (ROOT / "README.md", *PAGES))
    assert len(BLOCKS) == fences > 10


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("*Run with Spark 3.5.1.*", True),
        ("*Run with Spark 3.4.4, 3.5.1 in a session with Delta.*", True),
        ("*Not run: it needs the listener of Databricks.*", True),
        ("*Run with Spark 3.5.1 in a session with Iceberg.*", False),
        ("*Not run.*", False),
        ("*Run with Spark.*", False),
        ("*Run everywhere.*", False),
        ("", False),
    ],
)
def test_a_claim_is_precise(claim: str, holds: bool) -> None:
    assert is_claim(claim) is holds


def test_the_readme_gives_the_common_lines() -> None:
    of_readme = [block.settings for name, block in BLOCKS.items() if name.startswith("README.md")]
    assert of_readme == [BLOCKS[COMMON].settings]


@pytest.mark.parametrize("name", [page.name for page in PAGES if page.name != "README.md"])
def test_every_page_is_in_the_list(name: str) -> None:
    assert f"]({name})" in (PLATFORMS / "README.md").read_text("utf-8")


def test_the_pages_name_the_agent_that_is_tested() -> None:
    jar = re.compile(r"openlineage-spark_2\.1\d[:-](\d+\.\d+\.\d+)")
    assert {version for page in PAGES for version in jar.findall(page.read_text("utf-8"))} == {AGENT}
