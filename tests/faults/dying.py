"""Local hosts that are killed as planned, in a stack."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.stack.parts import ROOT, FunctionHost
from local.stack.processes import Command
from tests.faults import host
from tests.faults.host import Plan

OPTIONS = ("--lock-seconds", "4", "--claim-seconds", "2", "--poll-seconds", "0.1", "--event-seconds", "0.2")


class DyingHost(FunctionHost):
    """A host by tests/faults/host.py; it keeps its port from the first life on."""

    def __init__(self, other: FunctionHost, plan: Plan) -> None:
        super().__init__(other.log, ROOT, {}, _free_port(), keys=other.keys, options=OPTIONS, name=other.name)
        self.plan = plan

    def command(self) -> Command:
        command = super().command()
        file = self.log.with_suffix(".plan")
        self.plan.write(file)
        arguments = ["tests.faults.host" if word == "local.host" else word for word in command.arguments]
        return replace(command, arguments=tuple(arguments), environment={**command.environment, host.PLAN: str(file)})

    def journal(self, what: str) -> list[Any]:
        """What of this kind has happened so far."""
        path = Path(self.plan.journal)
        lines = path.read_text().splitlines() if path.exists() else []
        return [line[what] for line in map(json.loads, lines) if what in line]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
