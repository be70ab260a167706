"""The host's log: one line a record on stderr, with the function and the invocation it belongs to."""

import contextvars
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: `function invocation-id` of the running invocation; threads that a function starts itself don't have it.
_invocation: contextvars.ContextVar[str] = contextvars.ContextVar("invocation", default="")

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}


@contextmanager
def invocation(function: str, invocation_id: str) -> Iterator[None]:
    """Mark every log record in this block as one of that invocation."""
    token = _invocation.set(f"{function} {invocation_id}")
    try:
        yield
    finally:
        _invocation.reset(token)


def configure(levels: Mapping[str, str]) -> None:
    """Log to stderr at host.json's levels: `Function` for the app (else `default`), `Host` for the host."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(invocation)s%(name)s: %(message)s"))
    handler.addFilter(_mark)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(_level(levels, "Function"))
    logging.getLogger("local.host").setLevel(_level(levels, "Host"))


def _mark(record: logging.LogRecord) -> bool:
    running = _invocation.get()
    record.invocation = f"[{running}] " if running else ""
    # The host polls with the same storage clients as the app, whose log lines would be lost among the host's.
    return bool(running) or not record.name.startswith("azure.") or record.levelno >= logging.WARNING


def _level(levels: Mapping[str, str], category: str) -> int:
    name = levels.get(category, levels.get("default", "Information"))
    return _LEVELS.get(name.lower(), logging.INFO)
