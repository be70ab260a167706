"""Which rows are too large for one row, or for a transaction, to the character."""

import pytest

from storage.row_limits import MAX_BYTES, MAX_ROW_BYTES, MAX_SMALL_BYTES, MAX_UNITS, is_large, too_large

TEXTS = {f"text{number:02}": "x" * MAX_UNITS for number in range(13)}
#: What is left of a row beside these texts and their names, and the name of one more text.
LEFT = MAX_ROW_BYTES - 13 * (2 * MAX_UNITS + 2 * 6 + 16) - (2 * 4 + 16)


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({}, None),
        ({"n": 1}, None),
        ({"a": "x" * MAX_UNITS, "b": "y"}, None),
        ({"a": "x" * (MAX_UNITS + 1), "b": "y"}, "a"),
        # A character outside of the basic plane has two units.
        ({"a": "😀" * (MAX_UNITS // 2)}, None),
        ({"a": "😀" * (MAX_UNITS // 2) + "x"}, "a"),
        ({"a": b"x" * MAX_BYTES}, None),
        ({"a": b"x" * (MAX_BYTES + 1)}, "a"),
        ({**TEXTS, "more": b"x" * LEFT}, None),
        ({**TEXTS, "more": b"x" * (LEFT + 1)}, "text00"),
    ],
)
def test_the_largest_property_is_named_if_it_or_the_row_is_too_large(
    entity: dict[str, object], expected: str | None
) -> None:
    assert too_large(entity) == expected


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"a": "x" * (MAX_SMALL_BYTES // 2)}, False),
        ({"a": "x" * (MAX_SMALL_BYTES // 2), "b": b"xy"}, True),
        ({"a": b"x" * MAX_SMALL_BYTES, "n": 1}, False),
        ({"a": b"x" * (MAX_SMALL_BYTES + 1)}, True),
    ],
)
def test_a_row_of_a_transaction_is_small(entity: dict[str, object], expected: bool) -> None:
    assert is_large(entity) is expected
