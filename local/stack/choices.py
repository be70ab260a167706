"""The stack's ports and function key: those of the environment, else those of the last stack, else new ones.

So an agent with the stack's address finds it again after the next `up`.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.azurite import AzuritePorts
from local.stack.lifecycle import Stack, StackPorts
from local.stack.parts import HostKeys
from local.stack.stack_error import StackError

#: Each port by the name it has in the environment, `SPARKLIN_…_PORT`.
PORTS = ("RECEIVER", "DATA_MAP", "BLOB", "QUEUE", "TABLE")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the last stack; empty for the first one."""

    ports: Mapping[str, int]
    function_key: str = ""

    @classmethod
    def of(cls, stack: Stack) -> "Choices":
        """The choices of a stack that is ready."""
        azurite = stack.azurite
        page = stack.data_map.url if stack.data_map else ""
        addresses = (stack.receiver, page, azurite.blob_url, azurite.queue_url, azurite.table_url)
        ports = {name: urlsplit(address).port or 0 for name, address in zip(PORTS, addresses, strict=True)}
        return cls(ports, stack.keys.function)

    @classmethod
    def read(cls, content: Any) -> "Choices":
        """The choices in an object of `as_object`; invalid ones are skipped."""
        fields = content if isinstance(content, dict) else {}
        ports, key = fields.get("ports"), fields.get("functionKey")
        known = ports.items() if isinstance(ports, dict) else ()
        fit = {name: port for name, port in known if type(port) is int and 0 < port <= _HIGHEST_PORT}
        return cls(fit, key if isinstance(key, str) and key.isascii() and key.isprintable() else "")

    def as_object(self) -> dict[str, object]:
        return {"ports": dict(self.ports), "functionKey": self.function_key}

    def keys(self) -> HostKeys:
        """The keys of the next stack."""
        return HostKeys(function=self.function_key) if self.function_key else HostKeys()


def ports(variables: Mapping[str, str], last: Choices, say: Callable[[str], None]) -> StackPorts:
    """The ports of the next stack; 0 for any free one. `say` gets a sentence for each port that is no longer free.

    :raises StackError: when the environment names something that is not a port, or a port in use.
    """
    chosen = {name: _asked(name, variables) for name in PORTS}
    for name in PORTS:
        before = last.ports.get(name, 0)
        if chosen[name] or not before:
            continue
        if before in chosen.values() or not _is_free(before):
            say(f"Port {before}, SPARKLIN_{name}_PORT of the last stack, is in use; another one is chosen.")
        else:
            chosen[name] = before
    storage = AzuritePorts(chosen["BLOB"], chosen["QUEUE"], chosen["TABLE"])
    return StackPorts(chosen["RECEIVER"], chosen["DATA_MAP"], storage)


def _asked(name: str, variables: Mapping[str, str]) -> int:
    text = variables.get(f"SPARKLIN_{name}_PORT") or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > _HIGHEST_PORT:
        raise StackError(f"SPARKLIN_{name}_PORT must be a port, not {text}")
    port = int(text)
    if port and not _is_free(port):
        raise StackError(
            f"SPARKLIN_{name}_PORT: port {port} is in use; choose another, or remove the variable to get a free one"
        )
    return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
