"""How the app connects to storage: the setting LINEAGE_STORAGE, a connection string or addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The account that every Azurite has; its key is public.
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


@dataclass(frozen=True, slots=True)
class StorageConnection:
    """How storage is reached: a connection string, or the services' addresses and an identity's client id."""

    connection_string: str = field(default="", repr=False)
    blob_uri: str = ""
    queue_uri: str = ""
    table_uri: str = ""
    client_id: str = ""


def storage_connection(environment: Mapping[str, str]) -> StorageConnection:
    """Read the connection of these environment variables.

    :raises ValueError: it is missing or wrong; the text is a sentence.
    """
    text = environment.get("LINEAGE_STORAGE", "").strip()
    if text == "UseDevelopmentStorage=true":
        return StorageConnection(connection_string=_AZURITE)
    if text:
        parts = dict(part.partition("=")[::2] for part in text.split(";") if part.strip())
        if not all(parts.values()) or not parts.keys() & {"AccountName", "BlobEndpoint"}:
            raise ValueError(
                "LINEAGE_STORAGE is not a connection string: DefaultEndpointsProtocol=https;AccountName=…;…"
            )
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
