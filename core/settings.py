"""The settings of the app: the only module that reads the environment.

Every setting is a field of ``Settings``; its name in the environment is the field's name in upper case, and what it
says of itself is its line in docs/settings.md.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from core.catalog_model import NameContext
from core.errors import SettingsError
from core.folder_address import FolderAddress
from core.setting_names import name_warnings
from core.setting_parsers import parser_of

_NOTHING: Mapping[str, str] = MappingProxyType({})
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def _told(doc: str, default: Any = dataclasses.MISSING) -> Any:
    """A setting with its line for docs/settings.md; one without a default is required."""
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """How storage is reached: a connection string, or the services' addresses and an identity's client id."""

    connection_string: str = field(default="", repr=False)
    blob_uri: str = ""
    queue_uri: str = ""
    table_uri: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the app was told, checked. Sizes are in bytes; durations say their unit in the name."""

    lineage_storage: StorageConnection = _told(
        "Where events and lineage are kept: a connection string, or `LINEAGE_STORAGE__blobServiceUri`, "
        "`__queueServiceUri` and `__tableServiceUri` (and `__clientId`) for an identity. Required."
    )
    purview_endpoint: str = _told("The Purview account, `https://<account>.purview.azure.com`. Required.")
    purview_auth: str = _told("`none` for the local Data Map; allowed for this machine only.", "default")
    purview_collection: str = _told(
        "Internal (six-letter) name of the collection for new assets; default: the root collection.", ""
    )
    purview_collections: Mapping[str, str] = _told("The same for each job namespace, as a JSON object.", {})
    blob_trigger_source: str = _told(
        "`EventGrid`; or `LogsAndContainerScan`, on your machine and on plans with dedicated servers. Flex Consumption "
        "does not have it: there the timer finds events that Event Grid does not report.",
        "EventGrid",
    )
    max_body_bytes: int = _told("Maximum size of a body as sent, in bytes.", 32 * 1024 * 1024)
    max_expanded_bytes: int = _told("Maximum size of a body after decompression, in bytes.", 32 * 1024 * 1024)
    max_expansion_ratio: int = _told(
        "Maximum ratio of expanded to compressed size, beyond an expanded size of 1 MiB.", 200
    )
    max_separators: int = _told("Maximum number of commas and opening brackets in a body.", 2_000_000)
    max_datasets: int = _told("Maximum number of inputs and outputs of an event.", 20_000)
    max_columns: int = _told("Maximum number of columns of an event, in schemas and column lineage together.", 250_000)
    max_plan_nodes: int = _told("Maximum number of nodes in the logical plan of an event.", 250_000)
    max_batch_items: int = _told("Maximum number of events in a batch, up to 10,000.", 1_000)
    event_folders: tuple[FolderAddress, ...] = _told(
        "Addresses of folders in OneLake or ADLS from which events are "
        "[collected](platforms/fabric.md#the-collector), one per line or separated by spaces. The function `collect` "
        "exists only if there are any.",
        (),
    )
    event_hub: str = _told(
        "The event hub to which agents send with transport `kafka`. Its namespace is "
        "`EVENT_HUB_CONNECTION__fullyQualifiedNamespace` (and `__clientId`). The function `receive_stream` exists only "
        "with this setting.",
        "",
    )
    event_hub_consumer_group: str = _told("The consumer group of the app in that event hub.", "$Default")
    queue_notifications: bool = _told(
        "`true`: the receiver puts a pointer on the app's queue, because nothing else reports stored events. The "
        "templates set it with `network=private`.",
        False,
    )
    storage_budget_seconds: float = _told(
        "How long the receiver tries to store an event; the agent waits 5 seconds.", 4.0
    )
    event_compression: str = _told(
        "`none`; or `gzip`, which stores events in about a fifth of the space. Versions before this setting cannot "
        "read compressed events: set it only when no instance of them is running.",
        "none",
    )
    allow_operations: tuple[str, ...] = _told("Additional job-name nodes or plan classes that carry lineage.", ())
    exclude_jobs: tuple[re.Pattern[str], ...] = _told(
        "Jobs to ignore: regular expressions for `namespace/job`, one per line or separated by ` | `.", ()
    )
    exclude_datasets: tuple[re.Pattern[str], ...] = _told(
        "Datasets to leave out: regular expressions for `namespace/name`, written as above.", ()
    )
    application_name_tails: tuple[re.Pattern[str], ...] = _told(
        "Additional run-specific endings to cut from application names: regular expressions, written as above.", ()
    )
    expression_literals: str = _told(
        "`hide` shows text literals of expressions and conditions as `'…'`; `keep` shows them. See "
        "[privacy](privacy.md).",
        "hide",
    )
    user_names: str = _told(
        "`hash` replaces each user in the names of notebooks and jobs with a pseudonym, such as in "
        "`Users/anna@contoso.com/Load`. See [privacy](privacy.md).",
        "keep",
    )
    process_naming: str = _told(
        "How processes are named: `native`, or as those of Microsoft's `sparklin` sample or Databricks `accelerator`; "
        "see [migration](migration.md).",
        "native",
    )
    databricks_tasks: Mapping[str, str] = _told(
        "For `accelerator`: the path of the task, `jobs/<id>/tasks/<key>`, for each notebook path or `job <id>`, "
        "as a JSON object.",
        {},
    )
    lineage_window_days: int = _told("A process shows its runs of this many days; 0 shows only the newest run.", 30)
    upload_refresh_days: int = _told("Unchanged lineage is uploaded again after this many days.", 7)
    settle_after_minutes: int = _told("A run without an end counts as ended after this long.", 24 * 60)
    sweep_after_minutes: int = _told("The timer picks up an event that is not processed by then.", 10)
    retry_first_delay_seconds: int = _told("The wait before the first retry; it doubles each time.", 60)
    retry_max_delay_seconds: int = _told("The longest wait between retries.", 3600)
    retry_give_up_hours: int = _told("After this long a run is dead-lettered.", 24)
    max_concurrent_uploads: int = _told(
        "Maximum number of uploads that all workers together send to Purview at a time.", 16
    )
    name_rules_file: str = _told(
        "A file of [naming rules](name-rules.md), which are tried before the built-in ones.", ""
    )
    name_rules: str = _told(
        "The rules themselves, as the text of such a file, which reaches a deployed app "
        "[without a commit](name-rules.md#rules-for-a-deployed-app). Not together with `NAME_RULES_FILE`.",
        "",
    )
    hive_cluster: str = _told("The cluster part of Hive names, `db.table@cluster`.", "")
    onelake_ids: Mapping[str, str] = _told(
        "The GUIDs of OneLake names, `Workspace` and `Workspace/Item.Lakehouse`, as a JSON object.", {}
    )
    metastore_ids: Mapping[str, str] = _told(
        "The id of the Unity Catalog metastore for each Databricks host, as a JSON object.", {}
    )
    sql_kinds: Mapping[str, str] = _told(
        "Purview's table type for each SQL `host` or `host/database` whose name does not show it, as a JSON object.", {}
    )

    @classmethod
    def from_env(
        cls, environment: Mapping[str, str] | None = None, instead: Mapping[str, str] = _NOTHING
    ) -> "Settings":
        """Read and check all settings; values in ``instead`` go before those of the environment.

        :raises SettingsError: with a sentence for each setting that is missing or wrong.
        """
        return _read({**(os.environ if environment is None else environment), **instead})

    @classmethod
    def of_catalog(
        cls, environment: Mapping[str, str] | None = None, instead: Mapping[str, str] = _NOTHING
    ) -> "Settings":
        """Read and check the settings for work with the catalogue alone: as ``from_env``, but storage may be missing.

        :raises SettingsError: with a sentence for each setting that is missing or wrong.
        """
        return _read({**(os.environ if environment is None else environment), **instead}, storage=False)

    @classmethod
    def offline(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read and check the settings for work without storage and catalogue, such as a preview.

        :raises SettingsError: as ``from_env``, but storage and Purview may be missing.
        """
        return _read(os.environ if environment is None else environment, storage=False, catalog=False)

    @property
    def lineage_window(self) -> timedelta:
        return timedelta(days=self.lineage_window_days)

    @property
    def upload_refresh(self) -> timedelta:
        return timedelta(days=self.upload_refresh_days)

    def name_context(self) -> NameContext:
        """What the settings add to the names that events bring."""
        return NameContext(
            hive_cluster=self.hive_cluster,
            onelake_ids=self.onelake_ids,
            metastore_ids=self.metastore_ids,
            sql_kinds=self.sql_kinds,
        )

    def collection(self, job_namespace: str) -> str:
        """The internal name of the collection for new assets of this job namespace; "" for the root collection."""
        return self.purview_collections.get(job_namespace, self.purview_collection)


def plan_conflict(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """What a setting asks for that the plan of the app does not have, in a sentence; "" if nothing."""
    plan = (os.environ if environment is None else environment).get("WEBSITE_SKU", "")
    if plan == "FlexConsumption" and settings.blob_trigger_source != "EventGrid":
        return (
            f"BLOB_TRIGGER_SOURCE={settings.blob_trigger_source} does not exist on Flex Consumption: the function "
            "parse is not registered, and only the timer finds events. Remove the setting"
        )
    return ""


def start_warnings(settings: Settings, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What does not stop the app, and is to be changed all the same, in sentences."""
    given = os.environ if environment is None else environment
    known = {setting.name.upper() for setting in dataclasses.fields(Settings)}
    conflict = plan_conflict(settings, given)
    return (*([conflict] if conflict else []), *name_warnings(given, known))


def function_key(environment: Mapping[str, str] | None = None) -> str:
    """The key that commands send to the receiver; "" if there is none."""
    return (os.environ if environment is None else environment).get("SPARKLIN_FUNCTION_KEY", "").strip()


def _read(environment: Mapping[str, str], *, storage: bool = True, catalog: bool = True) -> Settings:
    problems: list[str] = []
    values: dict[str, Any] = {}

    def take(name: str, parse: Callable[[str], Any]) -> None:
        text = environment.get(name.upper(), "").strip()
        if text:
            try:
                values[name] = parse(text)
            except ValueError as error:
                problems.append(f"{name.upper()} {error}")

    for setting in dataclasses.fields(Settings):
        parser = parser_of(setting.name, str(setting.type))
        if parser:
            take(setting.name, parser)
    values["lineage_storage"] = StorageConnection()
    if storage:
        try:
            values["lineage_storage"] = _storage(environment)
        except ValueError as error:
            problems.append(str(error))
    if catalog:
        problems.extend(_purview_problems(environment, values))
    else:
        values["purview_endpoint"] = ""
    problems.extend(_contradictions(environment, values))
    if problems:
        raise SettingsError(tuple(problems))
    settings = Settings(**values)
    if settings.storage_budget_seconds >= settings.sweep_after_minutes * 60:
        told = f"which is {settings.storage_budget_seconds:g} seconds"
        raise SettingsError((f"SWEEP_AFTER_MINUTES must be longer than STORAGE_BUDGET_SECONDS, {told}",))
    return settings


def _contradictions(environment: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[str]:
    """Settings that do not go together."""
    if values.get("name_rules") and values.get("name_rules_file"):
        yield "NAME_RULES and NAME_RULES_FILE are both set: give the rules as text or as a file"
    hub = ("EVENT_HUB_CONNECTION", "EVENT_HUB_CONNECTION__fullyQualifiedNamespace")
    if values.get("event_hub") and not any(environment.get(name, "").strip() for name in hub):
        yield f"EVENT_HUB needs {hub[1]}: <namespace>.servicebus.windows.net"


def _storage(environment: Mapping[str, str]) -> StorageConnection:
    text = environment.get("LINEAGE_STORAGE", "").strip()
    if text == "UseDevelopmentStorage=true":
        return StorageConnection(connection_string=_AZURITE)
    if text:
        parts = dict(part.partition("=")[::2] for part in text.split(";") if part.strip())
        if not all(parts.values()) or not parts.keys() & {"AccountName", "BlobEndpoint"}:
            raise ValueError("LINEAGE_STORAGE is no connection string: DefaultEndpointsProtocol=https;AccountName=…;…")
        return StorageConnection(connection_string=text)
    uris = {
        kind: environment.get(f"LINEAGE_STORAGE__{kind}ServiceUri", "").strip() for kind in ("blob", "queue", "table")
    }
    missing = [f"LINEAGE_STORAGE__{kind}ServiceUri" for kind, uri in uris.items() if not uri]
    if missing:
        raise ValueError(
            f"LINEAGE_STORAGE is missing: give a connection string, or all of LINEAGE_STORAGE__blobServiceUri, "
            f"__queueServiceUri and __tableServiceUri for an identity (missing: {', '.join(missing)})"
        )
    client_id = environment.get("LINEAGE_STORAGE__clientId", "").strip()
    return StorageConnection("", uris["blob"], uris["queue"], uris["table"], client_id)


def _purview_problems(environment: Mapping[str, str], values: Mapping[str, Any]) -> list[str]:
    endpoint = values.get("purview_endpoint")
    if endpoint is None:
        if environment.get("PURVIEW_ENDPOINT", "").strip():
            return []
        return ["PURVIEW_ENDPOINT is missing: the address of the Purview account, https://<account>.purview.azure.com"]
    loopback = urlsplit(endpoint).hostname in LOOPBACK_HOSTS
    if values.get("purview_auth") == "none" and not loopback:
        return ["PURVIEW_AUTH=none is for a Data Map on this machine; for any other host leave it out"]
    if endpoint.startswith("http://") and not loopback:
        return ["PURVIEW_ENDPOINT must begin with https://, or be on this machine"]
    return []


# The account that every Azurite has; its key is public.
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)
