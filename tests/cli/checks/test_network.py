"""What the addresses of a deployment say about its network."""

import socket
from collections.abc import Iterable

import pytest

from cli.checks.network import check_network


def seen(
    monkeypatch: pytest.MonkeyPatch, addresses: Iterable[str], what: str = "storage"
) -> tuple[str, str, str, bool]:
    """The check of a host with these addresses: its name, state and finding, and whether it has a repair."""
    asked: list[str] = []

    def resolve(host: str, port: None) -> list[tuple[object, ...]]:
        asked.append(host)
        if not addresses:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    (check,) = check_network({what: "https://st.example.net:443/path"})
    assert asked == ["st.example.net"]
    return check.name, check.state.value, check.found, bool(check.repair)


@pytest.mark.parametrize(
    ("addresses", "state", "found"),
    [
        (["127.0.0.1"], "ok", "st.example.net is this machine"),
        (["::1", "127.0.0.1"], "ok", "st.example.net is this machine"),
        (["10.1.2.3"], "ok", "st.example.net is private from here"),
        (["fe80::1%eth0", "192.168.0.1"], "ok", "st.example.net is private from here"),
        (["20.60.1.1"], "ok", "st.example.net is public from here"),
        (["10.1.2.3", "20.60.1.1"], "ok", "st.example.net is public from here"),
        # Containers reach this machine by a private address too.
        (["127.0.0.1", "10.1.2.3"], "ok", "st.example.net is private from here"),
    ],
)
def test_where_an_address_is(addresses: list[str], state: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(monkeypatch, addresses) == ("address of storage", state, found, False)


@pytest.mark.parametrize(("address", "state"), [("10.1.2.3", "note"), ("127.0.0.1", "ok"), ("20.60.1.1", "ok")])
def test_event_grid_cannot_reach_a_private_receiver(address: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, found_state, _, has_repair = seen(monkeypatch, [address], "the receiver")

    assert (name, found_state, has_repair) == ("address of the receiver", state, state == "note")


def test_a_host_without_an_address_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(monkeypatch, []) == ("address of storage", "wrong", "st.example.net has no address", True)

    checks = list(check_network({"storage": "https://a", "Purview": "no address at all"}))

    assert [check.state.value for check in checks] == ["wrong", "wrong"]
