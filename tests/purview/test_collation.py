"""Text sorts as in .NET: punctuation, digits, letters; case last."""

from purview.collation import collation_key

IN_ORDER = ["", " ", " a", "_", "-", "/", "~", "$", "0", "9", "a", "A", "a b", "a1", "aa", "aA", "Aa", "AA", "ab", "b"]
FOREIGN = ["z", "z ", "zé", "é", "ü", "ł", "漢"]


def test_texts_are_sorted_as_the_collation_does() -> None:
    expected = [*IN_ORDER, *FOREIGN]
    assert sorted(set(expected), key=collation_key) == expected
