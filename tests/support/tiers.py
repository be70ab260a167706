"""The two tiers of tests: what `make test` runs of a sweep, and what only `make test-all` runs."""

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet

from tests.support.corpus import scenarios


def sweep(values: Iterable[object], few: Collection[object]) -> list[ParameterSet]:
    """All values as parameters: `few` of them in each run, the others only in the run of all tests."""
    exhaustive = (pytest.mark.exhaustive,)
    return [
        pytest.param(value, id=_id(value, number), marks=() if value in few else exhaustive)
        for number, value in enumerate(values)
    ]


def _id(value: object, number: int) -> str:
    text = str(getattr(value, "__name__", value))
    return text if text.isascii() and text.isprintable() and len(text) < 100 else str(number)


def recorded(*words: str) -> list[ParameterSet]:
    """The recorded applications whose path contains one of the words: one of each folder, and the others as above."""
    chosen = [name for name in scenarios() if any(word in name for word in words)]
    one_a_folder = {name.partition("/")[0]: name for name in chosen}
    return sweep(chosen, set(one_a_folder.values()))
