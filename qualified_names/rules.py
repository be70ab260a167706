"""The rules that turn names of OpenLineage into names of Purview: data, checked when they are loaded.

Rules come from ``rules.toml`` beside this module, and from a file of the user's, whose rules are tried first, replace
shipped rules of the same name, and may remove others. docs/name-rules.md describes the format.
"""

from collections.abc import Iterable
from pathlib import Path

from core.errors import SettingsError
from qualified_names.rule import Rules
from qualified_names.rules_file import read

__all__ = ["SHIPPED", "Rules", "load"]

SHIPPED = Path(__file__).with_name("rules.toml")


def load(extra_file: str | None = None) -> Rules:
    """Read the shipped rules and, if given, the user's.

    :raises SettingsError: with a sentence for each fault, naming file, rule and field.
    """
    shipped = read(SHIPPED, SHIPPED.name)
    if not extra_file:
        return Rules(shipped.rules)
    own = read(Path(extra_file), f"NAME_RULES_FILE {extra_file}")
    gone = {*own.remove, *(rule.name for rule in own.rules)}
    _check_removed(own.remove, (rule.name for rule in shipped.rules), extra_file)
    return Rules((*own.rules, *(rule for rule in shipped.rules if rule.name not in gone)))


def _check_removed(remove: Iterable[str], known: Iterable[str], file: str) -> None:
    names = tuple(known)
    problems = tuple(
        f"NAME_RULES_FILE {file}: remove names {name!r}, which is no shipped rule"
        for name in remove
        if name not in names
    )
    if problems:
        raise SettingsError(problems)
