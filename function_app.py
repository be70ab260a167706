"""The functions of the app: triggers only. What they do is in the package pipeline.

Modules that receiving does not need (parser, catalogue) are imported on first use, so that the receiver starts sooner.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import List  # noqa: UP035

import azure.functions as func

from core.errors import StorageUnavailable
from core.logs import escape_arguments
from core.naming import CONTAINER
from core.settings import Settings, start_warnings
from pipeline import receive as receiving
from pipeline.health import health_report
from pipeline.lazy_services import LazyServices
from storage.clients import RETRY_QUEUE
from storage.poison_queues import BLOB_POISON_QUEUE, RETRY_POISON_QUEUE

# On Flex Consumption the worker starts its threads before it knows PYTHON_THREADPOOL_THREAD_COUNT; here it starts them
# again.
worker = sys.modules.get("azure_functions_runtime")
if worker and hasattr(worker, "start_threadpool_executor"):
    worker.start_threadpool_executor()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
settings = Settings.from_env()
services = LazyServices(settings)
escape_arguments()
logging.getLogger("azure").setLevel(logging.WARNING)
for warning in start_warnings(settings):
    logging.getLogger(__name__).warning("%s", warning)


def answered(take: Callable[..., receiving.Answer], req: func.HttpRequest) -> func.HttpResponse:
    """The answer to a request; 503 also if the clients cannot be created."""
    try:
        status, body = take(req.get_body(), req.headers, services.receiver, datetime.now(UTC))
    except StorageUnavailable as error:
        status, body = receiving.unavailable(error)
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")


@app.function_name("receive")
@app.route("v1/lineage", methods=["POST"])
def receive(req: func.HttpRequest) -> func.HttpResponse:
    """One event of a current agent."""
    return answered(receiving.receive, req)


@app.function_name("receive_legacy")
@app.route("1/lineage", methods=["POST"])
def receive_legacy(req: func.HttpRequest) -> func.HttpResponse:
    """One event of agent 0.4.0, which has the version number alone in its path."""
    return answered(receiving.receive, req)


@app.function_name("receive_batch")
@app.route("v1/lineage/batch", methods=["POST"])
def receive_batch(req: func.HttpRequest) -> func.HttpResponse:
    """An array of events."""
    return answered(receiving.receive_batch, req)


@app.function_name("health")
@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Whether the app can store events."""
    status, body = health_report(settings)
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")


@app.function_name("parse")
@app.blob_trigger(
    "blob", f"{CONTAINER}/{{name}}", "LINEAGE_STORAGE", source=func.BlobSource(settings.blob_trigger_source)
)
def parse(blob: func.InputStream) -> None:
    """A stored event; its whole run is read again."""
    from pipeline import retries

    retries.stored(blob.name or "", services())


@app.function_name("retry")
@app.queue_trigger("message", RETRY_QUEUE, "LINEAGE_STORAGE")
def retry(message: func.QueueMessage) -> None:
    """A run whose processing failed before, or that the timer found unprocessed."""
    from pipeline import retries

    retries.retry(message.get_body(), services())


@app.function_name("poison")
@app.queue_trigger("message", BLOB_POISON_QUEUE, "LINEAGE_STORAGE")
def poison(message: func.QueueMessage) -> None:
    """A blob that the trigger gave up."""
    from pipeline import retries

    retries.poisoned(message.get_body(), services())


@app.function_name("poison_retry")
@app.queue_trigger("message", RETRY_POISON_QUEUE, "LINEAGE_STORAGE")
def poison_retry(message: func.QueueMessage) -> None:
    """A retry that the host gave up."""
    from pipeline import retries

    retries.retry_poisoned(message.get_body(), services())


@app.function_name("sweep")
@app.timer_trigger("timer", "0 */5 * * * *")
def sweep(timer: func.TimerRequest) -> None:
    """Finds unreported events, settles runs that never ended, and renames processes after an update."""
    from pipeline import retries, stuck_messages
    from pipeline.artifact_migration import move_to_artifacts
    from pipeline.store_version import note_version

    note_version(services())
    stuck_messages.report(services())
    retries.sweep(services())
    move_to_artifacts(services())


if settings.event_folders:

    @app.function_name("collect")
    @app.timer_trigger("timer", "30 * * * * *")
    def collect(timer: func.TimerRequest) -> None:
        """Reads what agents appended to the files in EVENT_FOLDERS."""
        from pipeline import collect as collecting

        collecting.collect(services())


if settings.event_hub:

    @app.function_name("receive_stream")
    @app.event_hub_message_trigger(
        "messages",
        "EVENT_HUB_CONNECTION",
        settings.event_hub,
        func.DataType.BINARY,
        func.Cardinality.MANY,
        settings.event_hub_consumer_group,
    )
    @app.retry("exponential_backoff", "-1", minimum_interval="00:00:02", maximum_interval="00:05:00")
    def receive_stream(messages: List[func.EventHubEvent]) -> None:  # noqa: UP006  the worker refuses `list[…]`
        """Events of agents with transport kafka; while storage is unavailable, the partition waits."""
        from pipeline.stream import take_messages

        take_messages([message.get_body() for message in messages], services())
