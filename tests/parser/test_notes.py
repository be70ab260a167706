"""Names as a note has room for."""

import pytest

from parser.notes import some

LETTERS = list("abcdefghijklm")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (LETTERS[:10], "a, b, c, d, e, f, g, h, i, j"),
        (LETTERS[:11], "a, b, c, d, e, f, g, h, i, j, …"),
    ],
)
def test_a_note_names_ten(names: list[str], text: str) -> None:
    assert some(names) == text
