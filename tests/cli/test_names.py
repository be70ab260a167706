"""Runs as people name them."""

import pytest

from cli.names import run_named
from core.identity import run_key

KEY = f"x-{'0a' * 16}"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("01A204F9-ced0-75cb-96b6-56e74817518a ", "01a204f9-ced0-75cb-96b6-56e74817518a"),
        (f" {KEY} ", KEY),
        (f"{KEY}0", run_key(f"{KEY}0")),
        ("application_1", run_key("application_1")),
    ],
)
def test_a_run_is_named_by_its_id_or_by_its_key(text: str, key: str) -> None:
    assert run_named(text) == key
