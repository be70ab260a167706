"""The name of a process: by Sparklin's own naming one per application and sink, for any inputs, runs or look-ups.

Two further namings are those of tools that Sparklin replaces, so that their processes are updated instead of doubled
(docs/migration.md has the forms). The type and name of a process follow from its qualified name's scheme, so they stay
when the setting changes.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.catalog_model import AssetName, Resolution
from core.event_model import DatasetId
from core.identity import is_file_namespace
from core.lineage_model import Application
from purview.collation import collation_key
from purview.limits import cut, cut_uniquely

PROCESS_TYPE = "azure_synapse_operation"

# Type by scheme of the qualified name; the schemes are those of the namings below.
_TYPES: Mapping[str, str] = {"databricks": "databricks_process", "hrdi": "HRServicesInsights_OneHRSI"}
_TYPE_OF: Mapping[str, str] = {"accelerator": _TYPES["databricks"], "sparklin": _TYPES["hrdi"]}
_ESCAPES = str.maketrans(
    {"%": "%25", "/": "%2F", "#": "%23", **{chr(code): f"%{code:02X}" for code in (*range(32), 127)}}
)
# The sample's teams, by the first of these words in the job's name; every other job is "external".
_TEAMS: Mapping[str, str] = {
    "hrsi": "hrservicesinsights",
    "ultp": "ultp_services",
    "gtabi": "gtabi_services",
    "learning": "learninginsights",
    "hcm": "headcountmanagement",
}
_WORKSPACE = re.compile(r"adb-\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Write:
    """What a process is named after."""

    application: Application
    sink: Resolution
    inputs: tuple[Resolution, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessName:
    """Type and qualified name of a process, which are its identity, and the name that people see."""

    asset: AssetName
    name: str


Namer = Callable[[Write], str]


def namer(naming: str = "", tasks: Mapping[str, str] | None = None) -> Namer:
    """The function that gives the qualified names of a naming (a value of ``PROCESS_NAMING``); "" is Sparklin's own.

    ``tasks`` are the paths of Databricks tasks by application, as ``DATABRICKS_TASKS`` has them.
    """
    namers: Mapping[str, Namer] = {"sparklin": sparklin, "accelerator": partial(accelerator, tasks=tasks or {})}
    return namers.get(naming, native)


def type_of_naming(naming: str) -> str:
    """The type of the processes that a naming makes."""
    return _TYPE_OF.get(naming, PROCESS_TYPE)


def process_type(qualified_name: str) -> str:
    """The type of the process of this name, for any naming."""
    return _TYPES.get(qualified_name.partition("://")[0], PROCESS_TYPE)


def process_name(write: Write, qualified_name: str = "") -> ProcessName:
    """The process that shows a write, under its name; by default under Sparklin's own."""
    qualified_name = qualified_name or native(write)
    application, sink = write.application.name, write.sink
    title = write.application.shown
    names = {
        "hrdi": f"{_team(application)}_{sink.short_name}_process",
        "databricks": f"{_notebook_path(application)}{_path(sink.dataset.id)}",
    }
    name = names.get(qualified_name.partition("://")[0], f"{title} → {sink.short_name}")
    return ProcessName(AssetName(process_type(qualified_name), qualified_name), cut(name))


def native(write: Write) -> str:
    """Sparklin's own: ``sparklin://{job namespace}/{application}#{qualified name of the sink by the rules}``.

    The application is the id of the notebook or job if the events contain it, else the application's name.

    ``%``, ``/``, ``#`` and control characters of the first two parts are percent-encoded, so that two different
    applications never share a name; everything after the first ``#`` is the sink's name as it is.
    """
    application = write.application
    job = f"{application.namespace.translate(_ESCAPES)}/{application.key.translate(_ESCAPES)}"
    return cut_uniquely(f"sparklin://{job}#{write.sink.asset.qualified_name}")


def sparklin(write: Write) -> str:
    """As Microsoft's Sparklin sample: ``hrdi://synapse_notebook/{notebook}/{team}_{table}``.

    Neither namespace nor database is part of it, so sinks of one short name share a process.
    """
    notebook = write.application.name
    return cut_uniquely(f"hrdi://synapse_notebook/{notebook}/{_team(notebook)}_{write.sink.short_name}")


def accelerator(write: Write, tasks: Mapping[str, str]) -> str:
    """As the Databricks accelerator: ``databricks://{workspace}/{runnable}/processes/{inputs}->{output}``, of MD5s.

    Writes for which it made no process (without inputs, or on other platforms) have Sparklin's own name; so has the
    task of a job that is no notebook, unless ``tasks`` names it, because no event does.
    """
    workspace = write.application.namespace.partition("#")[0]
    application = write.application.name
    runnable = tasks.get(application, "").strip("/") or f"notebooks{_notebook_path(application)}"
    if not write.inputs or not _WORKSPACE.fullmatch(workspace) or runnable == "notebooks":
        return native(write)
    read = sorted({_without_resource_set(each) for each in write.inputs}, key=collation_key)
    inputs = ",".join(dict.fromkeys(name.lower() for name in read))
    hashes = f"{_md5(inputs)}->{_md5(_without_resource_set(write.sink))}"
    return cut_uniquely(f"databricks://{workspace}.azuredatabricks.net/{runnable}/processes/{hashes}")


def _team(job: str) -> str:
    return next((team for word, team in _TEAMS.items() if word in job.lower()), "external")


def _notebook_path(application: str) -> str:
    """The path of a Databricks notebook, which is the application's name there; "" for any other application."""
    return f"/{application}" if "/" in application else ""


def _path(dataset: DatasetId) -> str:
    return f"/{dataset.name}" if is_file_namespace(dataset.namespace) else dataset.name


def _without_resource_set(dataset: Resolution) -> str:
    """The dataset's name as the accelerator gave it: that of the folder."""
    return dataset.asset.qualified_name.removesuffix("/{SparkPartitions}").rstrip("/")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("ascii", "replace"), usedforsecurity=False).hexdigest().upper()
