"""Everything outside that the hallway works with, built once per process."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.model import UploadResult
from core.settings import Settings
from parser.lineage import LineageRules
from processes import Naming, Process
from purview import uploader
from purview.catalog import Catalog
from qualified_names import rules as name_rules
from receiver.accept import ReceiverRules
from storage.asset_cache import AssetCache
from storage.clients import StorageClients
from storage.dead_letters import DeadLetters
from storage.details_table import DetailsTable
from storage.event_store import EventStore
from storage.locks import Locks
from storage.retry_queue import RetryQueue
from storage.run_processes import RunProcesses


@dataclass(frozen=True, slots=True)
class Services:
    """The settings, the rules made of them, and the clients of storage and catalogue."""

    settings: Settings
    receiver_rules: ReceiverRules
    lineage_rules: LineageRules
    naming: Naming
    clients: StorageClients
    inbox: EventStore
    events: EventStore
    details: DetailsTable
    run_processes: RunProcesses
    locks: Locks
    retries: RetryQueue
    dead_letters: DeadLetters
    cache: AssetCache
    catalog: Catalog
    lock_wait_seconds: float = 120
