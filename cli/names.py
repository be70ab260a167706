"""How people name runs."""

import re

from core.identity import run_key

_KEY = re.compile(r"x-[0-9a-f]{32}")


def run_named(text: str) -> str:
    """The key of a run that is given by its id, or by the key that other commands print."""
    name = text.strip()
    return name if _KEY.fullmatch(name) else run_key(name)
