"""The settings, rules and clients that the pipeline works with, built once per worker process."""

import time
from dataclasses import dataclass
from datetime import timedelta

from core.settings import Settings
from parser.lineage import LineageRules
from pipeline.processes import Naming
from pipeline.receive import Receiver
from purview.catalog import Catalog
from purview.circuit_breaker import CircuitBreaker
from purview.retry_policy import RetryPolicy
from storage.asset_cache import AssetCache
from storage.attempts import Attempts
from storage.clients import StorageClients, check_provisioned, connect
from storage.created_assets import CreatedAssets
from storage.dead_letters import DeadLetters
from storage.details_table import DetailsTable
from storage.event_folders import EventFolder
from storage.event_rows import Status
from storage.event_store import EventStore
from storage.facts_table import FactsTable
from storage.file_progress import FileProgress
from storage.locks import Locks
from storage.migrations import Migrations
from storage.onelake_names import OneLakeNames
from storage.retry_queue import RetryQueue
from storage.run_events import RunEvents
from storage.run_records import RunRecords
from storage.store_versions import StoreVersions
from storage.stored_circuits import StoredCircuits
from storage.sweep import Sweep
from storage.upload_slots import UploadSlots

# Scans create and delete assets; a deleted guid is noticed when it is used, so this only limits how long a better asset
# (the scanned counterpart of a placeholder) is not seen.
CACHE_EXPIRY = timedelta(hours=12)

# For the first requests of a command, which may have to get tokens by `az login`; no agent waits for them.
_COMMAND_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Services:
    """The settings, the rules from them, and the clients of storage and catalogue."""

    settings: Settings
    receiver: Receiver
    lineage_rules: LineageRules
    naming: Naming
    clients: StorageClients
    events: EventStore
    details: DetailsTable
    run_records: RunRecords
    run_events: RunEvents
    locks: Locks
    retries: RetryQueue
    dead_letters: DeadLetters
    cache: AssetCache
    created: CreatedAssets
    folders: tuple[EventFolder, ...]
    file_progress: FileProgress
    attempts: Attempts
    lost: Sweep
    unended: Sweep
    retrying: Sweep
    migrations: Migrations
    versions: StoreVersions
    facts: FactsTable
    onelake_names: OneLakeNames
    catalog: Catalog
    lock_wait_seconds: float = 120


def build(settings: Settings) -> Services:
    """Build the clients; nothing is sent yet. What is missing in storage is created when it is first needed.

    :raises SettingsError: the file of naming rules cannot be used.
    """
    clients = connect(settings.lineage_storage, makes_missing=True)
    return build_around(Receiver.of(settings, clients), clients, settings)


def build_around(receiver: Receiver, clients: StorageClients, settings: Settings) -> Services:
    """Build the services that use these clients, and that receiver; nothing is sent.

    :raises SettingsError: the file of naming rules cannot be used.
    """
    return _services(settings, Naming.of(settings), clients, receiver)


def build_for_command(settings: Settings) -> Services:
    """Build the clients for a command, whose user may only be allowed to read: nothing is created.

    :raises SettingsError: the file of naming rules cannot be used.
    :raises StorageUnavailable: storage is unavailable, or the app has not created its parts there.
    """
    naming = Naming.of(settings)
    clients = connect(settings.lineage_storage)
    check_provisioned(clients, _COMMAND_SECONDS)
    return _services(settings, naming, clients, Receiver.of(settings, clients))


def _services(settings: Settings, naming: Naming, clients: StorageClients, receiver: Receiver) -> Services:
    events, run_records = receiver.store, RunRecords(clients)
    return Services(
        settings=settings,
        receiver=receiver,
        lineage_rules=LineageRules.of(settings),
        naming=naming,
        clients=clients,
        events=events,
        details=DetailsTable(clients),
        run_records=run_records,
        run_events=RunEvents(events, run_records),
        locks=Locks(clients),
        retries=RetryQueue(clients),
        dead_letters=DeadLetters(clients),
        cache=AssetCache(clients, CACHE_EXPIRY),
        created=CreatedAssets(clients),
        folders=tuple(
            EventFolder(address, clients, settings.lineage_storage.client_id) for address in settings.event_folders
        ),
        file_progress=FileProgress(clients),
        attempts=Attempts(clients),
        lost=Sweep(clients, events, "lost", [Status.RECEIVED]),
        unended=Sweep(clients, events, "unended", [Status.WAITING]),
        retrying=Sweep(clients, events, "retrying", [Status.RETRYING]),
        migrations=Migrations(clients),
        versions=StoreVersions(clients),
        facts=FactsTable(clients),
        onelake_names=OneLakeNames(clients),
        catalog=_catalog(settings, clients),
    )


def _catalog(settings: Settings, clients: StorageClients) -> Catalog:
    """The catalogue, with the circuit breaker and the upload slots that all workers of the app share."""
    policy = RetryPolicy()
    return Catalog(
        settings.purview_endpoint,
        settings.purview_auth,
        retry_policy=policy,
        breaker=CircuitBreaker(policy, StoredCircuits(clients), time.time),
        slots=UploadSlots(Locks(clients), settings.max_concurrent_uploads),
    )
