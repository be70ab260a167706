"""Log lines that queries can read and nobody can forge."""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from typing import Any

_json = json.JSONEncoder(ensure_ascii=False)
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def escape_arguments() -> None:
    """From now on, escape control characters in the arguments of log records: names in events come from outside.

    The lines of a traceback are indented, so that none of them looks like a record of its own.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "escapes", False):
        return

    def escaping(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = make(*arguments, **more)
        if isinstance(record.args, tuple):
            record.args = tuple(_escaped(value) for value in record.args)
        elif record.args:
            record.args = {key: _escaped(value) for key, value in record.args.items()}
        if record.exc_info and record.exc_info[0]:
            trace = "".join(traceback.format_exception(*record.exc_info))
            record.exc_text = "\n".join(f"  {_UNFIT.sub(spelled, line)}" for line in trace.rstrip().split("\n"))
        return record

    escaping.escapes = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(escaping)


def step(
    log: logging.Logger, name: str, outcome: str, facts: Mapping[str, str | int], level: int = logging.INFO
) -> None:
    """Log the outcome of a step for an event, run or process, as one line: ``step`` and a JSON object.

    Queries on Azure read the object from the line, since the Functions host passes on no other fields of a record.
    """
    shown = _json.encode({"step": name, "outcome": outcome, **facts})
    if not shown.isprintable():
        # Lone surrogates, which no log can contain, become JSON's escapes.
        shown = _UNFIT.sub(spelled, shown).encode("utf-8", "backslashreplace").decode("utf-8")
    log.log(level, "step %s", shown)


def _escaped(value: object) -> object:
    text = value if isinstance(value, str) else str(value) if isinstance(value, BaseException) else None
    return value if text is None else _UNFIT.sub(spelled, text)


def spelled(match: re.Match[str]) -> str:
    """A character that was found, as ``\\u`` or ``\\U`` and its code in hex."""
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
