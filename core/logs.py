"""Log lines that nobody can forge: control characters in what is logged are escaped."""

import logging
import re
from typing import Any

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def escape_arguments() -> None:
    """From now on, escape control characters in the arguments of log records: names in events come from outside."""
    make = logging.getLogRecordFactory()
    if getattr(make, "escapes", False):
        return

    def escaping(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = make(*arguments, **more)
        if isinstance(record.args, tuple):
            record.args = tuple(_escaped(value) for value in record.args)
        return record

    escaping.escapes = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(escaping)


def _escaped(value: object) -> object:
    text = value if isinstance(value, str) else str(value) if isinstance(value, BaseException) else None
    return value if text is None else _UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
