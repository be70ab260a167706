"""The Python worker's part: finds the functions of an app, and turns what a trigger brings into arguments.

The converters of azure.functions make the arguments from the data that the host would send, so a function here gets the
same objects as in Azure.
"""

import importlib
import inspect
import json
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func  # noqa: TID251  the host is the other side of this contract
from azure.functions import meta  # noqa: TID251  as above

from local.host.errors import HostError

TRIGGERS = ("httpTrigger", "blobTrigger", "queueTrigger", "timerTrigger", "eventHubTrigger")
_SCRIPT = "function_app.py"
_SETTING = re.compile(r"%([^%]+)%")
# These are names in code; the host resolves %SETTING% in the others.
_LITERAL_PROPERTIES = {"name", "type", "direction", "dataType", "route"}

# Both are untyped in azure.functions.
_meta: Any = meta
Datum: Any = _meta.Datum
_converters: Any = _meta.get_binding_registry()


@dataclass(frozen=True, slots=True)
class HostedFunction:
    """A function of the app: its name, what to call, and its trigger as function.json would spell it."""

    name: str
    call: Callable[..., Any]
    trigger: Mapping[str, Any]
    takes_context: bool

    @property
    def id(self) -> str:
        """The id by which queue messages and webhooks name it."""
        return f"Host.Functions.{self.name}"

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop (else in a thread)."""
        return inspect.iscoroutinefunction(self.call)


@dataclass(frozen=True, slots=True)
class Context:
    """`func.Context`, for functions with a parameter `context`."""

    function_name: str
    function_directory: str
    invocation_id: str
    thread_local_storage: threading.local = field(default_factory=threading.local)
    trace_context: None = None
    retry_context: None = None


def load_functions(app_dir: Path, settings: Mapping[str, str]) -> tuple[HostedFunction, ...]:
    """Import `app_dir/function_app.py` and list its functions.

    :raises HostError: when there is no such file, it defines no or several apps, two functions have one
        name, a binding is of a kind that isn't hosted here, or a %SETTING% is not set.
    """
    if not (app_dir / _SCRIPT).exists():
        raise HostError(f"There is no {_SCRIPT} in {app_dir}")
    sys.path.insert(0, str(app_dir))
    module = importlib.import_module(Path(_SCRIPT).stem)
    apps = {id(app): app for app in vars(module).values() if isinstance(app, func.FunctionRegister)}
    if len(apps) != 1:
        raise HostError(f"{app_dir / _SCRIPT} must define one FunctionApp at its top level, not {len(apps)}")
    try:
        functions: list[Any] = apps.popitem()[1].get_functions()
    except ValueError as error:
        raise HostError(f"{app_dir / _SCRIPT}: {error}") from error
    _refuse_equal_names([str(function.get_function_name()) for function in functions])
    return tuple(_hosted(function, settings) for function in functions)


def http_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Any:
    """`func.HttpRequest`, as the worker makes it."""
    value = {
        "method": _text(method),
        "url": _text(url),
        "headers": {name: _text(text) for name, text in headers.items()},
        "query": {name: _text(text) for name, text in query.items()},
        "params": {name: _text(text) for name, text in route.items()},
        "body": Datum(body, "bytes"),
    }
    return _converters.get("httpTrigger").decode(Datum(value, "http"), trigger_metadata={})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response as the host gets it from the worker."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def http_answer(returned: object) -> HttpAnswer:
    """The HTTP response for a function's return value.

    :raises TypeError: when it is neither `func.HttpResponse` nor `str` (None among others), as in Azure.
    """
    try:
        datum = _converters.get("http").encode(returned, expected_type=None)
    except NotImplementedError as error:
        raise TypeError(f"unable to encode outgoing TypedData: {type(returned).__name__}") from error
    if datum.type == "string":
        return HttpAnswer(200, (("content-type", "text/plain; charset=utf-8"),), datum.value.encode())
    value = datum.value
    headers = [(name, text.value) for name, text in value["headers"].items()]
    cookies = [("set-cookie", jar.OutputString()) for c in value["cookies"] or () for jar in c.values()]
    return HttpAnswer(int(value["status_code"].value), (*headers, *cookies), value["body"].value)


def input_stream(
    content: bytes, name: str, uri: str, properties: Mapping[str, Any], metadata: Mapping[str, str]
) -> Any:
    """`func.InputStream` of a blob; `name` is `container/path`."""
    trigger_metadata = {
        "BlobTrigger": _text(name),
        # The host writes a .NET Uri as JSON, hence the quotes; the converter removes them.
        "Uri": Datum(json.dumps(uri), "json"),
        "Properties": Datum(json.dumps(properties), "json"),
        "Metadata": Datum(json.dumps(metadata), "json"),
    }
    return _converters.get("blobTrigger").decode(Datum(content, "bytes"), trigger_metadata=trigger_metadata)


def queue_message(body: bytes, metadata: Mapping[str, str | int]) -> Any:
    """`func.QueueMessage`; `metadata` has Id, DequeueCount, ExpirationTime, InsertionTime, …"""
    trigger_metadata = {
        name: Datum(value, "int") if isinstance(value, int) else _text(value) for name, value in metadata.items()
    }
    return _converters.get("queueTrigger").decode(Datum(body, "bytes"), trigger_metadata=trigger_metadata)


def event_hub_events(bodies: Sequence[bytes]) -> Any:
    """A list of `func.EventHubEvent`, as a trigger with cardinality many gets it."""
    now = datetime.now(UTC).isoformat()
    properties = [{"EnqueuedTimeUtc": now, "SequenceNumber": n, "Offset": str(n)} for n in range(len(bodies))]
    trigger_metadata = {"SystemPropertiesArray": Datum(json.dumps(properties), "json")}
    data = Datum(SimpleNamespace(bytes=list(bodies)), "collection_bytes")
    return _converters.get("eventHubTrigger").decode(data, trigger_metadata=trigger_metadata)


def timer_request(past_due: bool, status: Mapping[str, str] | None) -> Any:
    """`func.TimerRequest`; `status` has the ISO times Last, Next and LastUpdated, None for a timer without status."""
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return _converters.get("timerTrigger").decode(Datum(json.dumps(info), "json"), trigger_metadata={})


def resolve_settings(text: str, settings: Mapping[str, str], where: str) -> str:
    """Replace each %SETTING% of a binding property.

    :raises HostError: when a setting is not set; `where` names the binding.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise HostError(f"{where}: %{name}% does not resolve, there is no setting {name}")
        return settings[name]

    return _SETTING.sub(value, text)


