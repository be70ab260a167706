"""Wraps text for terminals between words or after separators, never inside a name, even on a narrow terminal."""

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, JustifyMethod, OverflowMethod
from rich.containers import Lines
from rich.measure import Measurement
from rich.text import Text

# A word with the blanks after it, its pieces between the separators of expressions, and theirs between those of names.
_WORD = re.compile(r"\s*\S+\s*|\s+")
_PIECE = re.compile(r"[^,;()\[\]{}]*[,;()\[\]{}]+\s*|[^,;()\[\]{}]+")
_PART = re.compile(r"[^/@.:#]*[/@.:#]+|[^/@.:#]+")


class Names(Text):
    """Text in which no name is broken: a piece that is too long for a line is longer than the terminal."""

    def wrap(
        self,
        console: Console,
        width: int,
        *,
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        tab_size: int = 8,
        no_wrap: bool | None = None,
    ) -> Lines:
        """Its lines, of at most a width if the pieces allow it."""
        del console, justify, overflow, tab_size, no_wrap
        lines = Lines()
        for line in self.split("\n", allow_blank=True):
            lines.extend(_stripped(line.divide(list(_ends(line.plain, width)))))
        return lines

    def __rich_measure__(self, console: Console, options: object) -> Measurement:
        """The lengths of its longest piece and its longest line."""
        del console, options
        return Measurement(longest_piece(self.plain), max(map(cell_len, self.plain.split("\n")), default=0))


def longest_piece(text: str) -> int:
    """The number of cells of the longest part of a text that is never broken."""
    return max((cell_len(piece) for word in text.split() for piece in _pieces(word, 0)), default=0)


def print_wrapped(console: Console, text: Text, *, first: str = "", rest: str = "") -> None:
    """Print a text as lines of the console's width, each after a prefix in dim letters."""
    words = Names()
    words.append_text(text)
    prefix = first
    for line in words.wrap(console, max(console.width - cell_len(rest), 1)):
        console.print(Text.assemble((prefix, "dim"), line), soft_wrap=True)
        prefix = rest


def _stripped(lines: Lines) -> Iterator[Text]:
    for line in lines:
        line.rstrip()
        yield line


def _ends(line: str, width: int) -> Iterator[int]:
    """The places at which a line is broken."""
    used = at = 0
    for word in _WORD.findall(line):
        fits = used + cell_len(word.rstrip()) <= width
        if not fits and used and cell_len(word.strip()) <= width:
            yield at
            used, fits = 0, True
        for piece in [word] if fits else _pieces(word, width):
            if used and used + cell_len(piece.rstrip()) > width:
                yield at
                used = 0
            used += cell_len(piece)
            at += len(piece)


def _pieces(word: str, width: int) -> Iterator[str]:
    """A word in pieces; one that is longer than a width is divided further."""
    for piece in _PIECE.findall(word):
        yield from [piece] if cell_len(piece.rstrip()) <= width else _PART.findall(piece)
