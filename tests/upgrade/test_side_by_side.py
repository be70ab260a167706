"""Workers of two versions on one store: while instances change over, and after a return to the version before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.storage_connection import StorageConnection
from tests.support.catalogue import twice
from tests.support.corpus import SPARK_35, bodies
from tests.support.installation import Installation, installed
from tests.support.storage_accounts import StorageAccounts
from tests.upgrade.former import COMMITS, FormerWorker
from tests.upgrade.record import repetition

pytestmark = [pytest.mark.exhaustive, pytest.mark.parametrize("commit", COMMITS)]

TUTORIAL = f"{SPARK_35}/tutorial_parquet_plain_spark"
WRITES = (TUTORIAL, f"{SPARK_35}/delta_merge", f"{SPARK_35}/failing_udf_plain_spark")
NOTEBOOK = "fabric-1.26.0_spark-3.5.1/merge_simple"
# How a version that does not know the identity of notebooks names the processes of this one.
NOTEBOOK_BY_NAME = "nb_merge_customers_1_"


@contextmanager
def both(commit: str, folder: Path, storage: StorageConnection) -> Iterator[tuple[Installation, FormerWorker]]:
    with installed(folder, storage=storage) as new:
        former = FormerWorker(commit, new, folder)
        try:
            yield new, former
        finally:
            former.close()


def kept(scenario: str, number: int | None = None) -> list[bytes]:
    """The events of a scenario that a receiver keeps, as another run if there is a number."""
    found = [body for body in bodies(scenario) if b'"outputs":[{' in body.replace(b'": [', b'":[') or b"FAIL" in body]
    return found if number is None else [repetition(body, number) for body in found]


def test_two_versions_at_the_same_time_draw_what_one_would(
    commit: str, tmp_path: Path, storage_accounts: StorageAccounts
) -> None:
    """Each event is received by one version and processed by both at once; each version is the last one once."""
    (tmp_path / "alone").mkdir()
    (tmp_path / "both").mkdir()
    events = [body for scenario in WRITES for body in kept(scenario)] + kept(TUTORIAL, 1) + kept(TUTORIAL, 2)
    with (
        installed(tmp_path / "alone", storage=storage_accounts.new()) as alone,
        both(commit, tmp_path / "both", storage_accounts.new()) as (new, former),
    ):
        for number, body in enumerate(events):
            blob = alone.send(body)
            alone.deliver(blob)
            if number % 2:
                former.send(body)
            else:
                new.send(body)
            former.see(blob)
            new.deliver(blob)
            former.wait()
            if number % 3 == 0:
                new.deliver(blob)
        new.timer()
        new.process_again()
        left = {status for counts in new.statuses().values() for status in counts}
        assert left <= {"Processed", "Ignored"}
        assert twice(new.data_map) == []
        assert new.picture() == alone.picture()


def test_back_to_the_version_before_and_forward_again(
    commit: str, tmp_path: Path, storage_accounts: StorageAccounts
) -> None:
    """The previous version reads what this one wrote. It loses what it does not know; a replay after the next update
    puts that right (docs/update.md)."""
    with both(commit, tmp_path, storage_accounts.new()) as (new, former):
        for body in (body for scenario in (*WRITES, NOTEBOOK) for body in kept(scenario)):
            new.deliver(new.send(body))
        before = new.processes()
        for body in kept(TUTORIAL, 1) + kept(NOTEBOOK, 1):
            former.send(body)
            former.see(new.blob(body))
            former.wait()
        after = new.processes()
        assert {status for counts in new.statuses().values() for status in counts} <= {"Processed", "Ignored"}
        assert twice(new.data_map) == []
        assert before.keys() <= after.keys()
        lost = after.keys() - before.keys()
        assert lost
        assert all(NOTEBOOK_BY_NAME in name for name in lost)
        new.process_again()
        assert new.processes().keys() == before.keys()
        assert twice(new.data_map) == []
