"""How large a request may be. One above a limit is refused with 413, naming the limit and its setting.

A few kilobytes of gzip can contain millions of values, and each costs memory and time behind the receiver. So the
limits count bytes, values, columns and plan nodes, and are checked before anything is decoded. The largest event that
users have reported passes: 23.5 MB, 69 times its size on the wire, 110,000 nodes of a logical plan, 1.0 million commas
and opening brackets.
"""

from dataclasses import dataclass

from core.errors import BadRequest
from core.event_model import Envelope
from core.event_width import width
from core.settings import Settings

LARGE_BODY = 1024 * 1024
"""Bytes from which a body is large: one such body at a time is in a worker's memory, and its ratio is checked."""

_SEPARATORS = (b",", b"[", b"{")
# `{},` for a column, `"num-children"` for a node.
_SHORTEST_COLUMN = 3
_SHORTEST_NODE = 14


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest body in bytes, on the wire and expanded, and the limits of all other counts.

    ``max_expansion_ratio`` (expanded to wire) counts for large bodies only, ``max_separators`` limits the commas and
    opening brackets of a body, ``max_columns`` those of schemas and column lineage together.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    max_expanded_bytes: int = 32 * 1024 * 1024
    max_expansion_ratio: int = 200
    max_separators: int = 2_000_000
    max_datasets: int = 20_000
    max_columns: int = 250_000
    max_plan_nodes: int = 250_000
    max_batch_items: int = 1_000

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that the settings ask for."""
        return cls(**{name: getattr(settings, name) for name in cls.__slots__})

    @property
    def longest_narrow_event(self) -> int:
        """The size in bytes up to which an event cannot have too many columns or plan nodes."""
        return min(_SHORTEST_COLUMN * self.max_columns, _SHORTEST_NODE * self.max_plan_nodes)


def check_separators(body: bytes, limits: Limits) -> None:
    """Check the number of values in an expanded body.

    :raises BadRequest: with status 413: there are too many.
    """
    if len(body) <= limits.max_separators:
        return
    found = sum(body.count(sign) for sign in _SEPARATORS)
    if found > limits.max_separators:
        raise _too_many("commas and opening brackets in the body", found, "MAX_SEPARATORS", limits.max_separators)


def check_datasets(envelope: Envelope, limits: Limits) -> None:
    """Check how many inputs and outputs an event has.

    :raises BadRequest: with status 413: there are too many.
    """
    found = envelope.inputs + envelope.outputs
    if found > limits.max_datasets:
        raise _too_many("inputs and outputs in the event", found, "MAX_DATASETS", limits.max_datasets)


def check_width(event: bytes, limits: Limits) -> None:
    """Check how many columns and plan nodes an event lists.

    :raises BadRequest: with status 413: there are too many.
    :raises BadEvent: the event is no JSON.
    """
    if len(event) <= limits.longest_narrow_event:
        return
    found = width(event)
    if found.columns > limits.max_columns:
        raise _too_many("columns in the event", found.columns, "MAX_COLUMNS", limits.max_columns)
    if found.plan_nodes > limits.max_plan_nodes:
        raise _too_many("nodes in the logical plan", found.plan_nodes, "MAX_PLAN_NODES", limits.max_plan_nodes)


def _too_many(what: str, found: int, setting: str, most: int) -> BadRequest:
    """The refusal of a request with more of something than a setting allows."""
    return BadRequest(413, f"{found} {what}; {setting} allows {most}")
