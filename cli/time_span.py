"""Time spans as users type them."""

import re
from datetime import UTC, datetime, timedelta

import typer

_AGO = re.compile(r"(?P<number>\d{1,6}) ?(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def since(text: str, option: str = "--since") -> datetime:
    """The start (UTC) of a time span such as ``90m``, ``2h``, ``3d`` or an ISO time; a time without zone is UTC.

    :raises typer.BadParameter: the text is none of these.
    """
    now = datetime.now(UTC)
    try:
        ago = _AGO.fullmatch(text.strip())
        if ago:
            return now - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
        time = datetime.fromisoformat(text.strip())
        if time.year < 2000:
            raise ValueError("before any event")
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "give minutes, hours or days back (90m, 2h, 3d) or a time (2024-05-01T12:00Z)", param_hint=option
        ) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
