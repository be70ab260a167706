"""The settings of the app: the only module that reads the environment.

Every setting is a field of ``Settings``; its name in the environment is the field's name in upper case, and its
description is its line in docs/settings.md.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from core.catalog_model import NameContext
from core.errors import SettingsError
from core.folder_address import FolderAddress
from core.setting_conflicts import contradictions, purview_problems
from core.setting_names import name_warnings
from core.setting_parsers import parser_of
from core.storage_connection import StorageConnection, storage_connection

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _setting(doc: str, default: Any = dataclasses.MISSING) -> Any:
    """A setting with its line for docs/settings.md; one without a default is required."""
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the app, checked. Sizes are in bytes; durations say their unit in the name."""

    lineage_storage: StorageConnection = _setting(
        "Where events and lineage are kept: a connection string, or `LINEAGE_STORAGE__blobServiceUri`, "
        "`__queueServiceUri` and `__tableServiceUri` (and `__clientId`) for an identity. Required."
    )
    purview_endpoint: str = _setting("The Purview account, `https://<account>.purview.azure.com`. Required.")
    purview_auth: str = _setting(
        "`none` for the local Data Map; allowed only if `PURVIEW_ENDPOINT` is on the machine that the app runs on.",
        "default",
    )
    purview_collection: str = _setting(
        "Internal (six-letter) name of the collection for new assets; default: the root collection.", ""
    )
    purview_collections: Mapping[str, str] = _setting("The same for each job namespace, as a JSON object.", {})
    blob_trigger_source: str = _setting(
        "`EventGrid`; or `LogsAndContainerScan`, on your machine and on plans with dedicated servers. Flex Consumption "
        "does not have it: there the timer finds events that Event Grid does not report.",
        "EventGrid",
    )
    max_body_bytes: int = _setting("Maximum size of a body as sent, in bytes.", 32 * 1024 * 1024)
    max_expanded_bytes: int = _setting("Maximum size of a body after decompression, in bytes.", 32 * 1024 * 1024)
    max_expansion_ratio: int = _setting(
        "Maximum ratio of expanded to compressed size, beyond an expanded size of 1 MiB.", 200
    )
    max_separators: int = _setting("Maximum number of commas and opening brackets in a body.", 2_000_000)
    max_datasets: int = _setting("Maximum number of inputs and outputs of an event.", 20_000)
    max_columns: int = _setting(
        "Maximum number of columns of an event, in schemas and column lineage together.", 250_000
    )
    max_plan_nodes: int = _setting("Maximum number of nodes in the logical plan of an event.", 250_000)
    max_batch_items: int = _setting("Maximum number of events in a batch, up to 10,000.", 1_000)
    event_folders: tuple[FolderAddress, ...] = _setting(
        "Addresses of folders in OneLake or ADLS from which events are "
        "[collected](platforms/fabric.md#the-collector), one per line or separated by spaces. The function `collect` "
        "exists only if there are any.",
        (),
    )
    event_hub: str = _setting(
        "The event hub to which agents send with transport `kafka`. Its namespace is "
        "`EVENT_HUB_CONNECTION__fullyQualifiedNamespace` (and `__clientId`). The function `receive_stream` exists only "
        "with this setting.",
        "",
    )
    event_hub_consumer_group: str = _setting("The consumer group of the app in that event hub.", "$Default")
    queue_notifications: bool = _setting(
        "`true`: the receiver itself puts a pointer on the app's queue. Needed where Event Grid cannot report stored "
        "events; the templates set it with `network=private`.",
        False,
    )
    storage_budget_seconds: float = _setting(
        "How long the receiver tries to store an event; the agent waits 5 seconds.", 4.0
    )
    event_compression: str = _setting(
        "`none`; or `gzip`, which stores events in about a fifth of the space. Versions before this setting cannot "
        "read compressed events: set it only when no instance of them is running.",
        "none",
    )
    allow_operations: tuple[str, ...] = _setting("Additional job-name nodes or plan classes that carry lineage.", ())
    exclude_jobs: tuple[re.Pattern[str], ...] = _setting(
        "Jobs to ignore: regular expressions for `namespace/job`, one per line or separated by ` | `.", ()
    )
    exclude_datasets: tuple[re.Pattern[str], ...] = _setting(
        "Datasets to leave out: regular expressions for `namespace/name`, written as above.", ()
    )
    application_name_tails: tuple[re.Pattern[str], ...] = _setting(
        "Additional run-specific endings to cut from application names: regular expressions, written as above.", ()
    )
    expression_literals: str = _setting(
        "`hide` shows text literals of expressions and conditions as `'…'`; `keep` shows them. See "
        "[privacy](privacy.md).",
        "hide",
    )
    user_names: str = _setting(
        "`hash` replaces the user in names of notebooks and jobs (`anna@contoso.com` in "
        "`Users/anna@contoso.com/Load`) with a pseudonym. See [privacy](privacy.md).",
        "keep",
    )
    process_naming: str = _setting(
        "How processes are named: `native`, or as those of Microsoft's `sparklin` sample or Databricks `accelerator`; "
        "see [migration](migration.md).",
        "native",
    )
    databricks_tasks: Mapping[str, str] = _setting(
        "For `accelerator`: the path of the task, `jobs/<id>/tasks/<key>`, for each notebook path or `job <id>`, "
        "as a JSON object.",
        {},
    )
    lineage_window_days: int = _setting(
        "A process shows its newest run and those of this many days before it; 0 shows only the newest run.", 30
    )
    upload_refresh_days: int = _setting("Unchanged lineage is uploaded again after this many days.", 7)
    settle_after_minutes: int = _setting("A run without an end counts as ended after this long.", 24 * 60)
    sweep_after_minutes: int = _setting("The timer picks up an event that is not processed by then.", 10)
    retry_first_delay_seconds: int = _setting("The wait before the first retry; it doubles each time.", 60)
    retry_max_delay_seconds: int = _setting("The longest wait between retries.", 3600)
    retry_give_up_hours: int = _setting("After this long a run is dead-lettered.", 24)
    max_concurrent_uploads: int = _setting(
        "Maximum number of uploads that all workers together send to Purview at a time.", 16
    )
    name_rules_file: str = _setting(
        "A file of [naming rules](name-rules.md), which are tried before the built-in ones.", ""
    )
    name_rules: str = _setting(
        "The rules themselves, as the text of such a file, which reaches a deployed app "
        "[without a commit](name-rules.md#rules-for-a-deployed-app). Not together with `NAME_RULES_FILE`.",
        "",
    )
    hive_cluster: str = _setting("The cluster part of Hive names, `db.table@cluster`.", "")
    onelake_ids: Mapping[str, str] = _setting(
        "The GUIDs of OneLake names, `Workspace` and `Workspace/Item.Lakehouse`, as a JSON object.", {}
    )
    metastore_ids: Mapping[str, str] = _setting(
        "The id of the Unity Catalog metastore for each Databricks host, as a JSON object.", {}
    )
    sql_kinds: Mapping[str, str] = _setting(
        "Purview's table type for each SQL `host` or `host/database` whose name does not show it, as a JSON object.", {}
    )

    @classmethod
    def from_env(
        cls, environment: Mapping[str, str] | None = None, instead: Mapping[str, str] = _NOTHING
    ) -> "Settings":
        """Read and check all settings; values in ``instead`` replace those of the environment.

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
        """The facts in the settings that names of datasets need."""
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
    """A sentence about a setting that the hosting plan of the app does not support; "" if there is none."""
    plan = (os.environ if environment is None else environment).get("WEBSITE_SKU", "")
    if plan == "FlexConsumption" and settings.blob_trigger_source != "EventGrid":
        return (
            f"BLOB_TRIGGER_SOURCE={settings.blob_trigger_source} does not exist on Flex Consumption: the function "
            "parse is not registered, and only the timer finds events. Remove the setting"
        )
    return ""


def start_warnings(settings: Settings, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Sentences about faults that do not stop the app but should be corrected."""
    given = os.environ if environment is None else environment
    conflict = plan_conflict(settings, given)
    return (*([conflict] if conflict else []), *unread_settings(given))


def unread_settings(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each name that looks like a setting but is not read."""
    return name_warnings(names, {setting.name.upper() for setting in dataclasses.fields(Settings)})


def function_key(environment: Mapping[str, str] | None = None) -> str:
    """The function key that commands send to the receiver; "" if there is none."""
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
            values["lineage_storage"] = storage_connection(environment)
        except ValueError as error:
            problems.append(str(error))
    if catalog:
        problems.extend(purview_problems(environment, values))
    else:
        values["purview_endpoint"] = ""
    problems.extend(contradictions(environment, values))
    if problems:
        raise SettingsError(tuple(problems))
    settings = Settings(**values)
    if settings.storage_budget_seconds >= settings.sweep_after_minutes * 60:
        budget = f"STORAGE_BUDGET_SECONDS, which is {settings.storage_budget_seconds:g} seconds"
        raise SettingsError((f"SWEEP_AFTER_MINUTES must be longer than {budget}",))
    return settings
