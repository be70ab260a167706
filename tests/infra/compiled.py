"""What the compiler makes of the templates: deployments evaluated for sets of parameters, and the compiled template.

``snapshots/*.bicepparam`` are the sets of parameters; test_compiler.py compares the files next to them.
"""

import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
INFRA = ROOT / "infra"
SNAPSHOTS = Path(__file__).with_name("snapshots")
TEMPLATE = INFRA / "azuredeploy.json"
MODES = ("none", "outbound", "private")

Resource = dict[str, Any]


@cache
def snapshot(name: str) -> dict[str, Any]:
    """The resources and outputs that a set of parameters gives; what only Azure knows is an expression, ``[…]``."""
    found: dict[str, Any] = json.loads((SNAPSHOTS / f"{name}.snapshot.json").read_text("utf-8"))
    return found


def resources(name: str, kind: str = "") -> list[Resource]:
    """The resources of a snapshot, or those of one type."""
    found = snapshot(name)["predictedResources"]
    return [each for each in found if kind in ("", each["type"])]


def only(name: str, kind: str) -> Resource:
    """The only resource of a type."""
    (found,) = resources(name, kind)
    return found


def last_names(name: str, kind: str) -> list[str]:
    """The last parts of the names of a type's resources."""
    return [each["name"].rpartition("/")[2] for each in resources(name, kind)]


def account(name: str, *, of_code: bool = False) -> Resource:
    """The storage account of the events, or that of the app's code."""
    found = resources(name, "Microsoft.Storage/storageAccounts")
    (one,) = (each for each in found if each["name"].startswith("stpkg") == of_code)
    return one


def site(name: str) -> Resource:
    """The properties of the app."""
    found: Resource = only(name, "Microsoft.Web/sites")["properties"]
    return found


def app_settings(name: str) -> dict[str, str]:
    """The settings of the app."""
    found: dict[str, str] = only(name, "Microsoft.Web/sites/config")["properties"]
    return found


@cache
def template() -> dict[str, Any]:
    """The compiled main.bicep."""
    found: dict[str, Any] = json.loads(TEMPLATE.read_text("utf-8"))
    return found


def azure_guid(*parts: str) -> str:
    """What the template function guid() gives; the compiler gives the same."""
    return str(uuid.uuid5(uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830"), "-".join(parts)))


def without_generator(part: Any) -> Any:
    """A compiled template without what names the compiler and its version."""
    if isinstance(part, dict):
        return {name: without_generator(value) for name, value in part.items() if name != "_generator"}
    return [without_generator(each) for each in part] if isinstance(part, list) else part
