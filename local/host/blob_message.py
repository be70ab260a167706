"""A message of the host's queue of blobs: a blob, and the function to run for it."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any


class NoBase64(Exception):
    """A message of the blob queue that is not even base64."""


@dataclass(frozen=True, slots=True)
class BlobMessage:
    """Names a blob to run and the function to run it. The ETag has its quotes, as in an HTTP header."""

    function_id: str | None
    container: str
    blob: str
    etag: str
    blob_type: str = "BlockBlob"

    def encode(self) -> str:
        """The text of the queue message."""
        fields = {
            "Type": "BlobTrigger",
            "FunctionId": self.function_id,
            "BlobType": self.blob_type,
            "ContainerName": self.container,
            "BlobName": self.blob,
            "ETag": self.etag,
        }
        return base64.b64encode(json.dumps(fields, indent=2, ensure_ascii=False).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> "BlobMessage":
        """Inverse of `encode`.

        :raises NoBase64: when the text is no base64.
        :raises ValueError: when it is, but is no message with the id of a function.
        """
        try:
            body = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise NoBase64(text) from error
        fields: Any = json.loads(body)
        if not isinstance(fields, dict) or not isinstance(fields.get("FunctionId"), str):
            raise ValueError("Invalid function ID.")
        return cls(
            fields["FunctionId"],
            str(fields.get("ContainerName") or ""),
            str(fields.get("BlobName") or ""),
            str(fields.get("ETag") or ""),
            str(fields.get("BlobType") or ""),
        )


def quoted(etag: str) -> str:
    """An ETag with its quotes; listings and events leave them out."""
    return f'"{etag.strip(chr(34))}"'
