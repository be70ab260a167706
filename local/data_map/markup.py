"""HTML with automatic escaping: plain text becomes HTML only through this module."""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Html | Iterable["Child"] | None


def html(child: Child) -> Html:
    """Joins children; texts are escaped, None is left out."""
    if child is None:
        return Html("")
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return Html(escape(child))
    return Html("".join(html(each) for each in child))


def tag(element: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """Returns an element. ``class_`` is class, ``data_key`` data-key; True stands alone, None is left out."""
    spelled = []
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            spelled.append(f" {attribute}")
        elif value is not None and value is not False:
            spelled.append(f' {attribute}="{escape(str(value))}"')
    opening = f"<{element}{''.join(spelled)}>"
    return Html(opening if element in _VOID else f"{opening}{html(children)}</{element}>")
