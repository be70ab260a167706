"""Settings that are right alone, but not together or not for this endpoint: a sentence for each conflict."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from core.loopback import is_loopback


def purview_problems(environment: Mapping[str, str], values: Mapping[str, Any]) -> list[str]:
    """What is wrong with the Purview endpoint and how the app signs in there, or that it is missing."""
    endpoint = values.get("purview_endpoint")
    if endpoint is None:
        if environment.get("PURVIEW_ENDPOINT", "").strip():
            return []
        return ["PURVIEW_ENDPOINT is missing: the address of the Purview account, https://<account>.purview.azure.com"]
    loopback = is_loopback(urlsplit(endpoint).hostname)
    if values.get("purview_auth") == "none" and not loopback:
        return ["PURVIEW_AUTH=none is for a Data Map on this machine; for any other host leave it out"]
    if endpoint.startswith("http://") and not loopback:
        return ["PURVIEW_ENDPOINT must begin with https://, or be on this machine"]
    return []


def contradictions(environment: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[str]:
    """Settings that do not go together."""
    if values.get("name_rules") and values.get("name_rules_file"):
        yield "NAME_RULES and NAME_RULES_FILE are both set: give the rules as text or as a file"
    hub = ("EVENT_HUB_CONNECTION", "EVENT_HUB_CONNECTION__fullyQualifiedNamespace")
    if values.get("event_hub") and not any(environment.get(name, "").strip() for name in hub):
        yield f"EVENT_HUB needs {hub[1]}: <namespace>.servicebus.windows.net"
