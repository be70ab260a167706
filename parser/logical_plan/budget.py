"""How much work one plan may make.

A plan says much in few bytes: columns that are computed from all others, ``*`` over joins of ``*``. No plan of Spark's
comes near these limits; one that was made to exceed them is given up, and tables are connected without it.
"""

MOST_STEPS = 50_000_000
MOST_EDGES = 1_000_000
MOST_PAIRS = 2_000_000
MOST_COLUMNS = 200_000
MOST_CONDITIONS = 1_000


class PlanTooLargeError(Exception):
    """A plan that would take too long, or too much memory."""


def check(count: int, most: int) -> None:
    """Give up where there are too many.

    :raises PlanTooLargeError: if there are more than that.
    """
    if count > most:
        raise PlanTooLargeError
