"""The differences between Azure and its sovereign clouds, and between Purview's classic and unified addresses.

Which cloud it is follows from PURVIEW_ENDPOINT. The sign-in of a service principal follows AZURE_AUTHORITY_HOST, which
azure-identity reads and the templates set.
"""

_SCOPES = {
    ".purview.azure.us": "https://purview.azure.us/.default",
    ".purview.azure.cn": "https://purview.azure.cn/.default",
}
_SCOPE = "https://purview.azure.net/.default"
_UNIFIED = "api.purview-service.microsoft.com"


def scope_of(host: str) -> str:
    """The scope of a token for a host of Purview."""
    return next((scope for suffix, scope in _SCOPES.items() if host.lower().endswith(suffix)), _SCOPE)


def is_unified(host: str) -> bool:
    """Whether a host serves a whole tenant: ``api.…`` or ``{tenant id}-api.…``, so that it names no account."""
    return host.lower() == _UNIFIED or host.lower().endswith(f"-{_UNIFIED}")
