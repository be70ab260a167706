"""Runs as people name them."""

import re

from core.identity import run_key

_KEY = re.compile(r"x-[0-9a-f]{32}")


def run_named(text: str) -> str:
    """The key of a run, given its id or the key that other commands print."""
    name = text.strip()
    return name if _KEY.fullmatch(name) else run_key(name)


def unknown_run(text: str) -> str:
    """The message if no event of the run is stored; ``text`` is the run as the user wrote it."""
    return f"no event of run {text} is stored: none arrived, none carried lineage, or they were purged"
