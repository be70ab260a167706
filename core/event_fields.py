"""The fields that every reader of OpenLineage needs: names, times, types; and what is wrong with a body."""

import hashlib
import re
from datetime import UTC, datetime

import msgspec

from core.errors import BadEvent

#: Characters of a run id, job name or job namespace: the settings' patterns are searched in these.
LONGEST_NAME = 65_536
_LONGEST_TIME = 100
EVENT_TYPES = ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON of the expected shape."""

ABSENT = msgspec.Raw(b"")
"""A raw field that an event does not have."""

Facets = dict[str, msgspec.Raw]
_ZONE_NAME = re.compile(r"\[[^]]*]$")

_facets = msgspec.json.Decoder(Facets)


class Item(msgspec.Struct, gc=False):
    """An object whose content does not matter: counting such objects takes 24 bytes each."""


class PlanFacet(msgspec.Struct, gc=False):
    """The logical plan, still to be decoded."""

    plan: msgspec.Raw = ABSENT


class RunFacets(msgspec.Struct, gc=False, rename={"plan": "spark.logicalPlan"}):
    """The facets of a run that make an event large."""

    plan: PlanFacet | None = None


def digest(body: bytes) -> str:
    """16 hex digits that identify an (expanded) body."""
    return hashlib.sha256(body).hexdigest()[:16]


def check_required(run_id: str, job_namespace: str, job_name: str) -> None:
    """Check the names that every event needs.

    :raises BadEvent: one of them is empty or too long.
    """
    for path, text in (("$.run.runId", run_id), ("$.job.name", job_name)):
        if not text or text.isspace():
            raise BadEvent(path, "must not be empty")
    for path, text in (("$.run.runId", run_id), ("$.job.name", job_name), ("$.job.namespace", job_namespace)):
        if len(text) > LONGEST_NAME:
            raise BadEvent(path, f"must have at most {LONGEST_NAME} characters")


def unreadable(error: Exception) -> BadEvent:
    """Turn what msgspec raised for an event into a path and an expectation.

    A message of msgspec is ``Expected `str`, got `int` - at `$.run.runId` ``.
    """
    if isinstance(error, RecursionError):
        return BadEvent("$", "the body is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return BadEvent("$", f"the body must be one JSON object in UTF-8 ({error})")
    expectation, _, path = str(error).partition(" - at ")
    where = path.strip("`") or "$"
    missing = re.search(r"missing required field `([^`]+)`", expectation)
    if missing:
        return BadEvent(f"{where}.{missing[1]}", "is missing; every OpenLineage run event has it")
    return BadEvent(where, expectation.replace("`", ""))


def event_type(text: str | None) -> str:
    """One of ``EVENT_TYPES``; OTHER for any other text."""
    upper = (text or "OTHER")[:20].upper()
    return upper if upper in EVENT_TYPES else "OTHER"


def event_time(text: str) -> datetime:
    """A point in time in UTC; a text without a zone is taken as UTC, a zone name in brackets is dropped.

    :raises BadEvent: the text is no ISO 8601 time.
    """
    try:
        if len(text) > _LONGEST_TIME:
            raise ValueError
        time = datetime.fromisoformat(_ZONE_NAME.sub("", text.strip()))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadEvent("$.eventTime", "must be an ISO 8601 time such as 2024-01-31T12:00:00Z") from None


def raw_facets(raw: msgspec.Raw) -> Facets:
    """Facets, each still to be decoded, so that one of an odd shape does not cost the others."""
    try:
        return _facets.decode(raw)
    except UNREADABLE:
        return {}
