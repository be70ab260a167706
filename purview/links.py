"""Where people see an asset."""

from urllib.parse import urlsplit

from core.loopback import is_loopback

_CLASSIC = ".purview.azure.com"


def asset_link(endpoint: str, guid: str) -> str:
    """The address of an asset's page: in Purview's portal, or in the local Data Map; "" where it is not known.

    Portals of the unified account (``api.purview-service.microsoft.com``) have no such address that is documented.
    """
    host = urlsplit(endpoint).hostname or ""
    if not guid:
        return ""
    if is_loopback(host):
        return f"{endpoint}/asset/{guid}"
    if host.endswith(_CLASSIC):
        account = host.removesuffix(_CLASSIC)
        return f"https://web.purview.azure.com/resource/{account}/main/catalog/entity?guid={guid}&section=lineage"
    return ""
