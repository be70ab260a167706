"""A second process that works on the same storage: ``python -m tests.pipeline.worker WORK_FILE``."""

import sys
from pathlib import Path

import msgspec

from core.settings import Settings
from core.storage_connection import StorageConnection
from pipeline import retries
from pipeline.services import build


class Work(msgspec.Struct):
    """Where storage and Data Map are, and the blobs to process, in their order."""

    connection: str
    data_map: str
    blobs: list[str]

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


def main(file: Path) -> None:
    work = msgspec.json.decode(file.read_bytes(), type=Work)
    storage = StorageConnection(connection_string=work.connection)
    services = build(Settings(lineage_storage=storage, purview_endpoint=work.data_map, purview_auth="none"))
    for blob in work.blobs:
        retries.stored(blob, services)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
