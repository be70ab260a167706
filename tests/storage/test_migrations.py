"""The progress of a migration is read as it was written."""

import pytest

from storage.clients import StorageClients
from storage.migrations import Migrations, Progress
from tests.storage.runs import NOON, new_run


@pytest.mark.parametrize("progress", [Progress(), Progress(1, 7), Progress(2, 0, NOON)])
def test_progress_replaces_what_was_written_before(storage_clients: StorageClients, progress: Progress) -> None:
    migrations, name = Migrations(storage_clients), new_run()
    assert migrations.read(name) == Progress()
    migrations.write(name, Progress(5, 5, NOON))
    migrations.write(name, progress)
    assert migrations.read(name) == progress
