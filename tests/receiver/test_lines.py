"""Which lines of a part of a file are taken, and where the next part begins."""

import pytest

from receiver.lines import Cut, cut

PARTS = [
    # data, in_long_line, is_end, is_idle, what is taken
    (b"a\nb\n", False, False, False, Cut(((5, b"a"), (6, b"b")), 4, 2)),
    (b"a\n \nb\nrest", False, False, False, Cut(((5, b"a"), (7, b"b")), 6, 3)),
    (b"a\nrest", False, True, True, Cut(((5, b"a"),), 2, 1)),
    (b"long\na\n", True, False, False, Cut(((6, b"a"),), 7, 2)),
    (b"long\n", True, True, True, Cut((), 5, 1)),
    (b"long", True, False, False, Cut(length=4, in_long_line=True)),
    (b"long", True, True, True, Cut(length=4, in_long_line=True)),
    (b"long", False, False, False, Cut(length=4, is_too_long=True, in_long_line=True)),
    (b"rest", False, True, False, Cut()),
    (b"rest", False, True, True, Cut(((5, b"rest"),), 4, is_rest=True)),
    (b"  ", False, True, True, Cut((), 2, is_rest=True)),
    (b"", False, True, True, Cut()),
]


@pytest.mark.parametrize(("data", "in_long_line", "is_end", "is_idle", "taken"), PARTS)
def test_whole_lines_are_taken(data: bytes, in_long_line: bool, is_end: bool, is_idle: bool, taken: Cut) -> None:
    assert cut(data, 5, in_long_line=in_long_line, is_end=is_end, is_idle=is_idle) == taken
