"""Whether the network lets events in and lineage out."""

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from cli.checks.check import Check, note, ok, wrong

RECEIVER_ADDRESS = "address of the receiver"
_PRIVATE_RECEIVER = (
    "Event Grid cannot reach it: set QUEUE_NOTIFICATIONS=true (the templates do so with network=private), or only the "
    "timer finds events, 10 to 16 minutes later; or keep inbound "
    "access public, with access rules for the service tag AzureEventGrid and for Spark"
)


def check_network(hosts: Mapping[str, str]) -> Iterator[Check]:
    """What the addresses of the receiver, of storage and of the catalogue resolve to on this machine."""
    for what, address in hosts.items():
        host = urlsplit(address).hostname or ""
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, None)}
        except OSError:
            yield wrong(
                f"address of {what}",
                f"{host} has no address",
                "check its name; a private one needs its private DNS zone",
            )
            continue
        yield _judged(what, host, {str(address).partition("%")[0] for address in found})


def _judged(what: str, host: str, addresses: set[str]) -> Check:
    name = f"address of {what}"
    parsed = [ipaddress.ip_address(address) for address in addresses]
    if all(address.is_loopback for address in parsed):
        return ok(name, f"{host} is this machine")
    if all(address.is_private for address in parsed):
        found = f"{host} is private from here"
        return note(name, found, _PRIVATE_RECEIVER) if name == RECEIVER_ADDRESS else ok(name, found)
    return ok(name, f"{host} is public from here")
