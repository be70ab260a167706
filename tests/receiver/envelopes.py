"""Envelopes of hand-written events."""

from core.envelope import read_envelope
from core.event_model import Envelope
from tests.support.events import body, event

DATASET = [{"namespace": "file", "name": "/x"}]


def envelope(
    event_type: str,
    job_name: str,
    *,
    reads: bool = False,
    writes: bool = False,
    plan: str = "",
    job_type: str = "",
    namespace: str = "prod",
    processing_type: str = "",
) -> Envelope:
    """An event's envelope."""
    whole = event(
        event_type,
        job_name=job_name,
        job_namespace=namespace,
        inputs=DATASET if reads else [],
        outputs=DATASET if writes else [],
    )
    if plan:
        whole["run"]["facets"]["spark.logicalPlan"] = {"plan": [{"class": f"org.apache.spark.{plan}"}]}
    if job_type or processing_type:
        whole["job"]["facets"] = {"jobType": {"jobType": job_type, "processingType": processing_type}}
    return read_envelope(body(whole))
