"""Problems with files: the first by name, the others by reason."""

import pytest

from cli.tasks.problems import Problems


def noted(*reasons: str) -> Problems:
    """A problem with each file ``0``, ``1`` and so on."""
    found = Problems()
    for number, reason in enumerate(reasons):
        found.add(str(number), reason)
    return found


@pytest.mark.parametrize(
    ("reasons", "lines"),
    [
        ([], []),
        (["a"] * 5, ["0: a", "1: a", "2: a", "3: a", "4: a"]),
        (["a"] * 6, ["0: a", "1: a", "2: a", "3: a", "4: a", "… and 1 more: a"]),
        (
            [*"aaaaa", *"bccddddefgg"],
            [
                *("0: a", "1: a", "2: a", "3: a", "4: a", "… and 4 more: d", "… and 2 more: c", "… and 2 more: g"),
                *("… and 1 more: b", "… and 1 more: e", "… and 1 more of 1 other kinds"),
            ],
        ),
        (
            [*"aaaaa", *"bbccddeefgg", "f", "h"],
            [
                *("0: a", "1: a", "2: a", "3: a", "4: a", "… and 2 more: b", "… and 2 more: c", "… and 2 more: d"),
                *("… and 2 more: e", "… and 2 more: f", "… and 3 more of 2 other kinds"),
            ],
        ),
    ],
)
def test_five_problems_and_five_reasons_are_named(reasons: list[str], lines: list[str]) -> None:
    found = noted(*reasons)

    assert (list(found.lines()), found.count, found.named) == (lines, len(reasons), lines[:5])
