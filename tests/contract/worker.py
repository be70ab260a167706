"""Drives a function app as the Python worker of Azure Functions does, and prints the result as JSON.

    python -m tests.contract.worker APP_DIR < invocations.json

With Microsoft's worker library (Python 3.13 and newer) the app goes through the worker's own requests: init, metadata,
load and invocation. On an older Python only the decorators' metadata is read, as there is no such library for it.
It is its own process because the worker imports ``function_app`` by that name, and once.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.azure_worker import HAS_WORKER, AppRefused, AzureWorker, TypedData, failure


async def through_worker(folder: Path, invocations: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What the worker answers to the host's requests, in their order."""
    try:
        worker = await AzureWorker.start(folder)
    except AppRefused as error:
        return {"error": str(error)}
    return {
        "functions": worker.bindings,
        "loaded": await worker.loaded(),
        "threads": worker.threads,
        "answers": [await answer(worker, invocation) for invocation in invocations],
    }


async def answer(worker: AzureWorker, invocation: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function with one argument: an HTTP request, the bytes of a blob, or the text of a queue message."""
    metadata = {name: TypedData(string=text) for name, text in invocation.get("metadata", {}).items()}
    response = await worker.call(invocation["function"], argument(invocation), metadata)
    error = failure(response)
    if error is not None:
        return {"error": error}
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


def from_decorators(folder: Path) -> dict[str, Any]:
    """The metadata alone, where no worker library exists."""
    sys.path.insert(0, str(folder))
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
    result = asyncio.run(through_worker(folder, json.load(sys.stdin))) if HAS_WORKER else from_decorators(folder)
    sys.stdout.write(f"\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main()
