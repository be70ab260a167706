"""Calls functions: sync ones in a thread, async ones on the event loop, as the Python worker does.

HTTP and other triggers have separate thread pools: on Flex Consumption they run on separate instances, where a busy
blob function does not delay a request either.
"""

import asyncio
import contextvars
import functools
import logging
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local.host import logs
from local.host.errors import InvocationFailed
from local.host.worker import Context, HostedFunction

_log = logging.getLogger("local.host")
_POLL_SECONDS = 0.02


class Invoker:
    """Runs invocations and knows how many are running. Made on the event loop that async functions run on."""

    def __init__(self, app_dir: Path, settings: Mapping[str, str]) -> None:
        self._app_dir = app_dir
        self._loop = asyncio.get_running_loop()
        self._threads = int(settings.get("PYTHON_THREADPOOL_THREAD_COUNT", "0")) or None
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._running = 0

    async def invoke(self, function: HostedFunction, value: object) -> Any:
        """Call `function` with its trigger's value and return what it returns.

        :raises InvocationFailed: when it raises; logged with its traceback.
        """
        invocation_id = str(uuid.uuid4())
        arguments = {function.trigger["name"]: value}
        if function.takes_context:
            context = Context(function.name, str(self._app_dir), invocation_id)
            context.thread_local_storage.invocation_id = invocation_id
            arguments["context"] = context
        self._running += 1
        try:
            with logs.invocation(function.name, invocation_id):
                return await self._logged(function, arguments)
        finally:
            self._running -= 1

    def run(self, function: HostedFunction, value: object) -> None:
        """`invoke` from a listener's thread, waiting for its end.

        :raises InvocationFailed: when the function raises.
        """
        asyncio.run_coroutine_threadsafe(self.invoke(function, value), self._loop).result()

    async def drain(self, seconds: float) -> bool:
        """Wait at most `seconds` for the running invocations. True if all have ended."""
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
        return self._running == 0

    async def _logged(self, function: HostedFunction, arguments: dict[str, object]) -> Any:
        began = time.perf_counter()
        _log.info("Executing 'Functions.%s'", function.name)
        try:
            returned = await self._call(function, arguments)
        except Exception as error:
            _log.exception("Executed 'Functions.%s' (Failed, %s)", function.name, _duration(began))
            raise InvocationFailed(function.name) from error
        _log.info("Executed 'Functions.%s' (Succeeded, %s)", function.name, _duration(began))
        return returned

    async def _call(self, function: HostedFunction, arguments: dict[str, object]) -> Any:
        if function.is_async:
            return await function.call(**arguments)
        # A thread of the pool has no context; the log needs this one.
        call = functools.partial(contextvars.copy_context().run, function.call, **arguments)
        return await self._loop.run_in_executor(self._pool(function), call)

    def _pool(self, function: HostedFunction) -> ThreadPoolExecutor:
        kind = str(function.trigger["type"])
        if kind not in self._pools:
            self._pools[kind] = ThreadPoolExecutor(self._threads, thread_name_prefix=kind)
        return self._pools[kind]


def _duration(began: float) -> str:
    return f"{(time.perf_counter() - began) * 1000:.0f} ms"
