"""The local stack: Azurite, the Data Map and the function host, started and stopped together.

    python -m local.stack --help

Tests use `Stack`, whose parts can be stopped, killed and started again one by one.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import requests

from local import environment
from local.azurite import Azurite, AzuritePorts
from local.stack import signals
from local.stack.part import Part
from local.stack.parts import ROOT, DataMap, FunctionHost, HostKeys

#: All parts must be ready within this time.
READY_SECONDS = 60.0
_REQUEST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class StackPorts:
    """The ports; 0 lets the system pick a free one at the first start."""

    receiver: int = 0
    data_map: int = 0
    storage: AzuritePorts = field(default_factory=AzuritePorts)


class Stack:
    """The parts, with data and logs in `folder`. Their ports and data outlive a restart of each part.

    >>> with Stack(tmp_path, environment={"UPLOAD_REFRESH_DAYS": "1"}) as stack:   # doctest: +SKIP
    ...     requests.post(f"{stack.receiver}/api/v1/lineage", headers=stack.key_header, json=event)
    ...     stack.host.kill(); stack.host.start()
    """

    def __init__(
        self,
        folder: Path,
        *,
        app_dir: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        hosts: int = 1,
        data_map: bool = True,
        in_memory: bool = False,
        ports: StackPorts | None = None,
        keys: HostKeys | None = None,
        host_options: tuple[str, ...] = (),
        event_folder: str = "",
        on_launch: Callable[[Part], None] | None = None,
    ) -> None:
        """`environment` is added to that of the hosts, and takes precedence.

        Several `hosts` share the storage and its work; only the first has `ports.receiver`. `event_folder` is a
        container of the storage, and a path in it, that the collector reads. `on_launch` is called with each part as
        soon as its process exists.
        """
        chosen = ports or StackPorts()
        logs, data = folder / "logs", folder / "data"
        self._extra = dict(environment or {})
        self._event_folder = event_folder
        self._on_launch = on_launch or (lambda _part: None)
        self.keys = keys or HostKeys()
        self.azurite = Azurite(logs / "azurite.log", None if in_memory else data / "azurite", chosen.storage)
        self.data_map = DataMap(logs / "data_map.log", data / "data_map.db", chosen.data_map) if data_map else None
        self.hosts = [
            FunctionHost(
                logs / f"{name}.log",
                app_dir,
                {},
                0 if number else chosen.receiver,
                keys=self.keys,
                options=host_options,
                name=name,
            )
            for number, name in enumerate(["host", *(f"host{n}" for n in range(2, hosts + 1))])
        ]

    @property
    def host(self) -> FunctionHost:
        """The (first) function host."""
        return self.hosts[0]

    @property
    def parts(self) -> list[Part]:
        """All parts in the order in which they start."""
        return [self.azurite, *([self.data_map] if self.data_map else []), *self.hosts]

    @property
    def receiver(self) -> str:
        """The address to which agents post: that of the first host, without a path."""
        return self.host.url

    @property
    def page(self) -> str:
        """The address of the lineage page; empty without a Data Map."""
        return f"{self.data_map.url}/" if self.data_map else ""

    @property
    def key_header(self) -> dict[str, str]:
        """The header that opens the functions."""
        return {"x-functions-key": self.keys.function}

    def start(self) -> Self:
        """Start the parts that are not running, and wait until everything is ready.

        :raises StackError: naming the part that failed, with the end of its log; all parts are killed before.
        """
        deadline = time.monotonic() + READY_SECONDS
        try:
            backing = [part for part in self.parts if not isinstance(part, FunctionHost)]
            self._start_together(backing, deadline)
            for host in self.hosts:
                host.settings = self._host_settings()
            if self.data_map:
                self.data_map.publish_settings(self._host_settings())
            self._start_together(self.hosts, deadline)
        except BaseException:
            for part in reversed(self.parts):
                part.kill()
            raise
        return self

    def stop(self) -> None:
        """Stop all parts, the hosts first."""
        for part in reversed(self.parts):
            part.stop()

    def misdeliver_events(
        self, *, drop: bool = False, copies: int = 1, shuffle: bool = False, hold: bool = False
    ) -> None:
        """Set how all running hosts deliver blob events from now on; without arguments, without faults.

        :raises requests.RequestException: when a host refuses it.
        """
        wanted = {"drop": drop, "copies": copies, "shuffle": shuffle, "hold": hold}
        for host in self.hosts:
            if host.is_running:
                self._admin("PUT", f"{host.url}/admin/local/events", wanted)

    def fire_timer(self, function: str) -> None:
        """Run a timer function now, on the first host; returns before it ends.

        :raises requests.RequestException: when there is no such function.
        """
        self._admin("POST", f"{self.host.url}/admin/functions/{function}", {"input": ""})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_together(self, parts: list[Part] | list[FunctionHost], deadline: float) -> None:
        for part in parts:
            with signals.held():
                part.launch()
                self._on_launch(part)
        for part in parts:
            part.wait_until_ready(deadline)

    def _host_settings(self) -> dict[str, str]:
        storage = self.azurite.connection_string
        settings = {"LINEAGE_STORAGE": storage, "AzureWebJobsStorage": storage}
        if self.data_map:
            settings |= {"PURVIEW_ENDPOINT": self.data_map.url, "PURVIEW_AUTH": "none"}
        if "BLOB_TRIGGER_SOURCE" not in environment.variables():
            settings["BLOB_TRIGGER_SOURCE"] = "EventGrid"
        if self._event_folder:
            settings["EVENT_FOLDERS"] = f"{self.azurite.blob_url}/{self._event_folder}"
        return settings | self._extra

    def _admin(self, method: str, url: str, body: object) -> None:
        headers = {"x-functions-key": self.keys.master}
        with requests.Session() as session:
            session.trust_env = False  # no proxy for this machine
            answer = session.request(method, url, json=body, headers=headers, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
