"""How people name runs."""

import re

from core.identity import run_key

_KEY = re.compile(r"x-[0-9a-f]{32}")


def run_named(text: str) -> str:
    """The key of a run that is given by its id, or by the key that other commands print."""
    name = text.strip()
    return name if _KEY.fullmatch(name) else run_key(name)


def unknown_run(text: str) -> str:
    """What to say where no event of the run is stored, which is called as the person did."""
    return f"no event of run {text} is stored: it never arrived, carried no lineage, or was purged"
