"""The version of the project; its number stands only here.

A package of a commit without the tag of that version has the commit added to it, as ``0.1.0+g1234567``
(scripts/app_package.py).
"""

VERSION = "0.1.0"


def is_same_release(version: str) -> bool:
    """Whether a version is this one, apart from the commit."""
    return version.partition("+")[0] == VERSION.partition("+")[0]
