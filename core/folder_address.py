"""Addresses of folders in OneLake and Azure Storage, whichever of their spellings is used."""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from core.loopback import is_loopback

_EXAMPLE = "https://onelake.blob.fabric.microsoft.com/<workspace>/<item>.Lakehouse/Files/Lineage"


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """A folder, or a file, below a container; a workspace of OneLake is a container.

    ``account`` is the address of the blob service without a trailing slash, ``path`` is not percent-encoded and has
    no slash at its ends; it is "" for the whole container.
    """

    account: str
    container: str
    path: str

    def __str__(self) -> str:
        return "/".join([self.account, *(quote(part) for part in (self.container, self.path) if part)])


def folder_address(text: str) -> FolderAddress:
    """Read an address: that of the blob or DFS endpoint (``https://``), or ``abfss://container@host/path``.

    :raises ValueError: it is not an address; the text continues the setting's name: "must be …".
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"must be an address such as {_EXAMPLE}, not {text!r}") from None
    if parts.query or parts.fragment or parts.password or (parts.username and parts.scheme != "abfss"):
        raise ValueError("must be an address without key or query: the app uses its identity")
    scheme = "https" if parts.scheme == "abfss" else parts.scheme
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    if parts.scheme == "abfss":
        segments = [unquote(parts.username or ""), *segments]
    is_local = is_loopback(host)
    account = f"{scheme}://{host.replace('.dfs.', '.blob.', 1)}" + (f":{port}" if port else "")
    if is_local and len(segments) > 1:
        account = f"{account}/{segments.pop(0)}"
    is_safe = scheme == "https" or (scheme == "http" and is_local)
    if not (is_safe and host and segments and segments[0]):
        raise ValueError(f"must be an address such as {_EXAMPLE}, not {text!r}")
    return FolderAddress(account, segments[0], "/".join(segments[1:]))
