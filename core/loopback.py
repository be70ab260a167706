"""Which hosts are this machine."""

_HOSTS = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str | None) -> bool:
    """Whether the host of an address is this machine."""
    return host in _HOSTS
