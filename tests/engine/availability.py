"""Whether the trigger engine can be run here."""

from pathlib import Path

import pytest

from local import environment
from tests.engine.parts import PROGRAM
from tests.support.azure_worker import HAS_WORKER


def skip_without_engine() -> None:
    """Skip on a machine without the engine. Where a file is named, it must be there."""
    program = environment.variables().get(PROGRAM)
    if not program:
        pytest.skip(f"{PROGRAM} does not name the trigger engine; see CONTRIBUTING.md")
    if not HAS_WORKER:
        pytest.skip("the engine calls Azure's own worker, which needs Python 3.13")
    assert Path(program).is_file(), f"{PROGRAM} names {program}, which is no file"
