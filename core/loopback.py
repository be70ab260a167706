"""Which hosts are this machine."""

import ipaddress


def is_loopback(host: str | None) -> bool:
    """Whether a host name or an address, also an IPv6 address in brackets, can only mean this machine."""
    name = (host or "").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
