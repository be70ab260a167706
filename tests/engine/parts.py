"""The trigger engine of Azure Functions and its worker, as parts that a test starts, kills and starts again."""

import os
import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import environment
from local.stack.part import Part
from local.stack.parts import ROOT, HttpPart
from local.stack.processes import Command
from tests.local.host.sample import eventually

#: The environment variable that names the engine.
PROGRAM = "SPARKLIN_TRIGGER_ENGINE"
_READY = re.compile(r'"event":"ready","about":\{"port":(\d+)')
_PROCESS = re.compile(r"^worker process (\d+)$", re.MULTILINE)


class Worker(HttpPart):
    """The functions of an app in Azure's own worker; their description is written to the file ``functions``.

    The engine hears only of the functions that are named; of all, if none is named. With ``short_leases``, the app's
    locks end 15 seconds after a worker died.
    """

    def __init__(
        self,
        log: Path,
        app_dir: Path,
        settings: Mapping[str, str],
        functions: Sequence[str] = (),
        *,
        short_leases: bool = False,
    ) -> None:
        super().__init__("worker", log)
        self._short_leases = short_leases
        self._app_dir = app_dir
        self.settings = dict(settings)
        self._wanted = functions
        self.functions = log.with_suffix(".functions.json")

    def command(self) -> Command:
        folders = ("--app-dir", str(self._app_dir), "--functions", str(self.functions))
        leases = ("--short-leases",) if self._short_leases else ()
        options = (*leases, *folders, "--wanted", *self._wanted)
        return self._python("tests.engine.worker", *options, extra=self.settings)

    def kill_process(self) -> None:
        """Kill the process that runs the functions (SIGKILL), and wait until the worker has started another one."""
        before = self.process_ids()
        os.kill(before[-1], signal.SIGKILL)
        eventually(lambda: len(self.process_ids()) > len(before), "another process of the worker")

    def process_ids(self) -> list[int]:
        """The ids of all processes that ran the functions, the running one last."""
        return [int(found) for found in _PROCESS.findall(self.output())]


class TriggerEngine(Part):
    """The engine: it listens to the storage that ``settings`` names and calls a worker."""

    ready = (_READY,)

    def __init__(self, log: Path, host_json: Path, worker: Worker, settings: Mapping[str, str]) -> None:
        super().__init__("engine", log)
        self._host_json = host_json
        self._worker = worker
        self.settings = dict(settings)

    @property
    def url(self) -> str:
        """Its address, as ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.addresses()[0]}"

    def command(self) -> Command:
        program = environment.variables()[PROGRAM]
        port = self._addresses[0] if self._addresses else "0"
        files = ("--host-json", str(self._host_json), "--functions", str(self._worker.functions))
        variables = {**environment.variables(), **self.settings}
        options = (*files, "--worker", self._worker.url, "--port", port, "--verbose")
        return Command(self.name, (program, *options), ROOT, variables, self.log)
