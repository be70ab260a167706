"""The services of a worker process, built and imported when they are first used.

An instance that only receives events needs neither the parser nor the catalogue, so it starts without importing them.
"""

import threading
from typing import TYPE_CHECKING

from core.settings import Settings
from pipeline.receive import Receiver
from qualified_names import rules as name_rules
from storage.clients import connect

if TYPE_CHECKING:
    from pipeline.services import Services


class LazyServices:
    """The services of a process, built by one thread, also for many events at once. Building sends nothing.

    :raises SettingsError: the file of naming rules cannot be used; the process should not start then.
    """

    def __init__(self, settings: Settings) -> None:
        name_rules.of_settings(settings)
        self._settings = settings
        self._clients = connect(settings.lineage_storage, makes_missing=True)
        self._building = threading.Lock()
        self._built: Services | None = None
        self.receiver = Receiver.of(settings, self._clients)

    def __call__(self) -> "Services":
        """The services."""
        with self._building:
            if self._built is None:
                from pipeline.services import build_around

                self._built = build_around(self.receiver, self._clients, self._settings)
            return self._built
