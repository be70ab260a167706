"""The parts of a table's name: split at dots, but not at dots inside of brackets, quotes or backticks."""

import re
from collections.abc import Iterator
from functools import lru_cache

# Separates the parts of a name when they are matched as one text: a character that no name contains.
PART = "\x1f"

_PIECE = re.compile(
    r"""
    \s* (?: \[ (?P<bracketed> (?: [^\]] | \]\] )* ) \]
          | "  (?P<quoted>    (?: [^"]  | ""   )* ) "
          | `  (?P<ticked>    (?: [^`]  | ``   )* ) ` )
    \s* (?= \. | \Z )
    | (?P<plain> [^.]* )
    """,
    re.VERBOSE,
)
_CLOSING = {"bracketed": "]", "quoted": '"', "ticked": "`"}


# Every rule with layouts asks for the same name.
@lru_cache(maxsize=64)
def table_name(name: str) -> tuple[str, ...]:
    """``[dbo].[a.b]`` gives ``dbo`` and ``a.b``; a doubled closing sign stands for itself, as in ``[a]]b]``.

    A sign that is never closed, or is within a word, is treated as a letter.
    """
    return tuple(map(_text, _pieces(name)))


def without_quoted(name: str) -> str:
    """The name without the parts in brackets, quotes or backticks."""
    return ".".join(piece["plain"] or "" for piece in _pieces(name)).strip()


def _pieces(name: str) -> Iterator[re.Match[str]]:
    position = 0
    while position <= len(name):
        piece = _PIECE.match(name, position)
        if piece is None:  # The plain alternative always matches.
            return
        yield piece
        position = piece.end() + 1


def _text(piece: re.Match[str]) -> str:
    for kind, closing in _CLOSING.items():
        inside: str | None = piece[kind]
        if inside is not None:
            return inside.replace(closing * 2, closing).strip()
    return str(piece["plain"]).strip()
