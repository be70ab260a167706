"""Links to the pages of assets."""

from urllib.parse import urlsplit

from core.loopback import is_loopback

_CLASSIC = ".purview.azure.com"


def asset_link(endpoint: str, guid: str) -> str:
    """The address of an asset's page: in Purview's portal, or in the local Data Map; "" if unknown.

    The address in portals of the unified account (``api.purview-service.microsoft.com``) is not documented.
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
