"""Look-ups in the maps of settings and events; keys are compared without regard to case, blanks or ``%20``.

Some agents encode twice: a blank may also be ``%2520``.
"""

from collections.abc import Iterable, Mapping

from core.identity import plain_name


def find(mapping: Mapping[str, str], key: str) -> str | None:
    """The value of the key; None if there is none."""
    exact = mapping.get(key)
    if exact:
        return exact
    plain = _plain(key)
    return next((value for name, value in sorted(mapping.items()) if value and _plain(name) == plain), None)


def with_learned(settings: Mapping[str, str], learned: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The values of the settings, and those from events that no setting gives."""
    return {**{key: value for key, value in learned if not find(settings, key)}, **settings}


def single(mapping: Mapping[str, str]) -> str | None:
    """The value of a mapping with only one value, whatever its key."""
    values = {value for value in mapping.values() if value}
    return values.pop() if len(values) == 1 else None


def _plain(key: str) -> str:
    text = key.strip()
    if "://" in text:
        text = text.partition("://")[2]
    return plain_name(text).rstrip("/")
