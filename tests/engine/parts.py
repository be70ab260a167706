"""The trigger engine of Azure Functions and its worker, as parts that a test starts, kills and starts again."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import environment
from local.stack.part import Part
from local.stack.parts import ROOT, HttpPart
from local.stack.processes import Command

ENGINE = "SPARKLIN_TRIGGER_ENGINE"
_READY = re.compile(r'"event":"ready","about":\{"port":(\d+)')
_PROCESS = re.compile(r"^worker process (\d+)$", re.MULTILINE)


class Worker(HttpPart):
    """The functions of an app in Azure's own worker; what they are is written to the file ``functions``.

    The engine hears only of the functions that are named; of all, if none is named.
    """

    def __init__(self, log: Path, app_dir: Path, settings: Mapping[str, str], functions: Sequence[str] = ()) -> None:
        super().__init__("worker", log)
        self._app_dir = app_dir
        self._settings = dict(settings)
        self._wanted = functions
        self.functions = log.with_suffix(".functions.json")

    def command(self) -> Command:
        options = ("--app-dir", str(self._app_dir), "--functions", str(self.functions), "--wanted", *self._wanted)
        return self._python("tests.engine.worker", *options, extra=self._settings)

    def process_ids(self) -> list[int]:
        """The ids of all worker processes that were started, the running one last."""
        return [int(found) for found in _PROCESS.findall(self.output())]


class TriggerEngine(Part):
    """The engine: it listens to the storage that ``settings`` names and calls a worker."""

    ready = (_READY,)

    def __init__(self, log: Path, host_json: Path, worker: Worker, settings: Mapping[str, str]) -> None:
        super().__init__("engine", log)
        self._host_json = host_json
        self._worker = worker
        self._settings = dict(settings)

    @property
    def url(self) -> str:
        """Its address, as ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.addresses()[0]}"

    def command(self) -> Command:
        program = environment.variables()[ENGINE]
        port = self._addresses[0] if self._addresses else "0"
        files = ("--host-json", str(self._host_json), "--functions", str(self._worker.functions))
        variables = {**environment.variables(), **self._settings}
        options = (*files, "--worker", self._worker.url, "--port", port, "--verbose")
        return Command(self.name, (program, *options), ROOT, variables, self.log)
