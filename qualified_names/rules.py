"""The rules that turn OpenLineage names into Purview names; they are data, checked when they are loaded.

Rules come from ``rules.toml`` beside this module, and from a file of the user's, whose rules are tried first, replace
shipped rules of the same name, and may remove others. docs/name-rules.md describes the format.
"""

from collections.abc import Iterable
from pathlib import Path

from core.errors import SettingsError
from core.settings import Settings
from qualified_names.rule import Rules
from qualified_names.rules_file import read, read_text

__all__ = ["SHIPPED", "Rules", "load", "of_settings"]

SHIPPED = Path(__file__).with_name("rules.toml")


def of_settings(settings: Settings) -> Rules:
    """The shipped rules, and those that the settings give as a file or as its text.

    :raises SettingsError: with a sentence for each fault, naming file, rule and field.
    """
    return load(settings.name_rules_file or None, settings.name_rules)


def load(extra_file: str | None = None, extra_text: str = "") -> Rules:
    """Read the shipped rules and, if given, the user's: a file, or the text of one.

    :raises SettingsError: with a sentence for each fault, naming file, rule and field.
    """
    shipped = read(SHIPPED, SHIPPED.name)
    if not extra_file and not extra_text:
        return Rules(shipped.rules)
    title = f"NAME_RULES_FILE {extra_file}" if extra_file else "NAME_RULES"
    own = read(Path(extra_file), title) if extra_file else read_text(extra_text, title)
    gone = {*own.remove, *(rule.name for rule in own.rules)}
    _check_removed(own.remove, (rule.name for rule in shipped.rules), title)
    return Rules((*own.rules, *(rule for rule in shipped.rules if rule.name not in gone)))


def _check_removed(remove: Iterable[str], known: Iterable[str], title: str) -> None:
    names = tuple(known)
    problems = tuple(
        f"{title}: remove names {name!r}, which is not a shipped rule" for name in remove if name not in names
    )
    if problems:
        raise SettingsError(problems)
