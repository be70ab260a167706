"""Foreign text made safe for a terminal: names in events may contain anything."""

import re

from core.logs import spelled

# Control characters, characters that reverse or hide text next to them, line separators, lone surrogates.
# Zero-width joiners stay: some scripts are not written without them.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def terminal_text(text: str) -> str:
    """One line in which every character that could control the terminal is escaped, as in ``\\u001b``."""
    return _UNPRINTABLE.sub(spelled, text)


def terminal_lines(text: str) -> str:
    """Several lines in which those characters are escaped; line breaks and tabs stay."""
    return "\n".join("\t".join(terminal_text(part) for part in line.split("\t")) for line in text.split("\n"))
