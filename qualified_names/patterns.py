"""Patterns of the rules file: texts with ``{captures}`` that are matched against parts of a namespace or name.

``{x}`` is one piece (a label of a host, a segment of a path, a part of a table's name), ``{x...}`` one or more
pieces, ``*`` anything within a piece, ``**`` anything at all. All else stands for itself. Schemes, hosts and namespaces
are compared without regard to case, but captures keep the case of the text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*)(?P<rest>\.\.\.)?\}|(?P<star>\*\*?)|(?P<brace>[{}])")


class PatternError(ValueError):
    """A pattern that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern and the names of its captures."""

    text: str
    regex: re.Pattern[str]
    captures: tuple[str, ...]

    def match(self, text: str) -> Mapping[str, str] | None:
        """The values of the captures if the whole text matches; None if it does not."""
        match = self.regex.fullmatch(text)
        return match.groupdict() if match else None


def compile_pattern(text: str, separator: str, *, ignore_case: bool = False) -> Pattern:
    """Compile a pattern whose pieces lie between separators ("" where the text has no pieces).

    :raises PatternError: for a brace that is no capture, or a capture that occurs twice.
    """
    piece = f"[^{re.escape(separator)}]" if separator else "."
    source, position, captures = "", 0, []
    for token in _TOKEN.finditer(text):
        source += re.escape(text[position : token.start()])
        source += _source(token, piece, text)
        position = token.end()
        if token["name"]:
            captures.append(token["name"])
    source += re.escape(text[position:])
    twice = {name for name in captures if captures.count(name) > 1}
    if twice:
        raise PatternError(f"{text!r} captures {{{twice.pop()}}} twice")
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return Pattern(text, re.compile(source, flags), tuple(captures))


def _source(token: re.Match[str], piece: str, text: str) -> str:
    if token["brace"]:
        raise PatternError(
            f"{text!r} has a brace that is not part of a capture; write captures as {{name}} or {{name...}}"
        )
    if token["star"]:
        return ".*" if token["star"] == "**" else f"{piece}*"
    return f"(?P<{token['name']}>{'.+' if token['rest'] else f'{piece}+'})"
