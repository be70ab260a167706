"""Drives a function app as the Python worker of Azure Functions does, and says in JSON what came of it.

    python worker.py APP_DIR < invocations.json

With Microsoft's worker library (azure-functions-runtime, Python 3.13 and newer) the app goes through the worker's
own requests: init, metadata, load and invocation. The host's side of them are Protobuf messages in Azure; the
library takes their classes from the first request, so plain objects of the same names do here. On an older Python
only the decorators' metadata is read, as there is no such library for it.

It is a process of its own because the worker imports ``function_app`` by that name, and once.
"""

import asyncio
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


async def through_worker(folder: Path, invocations: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What the worker answers to the host's requests, in their order."""
    import azure_functions_runtime as worker

    # On Flex Consumption the worker starts, and makes its threads, before it gets the settings of an app.
    threads = os.environ.pop("PYTHON_THREADPOOL_THREAD_COUNT", None)
    worker.start_threadpool_executor()
    if threads:
        os.environ["PYTHON_THREADPOOL_THREAD_COUNT"] = threads
    init = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
    started = await worker.worker_init_request(request(worker_init_request=init))
    if started.result.status != StatusResult.Success:
        return {"error": started.result.exception.message}
    listed = (await worker.functions_metadata_request(request())).function_metadata_results
    loads = {}
    for function in listed:
        load = SimpleNamespace(function_id=function.function_id)
        loads[function.name] = (await worker.function_load_request(request(function_load_request=load))).result.status
    ids = {function.name: function.function_id for function in listed}
    return {
        "functions": {function.name: [json.loads(binding) for binding in function.raw_bindings] for function in listed},
        "loaded": sorted(name for name, status in loads.items() if status == StatusResult.Success),
        "threads": worker.get_threadpool_executor()._max_workers,
        "answers": [await answer(worker, ids, invocation) for invocation in invocations],
    }


async def answer(worker: Any, ids: Mapping[str, str], invocation: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function with one argument: an HTTP request, the bytes of a blob, or the text of a queue message."""
    nothing = SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)
    trace = SimpleNamespace(trace_parent="", trace_state="", attributes={})
    metadata = {name: TypedData(string=text) for name, text in invocation.get("metadata", {}).items()}
    call = SimpleNamespace(
        invocation_id="1",
        function_id=ids[invocation["function"]],
        trace_context=trace,
        retry_context=nothing,
        trigger_metadata=metadata,
        input_data=[ParameterBinding(name=invocation["argument"], data=argument(invocation))],
    )
    response = await worker.invocation_request(request(invocation_request=call))
    if response.result.status != StatusResult.Success:
        return {"error": response.result.exception.message}
    if response.return_value is None:
        return {}
    http = response.return_value.http
    return {"status": int(http.status_code), "headers": dict(http.headers), "body": http.body.bytes.decode()}


def argument(invocation: Mapping[str, Any]) -> TypedData:
    if "method" not in invocation:
        return TypedData(bytes=invocation["body"].encode())
    return TypedData(
        http=SimpleNamespace(
            method=invocation["method"],
            url=invocation["url"],
            headers=invocation.get("headers", {}),
            params={},
            query={},
            body=TypedData(bytes=invocation.get("body", "").encode()),
        )
    )


def request(**content: SimpleNamespace) -> SimpleNamespace:
    """A message of the host: exactly one kind of request is set."""
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"host": "127.0.0.1", "protos": MESSAGES})


def from_decorators() -> dict[str, Any]:
    """The metadata alone, where no worker library exists."""
    import function_app

    listed = function_app.app.get_functions()
    return {
        "functions": {
            function.get_function_name(): [
                json.loads(json.dumps(b, default=str)) for b in function.get_bindings_dict()["bindings"]
            ]
            for function in listed
        }
    }


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    sys.path[0] = str(folder)  # In place of this script's own folder, as the worker has it.
    result = asyncio.run(through_worker(folder, json.load(sys.stdin))) if HAS_WORKER else from_decorators()
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main()
