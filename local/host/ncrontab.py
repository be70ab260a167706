"""NCRONTAB: `second minute hour day month weekday`, each `*`, `*/n`, `n`, `a-b`, `a-b/n` or a list of those.

Weekdays count from Sunday = 0; names (JAN, MON) are allowed too. Times are UTC, as in Azure. When both day and
weekday are restricted, both must fit.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that each field allows."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, time: datetime) -> datetime:
        """The first time after `time` (UTC) that fits.

        :raises ValueError: when there is none within eight years (30 February).
        """
        moment = time.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        limit = moment + timedelta(days=366 * _YEARS_AHEAD)
        while moment < limit:
            if not self._fits_day(moment):
                moment = _midnight(moment) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0, second=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment = moment.replace(second=0) + timedelta(minutes=1)
            elif moment.second not in self.seconds:
                moment += timedelta(seconds=1)
            else:
                return moment
        raise ValueError("the schedule never comes due")

    def _fits_day(self, moment: datetime) -> bool:
        weekday = (moment.weekday() + 1) % 7
        return moment.month in self.months and moment.day in self.days and weekday in self.weekdays


def parse_schedule(expression: str) -> Schedule:
    """Read an expression of six fields, or of five (then at second 0).

    :raises ValueError: naming the field that can't be read.
    """
    fields = expression.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise ValueError(f"{expression!r} must have six fields, not {len(fields)}")
    return Schedule(
        _values(fields[0], 0, 59),
        _values(fields[1], 0, 59),
        _values(fields[2], 0, 23),
        _values(fields[3], 1, 31),
        _values(fields[4], 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
        _values(fields[5], 0, 6, {name: number for number, name in enumerate(_WEEKDAYS)}),
    )


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    return frozenset(value for item in field.split(",") for value in _range(item, low, high, names or {}))


def _range(item: str, low: int, high: int, names: dict[str, int]) -> range:
    span, _, step = item.partition("/")
    first, dash, last = span.partition("-")
    try:
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else (high if step else start)
        values = range(start, end + 1, int(step or 1))
    except ValueError:
        raise ValueError(f"{item!r} is no schedule field") from None
    if start < low or end > high or start > end:
        raise ValueError(f"{item!r} is outside {low} to {high}")
    return values


def _number(text: str, names: dict[str, int]) -> int:
    return names.get(text.upper(), -1) if text.isalpha() else int(text)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0)
