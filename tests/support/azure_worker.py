"""The Python worker of Azure Functions with an app in it: Microsoft's own library, called as the host calls it.

The library (azure-functions-runtime) needs Python 3.13 and imports the app as ``function_app``, so a process has one.
The host's side of the requests are Protobuf messages in Azure; the library takes their classes from the first request,
so plain objects of the same names do here.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HAS_WORKER = importlib.util.find_spec("azure_functions_runtime") is not None


class StatusResult(SimpleNamespace):
    Failure = 0
    Success = 1


class BindingInfo(SimpleNamespace):
    out = 1
    inout = 2
    undefined = 0


class TypedData:
    """A value of one kind: ``TypedData(bytes=b"…")``."""

    def __init__(self, **value: Any) -> None:
        ((self._kind, held),) = value.items()
        setattr(self, self._kind, held)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802  Protobuf's name
        return self._kind


class ParameterBinding(SimpleNamespace):
    """A function's argument by its name."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802
        return "data"


MESSAGES = SimpleNamespace(
    BindingInfo=BindingInfo,
    ParameterBinding=ParameterBinding,
    StatusResult=StatusResult,
    TypedData=TypedData,
    **dict.fromkeys(
        (
            "FunctionLoadResponse",
            "FunctionMetadataResponse",
            "InvocationResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcHttp",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        SimpleNamespace,
    ),
)


class AppRefused(Exception):
    """The worker cannot load the app, for the reason that Azure would log."""


class AzureWorker:
    """A worker with the app of a folder, whose functions can be called."""

    def __init__(self, library: Any, listed: list[Any]) -> None:
        self._library = library
        self._listed = {function.name: function for function in listed}

    @classmethod
    async def start(cls, folder: Path) -> "AzureWorker":
        """Import and index the app as the worker does when the host starts it.

        :raises AppRefused: the worker answers that it failed.
        """
        import azure_functions_runtime as library

        sys.path.insert(0, str(folder))  # Before all else, as the worker has it.
        # On Flex Consumption the worker starts, and makes its threads, before it gets the settings of an app.
        threads = os.environ.pop("PYTHON_THREADPOOL_THREAD_COUNT", None)
        library.start_threadpool_executor()
        if threads:
            os.environ["PYTHON_THREADPOOL_THREAD_COUNT"] = threads
        init = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
        started = await library.worker_init_request(_request(worker_init_request=init))
        if started.result.status != StatusResult.Success:
            raise AppRefused(started.result.exception.message)
        listed = (await library.functions_metadata_request(_request())).function_metadata_results
        return cls(library, listed)

    @property
    def bindings(self) -> dict[str, list[dict[str, Any]]]:
        """The bindings of each function by its name, as the worker lists them to the host."""
        return {
            name: [json.loads(binding) for binding in function.raw_bindings] for name, function in self._listed.items()
        }

    @property
    def threads(self) -> int:
        """How many threads the worker runs functions in."""
        size: int = self._library.get_threadpool_executor()._max_workers
        return size

    async def loaded(self) -> list[str]:
        """The names of the functions that can be loaded, sorted."""
        statuses = {}
        for name, function in self._listed.items():
            load = SimpleNamespace(function_id=function.function_id)
            response = await self._library.function_load_request(_request(function_load_request=load))
            statuses[name] = response.result.status
        return sorted(name for name, status in statuses.items() if status == StatusResult.Success)

    async def call(self, name: str, argument: TypedData, metadata: Mapping[str, TypedData]) -> Any:
        """Call a function with its trigger's value and metadata; the worker's InvocationResponse."""
        (trigger,) = (b for b in self.bindings[name] if b["type"].endswith("Trigger"))
        call = SimpleNamespace(
            invocation_id="1",
            function_id=self._listed[name].function_id,
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
            trigger_metadata=metadata,
            input_data=[ParameterBinding(name=trigger["name"], data=argument)],
        )
        return await self._library.invocation_request(_request(invocation_request=call))


def failure(response: Any) -> str | None:
    """Why a call failed; None for one that succeeded."""
    if response.result.status == StatusResult.Success:
        return None
    return str(response.result.exception.message)


def _request(**content: SimpleNamespace) -> SimpleNamespace:
    """A message of the host: exactly one kind of request is set."""
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"host": "127.0.0.1", "protos": MESSAGES})
