"""The configuration lines that docs/platforms and the README give, with what they claim about having been run.

The line above each block of ``properties`` says it: ``*Run with Spark 3.4.4, 3.5.1.*``, ``*Run with Spark 3.5.1 in a
session with Delta.*`` or ``*Not run: why.*``. A block without an address goes below the common lines.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from local.spark.submit import DELTA

ROOT = Path(__file__).parents[2]
PLATFORMS = ROOT / "docs" / "platforms"
COMMON = "spark-submit.md: The common lines"

#: What a platform has set before anybody adds a line, by the words of the pages.
KINDS: dict[str, dict[str, str]] = {
    "": {},
    "a session with Delta": DELTA,
    "a session with Delta and another extension": {
        **DELTA,
        # Spark warns of a missing class, and continues.
        "spark.sql.extensions": f"{DELTA['spark.sql.extensions']},com.contoso.AnotherExtension",
    },
}

_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"(?P<above>[^\n]*)\n\n?```properties[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"\*Run with Spark (?P<versions>\d+\.\d+\.\d+(?:, \d+\.\d+\.\d+)*)(?: in (?P<kind>[^.]+))?\.\*")
_NOT_RUN = re.compile(r"\*Not run: \S.*\.\*")


@dataclass(frozen=True, slots=True)
class Block:
    """One block: where it stands, its text, and with which Sparks and in what kind of session it is said to run."""

    name: str
    text: str
    claim: str
    versions: tuple[str, ...]
    kind: str

    @property
    def settings(self) -> dict[str, str]:
        """Its lines, as Spark reads them: a key, white space, the rest."""
        return _settings(self.text)

    @property
    def is_whole(self) -> bool:
        """Whether these are all lines that a session needs."""
        return "spark.openlineage.transport.url" in self.settings


@dataclass(frozen=True, slots=True)
class Session:
    """One Spark session that holds what some blocks claim: all its lines, and the settings that these make."""

    version: str
    kind: str
    blocks: tuple[Block, ...]
    lines: str

    @property
    def settings(self) -> dict[str, str]:
        """Its lines, of which the last with a key counts."""
        return _settings(self.lines)

    @property
    def name(self) -> str:
        """What a test is called by."""
        return (
            f"Spark {self.version}{self.kind and ' in '}{self.kind}, {'; '.join(block.name for block in self.blocks)}"
        )


def sessions() -> list[Session]:
    """The fewest sessions that run every block with every Spark that it claims.

    Blocks that make the same settings share one, and so do blocks that go below the common lines and set nothing twice.
    """
    found: list[Session] = []
    for block in blocks().values():
        for version in block.versions:
            _join(found, block, version)
    return found


def _join(found: list[Session], block: Block, version: str) -> None:
    common = blocks()[COMMON].text
    alone = Session(version, block.kind, (block,), block.text if block.is_whole else common + block.text)
    for number, other in enumerate(found):
        if (other.version, other.kind) != (version, block.kind):
            continue
        both = (*other.blocks, block)
        if other.settings == alone.settings:
            found[number] = Session(version, other.kind, both, other.lines)
            return
        if not any(each.is_whole for each in both) and not _keys(other.blocks) & block.settings.keys():
            found[number] = Session(version, other.kind, both, other.lines + block.text)
            return
    found.append(alone)


def _keys(some: tuple[Block, ...]) -> set[str]:
    return {key for block in some for key in block.settings}


def blocks() -> dict[str, Block]:
    """All blocks, by ``page: heading``, with a number if a heading has several."""
    found: dict[str, Block] = {}
    for page in (ROOT / "README.md", *sorted(PLATFORMS.glob("*.md"))):
        for block in _blocks_of(page):
            found[block.name] = block
    return found


def _blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        heading = _HEADING.findall(text, 0, match.start())[-1]
        name = f"{page.name}: {heading}"
        number = sum(block.name.startswith(name) for block in found) + 1
        found.append(_block(name if number == 1 else f"{name} ({number})", match["above"], match["text"]))
    return found


def _block(name: str, claim: str, text: str) -> Block:
    run = _RUN.fullmatch(claim)
    return Block(name, text, claim, tuple(run["versions"].split(", ")) if run else (), (run and run["kind"]) or "")


def is_claim(text: str) -> bool:
    """Whether this is one of the forms of stating what was run."""
    run = _RUN.fullmatch(text)
    return (run["kind"] or "") in KINDS if run else bool(_NOT_RUN.fullmatch(text))


def _settings(text: str) -> dict[str, str]:
    pairs = (line.strip().partition(" ") for line in text.splitlines() if line.strip())
    return {key: value.strip() for key, _, value in pairs}
