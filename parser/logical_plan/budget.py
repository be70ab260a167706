"""How much work one plan may make.

A few bytes of a plan can mean much work: columns that are computed from all others, ``*`` over joins of ``*``. No plan
of Spark comes near these limits; one that exceeds them is skipped, and tables are connected without it.
"""

MOST_STEPS = 50_000_000
MOST_EDGES = 1_000_000
MOST_PAIRS = 2_000_000
MOST_COLUMNS = 200_000
MOST_CONDITIONS = 1_000


class PlanTooLargeError(Exception):
    """A plan that would take too long, or too much memory."""


def check(count: int, most: int) -> None:
    """Check a count against its limit.

    :raises PlanTooLargeError: if there are more than that.
    """
    if count > most:
        raise PlanTooLargeError
