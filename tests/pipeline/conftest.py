"""What all tests of the pipeline share."""

from datetime import timedelta

import pytest

from pipeline import retries


@pytest.fixture(autouse=True)
def _short_look_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep asks for each hour that it has not closed; the tests need only the last ones."""
    monkeypatch.setattr(retries, "LOOK_BACK", timedelta(hours=4))