def _hosted(function: Any, settings: Mapping[str, str]) -> HostedFunction:
    name = str(function.get_function_name())
    # The worker sends the host exactly this JSON.
    bindings: list[dict[str, Any]] = [json.loads(raw) for raw in function.get_raw_bindings()]
    trigger = next(b for b in bindings if b["name"] == function.get_trigger().name)
    for binding in bindings:
        known = binding is trigger or (binding["type"] == "http" and trigger["type"] == "httpTrigger")
        if not known:
            raise HostError(f"Function {name}: bindings of type {binding['type']} are not hosted locally")
    if trigger["type"] not in TRIGGERS:
        raise HostError(
            f"Function {name}: triggers of type {trigger['type']} are not hosted locally, only {', '.join(TRIGGERS)}"
        )
    resolved = {
        key: resolve_settings(value, settings, f"Function {name}, {key}")
        if isinstance(value, str) and key not in _LITERAL_PROPERTIES
        else value
        for key, value in trigger.items()
    }
    call = function.get_user_function()
    return HostedFunction(name, call, resolved, _takes_context(name, call, trigger["name"]))


def _takes_context(name: str, call: Callable[..., Any], argument: str) -> bool:
    parameters = set(inspect.signature(call).parameters)
    if argument not in parameters:
        raise HostError(f"Function {name}: its trigger is called {argument}, but it has no such parameter")
    unknown = parameters - {argument, "context"}
    if unknown:
        raise HostError(f"Function {name}: no binding for {', '.join(sorted(unknown))}")
    return "context" in parameters


def _refuse_equal_names(names: list[str]) -> None:
    equal = sorted({name for name in names if names.count(name) > 1})
    if equal:
        raise HostError(f"Several functions are called {', '.join(equal)}; function names must be unique")


def _text(value: str) -> Any:
    return Datum(value, "string")
