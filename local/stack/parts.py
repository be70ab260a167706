"""The function host and the Data Map as parts of the local stack (Azurite is in local/azurite)."""

import json
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local import environment
from local.stack.part import Part
from local.stack.processes import Command

ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(r"^listening on (http://\S+)$", re.MULTILINE)


def _new_key() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The keys of a host; equal for all hosts of a stack."""

    function: str = field(default_factory=_new_key, repr=False)
    system: str = field(default_factory=_new_key, repr=False)
    master: str = field(default_factory=_new_key, repr=False)


class HttpPart(Part):
    """A Python module of the project that serves HTTP and prints `listening on http://…` when it is ready."""

    ready = (_LISTENING,)

    def __init__(self, name: str, log: Path, port: int = 0) -> None:
        super().__init__(name, log)
        self._port = port

    @property
    def url(self) -> str:
        """Its address, as `http://127.0.0.1:PORT`.

        :raises StackError: before its first start.
        """
        return self.addresses()[0]

    def _python(self, module: str, *arguments: str, extra: Mapping[str, str]) -> Command:
        port = urlsplit(self._addresses[0]).port if self._addresses else self._port
        variables = {**_without_proxy(environment.variables()), "PYTHONUNBUFFERED": "1", **extra}
        command = (sys.executable, "-m", module, "--port", str(port), *arguments)
        return Command(self.name, command, ROOT, variables, self.log)


def _without_proxy(variables: dict[str, str]) -> dict[str, str]:
    """The variables, with this machine excluded from proxies, which could not find the parts."""
    given = variables.get("no_proxy") or variables.get("NO_PROXY") or ""
    here = ",".join(filter(None, (given, "127.0.0.1", "localhost")))
    return variables | {"no_proxy": here, "NO_PROXY": here}


class DataMap(HttpPart):
    """The local Data Map with its lineage page; its data is in the file `database`."""

    def __init__(self, log: Path, database: Path, port: int = 0, *, name: str = "dataMap") -> None:
        super().__init__(name, log, port)
        self._database = database.resolve()
        self._app_settings = self._database.with_suffix(".app.json")

    def command(self) -> Command:
        """`python -m local.data_map`."""
        self._database.parent.mkdir(parents=True, exist_ok=True)
        options = ("--database", str(self._database), "--app-settings", str(self._app_settings))
        return self._python("local.data_map", *options, extra={})

    def publish_settings(self, settings: Mapping[str, str]) -> None:
        """Write the settings of the app for the overview page. Only this user can read them."""
        self._app_settings.touch(mode=0o600)
        self._app_settings.write_text(json.dumps(settings), "utf-8")


class FunctionHost(HttpPart):
    """A function host that drives the app in `app_dir` with `settings` as its environment."""

    def __init__(
        self,
        log: Path,
        app_dir: Path,
        settings: Mapping[str, str],
        port: int = 0,
        *,
        keys: HostKeys | None = None,
        options: tuple[str, ...] = (),
        name: str = "host",
    ) -> None:
        """`options` are more options of `python -m local.host`, such as `("--lock-seconds", "2")`."""
        super().__init__(name, log, port)
        self._app_dir = app_dir
        self._options = options
        self.settings = dict(settings)
        self.keys = keys or HostKeys()

    def command(self) -> Command:
        """`python -m local.host`."""
        keys = {
            "LOCAL_HOST_FUNCTION_KEY": self.keys.function,
            "LOCAL_HOST_SYSTEM_KEY": self.keys.system,
            "LOCAL_HOST_MASTER_KEY": self.keys.master,
        }
        extra = {**self.settings, **keys}
        return self._python("local.host", "--app-dir", str(self._app_dir.resolve()), *self._options, extra=extra)
