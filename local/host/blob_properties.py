"""The properties of a blob as the host writes them for a function: `BlobProperties` of .NET as JSON.

Enumerations are numbers, the ETag is an empty object, and a missing date is the year 1, because the host
serialises the object as it is.
"""

import base64
from datetime import datetime
from typing import Any

from azure.storage.blob import BlobProperties

_NO_DATE = "0001-01-01T00:00:00+00:00"
_BLOB_TYPES = ("BlockBlob", "PageBlob", "AppendBlob")
_COPY_STATUSES = ("pending", "success", "aborted", "failed")
_LEASE_DURATIONS = ("infinite", "fixed")
_LEASE_STATES = ("available", "leased", "expired", "breaking", "broken")
_LEASE_STATUSES = ("locked", "unlocked")


def dotnet_properties(blob: BlobProperties) -> dict[str, Any]:
    """All properties of a blob, by their names in .NET."""
    return {
        "LastModified": _date(blob.last_modified),
        "CreatedOn": _date(blob.creation_time),
        "Metadata": dict(blob.metadata or {}),
        "ObjectReplicationDestinationPolicyId": None,
        "ObjectReplicationSourceProperties": None,
        "BlobType": _number(_BLOB_TYPES, str(blob.blob_type and blob.blob_type.value)),
        **_copy(blob),
        "LeaseDuration": _number(_LEASE_DURATIONS, blob.lease.duration),
        "LeaseState": _number(_LEASE_STATES, blob.lease.state),
        "LeaseStatus": _number(_LEASE_STATUSES, blob.lease.status),
        **_content(blob),
        **_kept(blob),
    }


def _copy(blob: BlobProperties) -> dict[str, Any]:
    return {
        "CopyCompletedOn": _date(blob.copy.completion_time),
        "CopyStatusDescription": blob.copy.status_description,
        "CopyId": blob.copy.id,
        "CopyProgress": blob.copy.progress,
        "CopySource": blob.copy.source,
        "CopyStatus": _number(_COPY_STATUSES, blob.copy.status),
        "BlobCopyStatus": _COPY_STATUSES.index(blob.copy.status) if blob.copy.status else None,
        "IsIncrementalCopy": bool(blob.copy.incremental_copy),
        "DestinationSnapshot": blob.copy.destination_snapshot,
    }


def _content(blob: BlobProperties) -> dict[str, Any]:
    settings = blob.content_settings
    md5 = settings.content_md5
    return {
        "ContentLength": blob.size,
        "ContentType": settings.content_type,
        "ETag": {},
        "ContentHash": base64.b64encode(md5).decode() if md5 else None,
        "ContentEncoding": settings.content_encoding,
        "ContentDisposition": settings.content_disposition,
        "ContentLanguage": settings.content_language,
        "CacheControl": settings.cache_control,
        "BlobSequenceNumber": blob.page_blob_sequence_number or 0,
        "AcceptRanges": "bytes",
        "BlobCommittedBlockCount": blob.append_blob_committed_block_count or 0,
    }


def _kept(blob: BlobProperties) -> dict[str, Any]:
    """The encryption, tier and archive properties of a blob."""
    return {
        "IsServerEncrypted": bool(blob.server_encrypted),
        "EncryptionKeySha256": None,
        "EncryptionScope": blob.encryption_scope,
        "AccessTier": blob.blob_tier,
        "AccessTierInferred": bool(blob.blob_tier_inferred),
        "ArchiveStatus": blob.archive_status,
        "AccessTierChangedOn": _date(blob.blob_tier_change_time),
        "VersionId": blob.version_id,
        "IsLatestVersion": bool(blob.is_current_version),
        "TagCount": blob.tag_count or 0,
        "ExpiresOn": _NO_DATE,
        "IsSealed": False,
        "RehydratePriority": blob.rehydrate_priority,
        "LastAccessed": _date(blob.last_accessed_on),
        "ImmutabilityPolicy": {"ExpiresOn": None, "PolicyMode": None},
        "HasLegalHold": bool(blob.has_legal_hold),
    }


def _date(time: datetime | None) -> str:
    return time.isoformat() if time else _NO_DATE


def _number(names: tuple[str, ...], name: str | None) -> int:
    """The number of a name in an enumeration; that of the first if there is none, as in .NET."""
    return names.index(name) if name in names else 0
