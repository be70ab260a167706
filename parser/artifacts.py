"""The notebook or job that wrote, by the id that its platform gives it, and its link.

Events contain it in captured Spark properties (Fabric, Synapse) or in the environment facet (Databricks):

- Fabric: the artifact's GUID. It stays when the notebook is renamed, and no two workspaces share it.
- Synapse: the workspace and the notebook's name. Subscription and resource group are in no event, so there is no link.
- Databricks: the path of the notebook, without the commit of a Git source; the job only where no notebook is named.

The keys of Fabric and Synapse are those that their users report.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core.identity import is_guid

#: What the ids of notebooks and jobs begin with.
ID_PREFIXES = ("fabric:", "synapse:")

_FABRIC = "https://app.fabric.microsoft.com/groups"
#: The part of an artifact's address in the Fabric portal, by the artifact's type.
_FABRIC_PAGES = {
    "": "synapsenotebooks",
    "synapsenotebook": "synapsenotebooks",
    "sparkjobdefinition": "sparkjobdefinitions",
}

#: Where Databricks puts the notebooks of a job with a Git source: a folder of its own for each commit.
_GIT_CHECKOUT = re.compile(r"^(Repos/\.internal/[^/]+)_commits/[0-9a-f]{7,64}(?=/)", re.IGNORECASE)
_DATABRICKS_HOST = re.compile(r"adb-\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A notebook or job; ``name`` is the application's name if the platform has one for it; "" is unknown."""

    id: str = ""
    title: str = ""
    link: str = ""
    name: str = ""


def artifact(properties: Mapping[str, Any], environment: Mapping[str, Any], namespace: str) -> Artifact:
    """The notebook or job in the properties of a run; all fields are empty if they contain none."""
    return _fabric(properties) or _synapse(properties) or _databricks(environment, namespace) or Artifact()


def _fabric(properties: Mapping[str, Any]) -> Artifact | None:
    own = text_of(properties, "trident.artifact.id").lower()
    if not is_guid(own):
        return None
    workspace = text_of(properties, "trident.artifact.workspace.id") or text_of(properties, "trident.workspace.id")
    page = _FABRIC_PAGES.get(text_of(properties, "trident.artifact.type").lower())
    is_linked = page and is_guid(workspace)
    link = f"{_FABRIC}/{workspace.lower()}/{page}/{own}" if is_linked else ""
    return Artifact(f"fabric:{own}", text_of(properties, "trident.artifact.name"), link)


def _synapse(properties: Mapping[str, Any]) -> Artifact | None:
    workspace = text_of(properties, "spark.synapse.workspace.name").lower()
    notebook = text_of(properties, "spark.synapse.context.notebookname")
    # Fabric sets the notebook's name too, and the id of the workspace in place of its name.
    if not workspace or not notebook or is_guid(workspace):
        return None
    return Artifact(f"synapse:{workspace}:{notebook}", notebook)


def _databricks(environment: Mapping[str, Any], namespace: str) -> Artifact | None:
    path, job = text_of(environment, "spark.databricks.notebook.path").strip("/ "), _job(environment)
    url = _databricks_url(environment, namespace)
    if path:
        # The path of a checkout is deleted with its commit, and so is the target of a link to it.
        name, commits = _GIT_CHECKOUT.subn(r"\1", path)
        link = f"{url}/#workspace/{quote(name)}" if url and not commits else ""
        return Artifact(link=link, name=name)
    return Artifact(link=f"{url}/#job/{quote(job)}" if url else "", name=f"job {job}") if job else None


def _job(environment: Mapping[str, Any]) -> str:
    job = environment.get("spark.databricks.job.id")
    return str(job).strip() if isinstance(job, str | int) else ""


def _databricks_url(environment: Mapping[str, Any], namespace: str) -> str:
    """The address of the workspace: from the event, or from a job namespace as the accelerator sets it up."""
    address = text_of(environment, "spark.databricks.workspaceUrl").lower().removeprefix("https://").strip("/")
    host = address.removesuffix(".azuredatabricks.net") or namespace.partition("#")[0]
    return f"https://{host}.azuredatabricks.net" if _DATABRICKS_HOST.fullmatch(host) else ""


def text_of(values: Mapping[str, Any], key: str) -> str:
    """A property that is a text, without blanks around it; "" for a missing or other one."""
    value = values.get(key)
    return value.strip() if isinstance(value, str) else ""
