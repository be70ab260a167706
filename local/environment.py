"""The process environment, which the local stack reads and passes on.

The product reads its environment in core/settings.py alone. The local stack replaces Azure, which *sets* that
environment, so it needs access of its own; this is the only one.
"""

import os
from collections.abc import Mapping


def variables() -> dict[str, str]:
    """A copy of this process' environment."""
    return dict(os.environ)  # noqa: TID251  the stack makes the environment that core/settings.py reads


def add_missing(values: Mapping[str, str]) -> None:
    """Set each variable of `values` that is not set yet."""
    for name, value in values.items():
        os.environ.setdefault(name, value)  # noqa: TID251  as above
