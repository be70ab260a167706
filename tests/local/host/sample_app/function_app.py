"""A small app with one function of each kind. What its functions were given goes to the queue that SEEN_QUEUE names."""

import json
import logging
import os
import time
from datetime import datetime
from typing import cast

import azure.functions as func
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from local import environment

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

_log = logging.getLogger("sample")
_settings = environment.variables()
_blobs = BlobServiceClient.from_connection_string(_settings["LINEAGE_STORAGE"])
_seen = QueueClient.from_connection_string(_settings["LINEAGE_STORAGE"], _settings["SEEN_QUEUE"])


def report(**what: object) -> None:
    """Send what a function was given to the test."""
    _seen.send_message(json.dumps(what, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@app.route(route="echo/{kind:alpha}/{number:int?}", methods=["GET", "POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with what arrived."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"x-sample": "yes"})


@app.route(route="open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def open_to_all(req: func.HttpRequest, context: func.Context) -> str:
    """Answer with text, from the event loop."""
    _log.info("asked %s", req.params.get("why"))
    return f"{context.function_name} {len(context.invocation_id)}"


@app.route(route="master", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def for_the_master(req: func.HttpRequest) -> str:
    """Need the master key."""
    return "you are"


@app.route(route="outcome/{kind}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def outcome(req: func.HttpRequest) -> func.HttpResponse:
    """Fail, return nothing, be slow, or answer 204 with cookies."""
    match req.route_params["kind"]:
        case "nothing":
            # Azure's worker accepts no annotation for this.
            return cast(func.HttpResponse, None)
        case "slow":
            time.sleep(1.5)
            return func.HttpResponse("slow")
        case "bare":
            return func.HttpResponse(status_code=204, headers={"Set-Cookie": "a=1; Path=/"})
        case _:
            raise RuntimeError("this outcome is a failure")


@app.blob_trigger(
    arg_name="blob",
    path="%CONTAINER%/runs/{name}",
    connection="LINEAGE_STORAGE",
    source=func.BlobSource(_settings["BLOB_SOURCE"]),
)
def on_blob(blob: func.InputStream) -> None:
    """Report the blob, then do what its content says."""
    content = blob.read().decode()
    report(
        function="on_blob",
        name=blob.name,
        uri=blob.uri,
        length=blob.length,
        content=content,
        metadata=getattr(blob, "metadata", None),
        properties=getattr(blob, "blob_properties", None),
    )
    obey(content)


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="LINEAGE_STORAGE")
def on_message(msg: func.QueueMessage) -> None:
    """Report the message, then do what it says."""
    report_message("on_message", msg)


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection="LINEAGE_STORAGE")
def on_poison(msg: func.QueueMessage) -> None:
    """As on_message, for what that has failed with too often; `twice fail` fails here too."""
    report_message("on_poison", msg)


def report_message(function: str, msg: func.QueueMessage) -> None:
    body = msg.get_body().decode("latin-1")
    report(
        function=function,
        body=body,
        id=msg.id,
        attempt=msg.dequeue_count,
        inserted=msg.insertion_time,
        expires=msg.expiration_time,
        visible=msg.time_next_visible,
        receipt=msg.pop_receipt,
    )
    if function == "on_message" or body.startswith("twice"):
        obey(body.removeprefix("twice "))


def obey(order: str) -> None:
    """`fail`: raise; `hold NAME`: wait until there is a blob go/NAME; `die`: end this process."""
    verb, _, name = order.partition(" ")
    if verb == "fail":
        raise RuntimeError("this is a failure")
    if verb == "die":
        os._exit(137)
    go = _blobs.get_blob_client(_settings["CONTAINER"], f"go/{name}")
    deadline = time.monotonic() + float(_settings.get("LONGEST_HOLD_SECONDS", "120"))
    while verb == "hold" and not go.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("nobody let it go")
        time.sleep(0.05)


@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=False)
def on_time(timer: func.TimerRequest) -> None:
    """Report the time, then do what TIMER_ORDER says."""
    report(
        function="on_time", past_due=timer.past_due, status=getattr(timer, "schedule_status", None), process=os.getpid()
    )
    obey(_settings.get("TIMER_ORDER", ""))
