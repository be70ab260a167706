"""Foreign text, cut and cleaned so that table storage takes it."""

import re

# Characters of JSON that Azure's tables and their XML do not allow: control characters, halves of surrogate pairs, and
# the two non-characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """The text with U+FFFD for each character that storage does not allow."""
    return _UNFIT.sub("\ufffd", text)


def units(text: str) -> int:
    """The length as Azure counts it: in UTF-16 units."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def cut(text: str, limit: int) -> str:
    """The cleaned text, at most ``limit`` UTF-16 units long; a cut text ends with an ellipsis."""
    fit = clean(text[: limit + 1])
    if units(fit) <= limit:
        return fit
    # Half a surrogate pair at the end is dropped.
    return fit.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"
