"""``sparklin doctor`` as a whole: in which order it looks."""

from collections.abc import Callable

import pytest

from cli import doctor
from cli.checks.check import Check, State
from cli.checks.endpoint import Receiver
from core.settings import Settings
from storage.clients import LINEAGE_DETAILS, StorageClients, connect, provision
from tests.support.storage_accounts import StorageAccounts


def lose_a_table(clients: StorageClients) -> None:
    provision(clients)
    clients.tables.delete_table(LINEAGE_DETAILS)


@pytest.mark.parametrize(
    ("lose", "state", "found", "repair"),
    [
        (lambda clients: None, State.OK, "all exist", ""),
        (
            lose_a_table,
            State.WRONG,
            f"missing: table {LINEAGE_DETAILS}",
            "sparklin rebuild",
        ),
    ],
    ids=["new", "lost"],
)
def test_a_table_that_the_app_creates_when_it_is_asked_was_lost_unless_the_app_is_new(
    lose: Callable[[StorageClients], object],
    state: State,
    found: str,
    repair: str,
    storage_accounts: StorageAccounts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = storage_accounts.new()
    clients = connect(connection)
    lose(clients)

    def ask(_: Receiver) -> list[Check]:
        provision(clients)
        return []

    monkeypatch.setattr(doctor, "check_receiver", ask)
    settings = Settings(lineage_storage=connection, purview_endpoint="")

    checks = doctor._of_parts(Receiver("http://app", "k"), settings, None)

    seen = next(check for check in checks if check.name == "containers, tables, queue")
    assert (seen.state, seen.found, seen.repair) == (state, found, repair)
