"""Names that are too long: the shortened name fits, and is the same as in earlier versions."""

import hashlib

import pytest

from purview.limits import cut, cut_uniquely, is_cut, size


def test_a_text_that_fits_is_unchanged() -> None:
    assert (cut("äb", 3), cut_uniquely("äb", 3)) == ("äb", "äb")


@pytest.mark.parametrize(("text", "limit", "left"), [("abcdef", 5, "ab…"), ("äöü", 5, "ä…"), ("äöü", 4, "…")])
def test_a_longer_text_ends_with_an_ellipsis_and_no_half_character(text: str, limit: int, left: str) -> None:
    assert cut(text, limit) == left
    assert size(left) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "found"),
    [
        ("ab…", 5, True),
        ("ä…", 5, True),
        ("…", 4, True),
        ("a = …", 20, False),
        ("a = …", 10, True),
        ("a = …", 11, False),
        ("abcdef", 6, False),
    ],
)
def test_a_text_is_cut_if_it_ends_with_an_ellipsis_at_the_limit(text: str, limit: int, found: bool) -> None:
    assert is_cut(text, limit) == found


def test_a_name_that_is_cut_ends_with_32_digits_of_its_hash() -> None:
    """Assets in the catalogue have this name, so it must not change."""
    long = "https://lake.dfs.core.windows.net/" + "x" * 100
    digest = hashlib.sha256(long.encode()).hexdigest()
    assert cut_uniquely(long, 60) == f"https://lake.dfs.core.win…{digest[:32]}"
    assert size(cut_uniquely(long, 60)) == 60
    assert cut_uniquely(long + "y", 60) != cut_uniquely(long, 60)
