"""Templates of the rules file: texts with ``{values}``, each optionally passed through functions, ``{host|upper}``.

A template is either filled completely or not at all: one value that is unknown, empty or refused by a function
(``{item|guid}`` for a text that is no GUID) makes the whole template unknown, and the next alternative is tried.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from core.catalog_model import NameContext
from core.identity import is_guid
from qualified_names import context_maps
from qualified_names.fields import instead

Function = Callable[[str, NameContext], str | None]
Lookup = Callable[[str], str | None]

_TOKEN = re.compile(r"\{(?P<name>[a-z][a-z0-9_.]*)(?P<functions>(?:\|[a-z0-9_]+)*)\}|(?P<double>\{\{|\}\})|[{}]")
_EXTENSION = re.compile(r"\.[^./]{2,5}$")


class TemplateError(ValueError):
    """A template that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A value within a template, and the functions it passes through."""

    name: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A template in pieces."""

    text: str
    pieces: tuple[str | Reference, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The values that the template needs."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Reference))

    def fill(self, lookup: Lookup, context: NameContext) -> str | None:
        """The text with all values in it; None if one of them is missing."""
        text = ""
        for piece in self.pieces:
            filled = piece if isinstance(piece, str) else _apply(piece, lookup(piece.name), context)
            if not filled:
                return None
            text += filled
        return text


def compile_template(text: str) -> Template:
    """Read a template.

    :raises TemplateError: for an unknown function, or a brace that belongs to no value.
    """
    return Template(text, tuple(_pieces(text)))


def _pieces(text: str) -> Iterator[str | Reference]:
    position = 0
    for token in _TOKEN.finditer(text):
        if token.start() > position:
            yield text[position : token.start()]
        position = token.end()
        if token["name"]:
            yield _reference(token, text)
        elif token["double"]:
            yield token["double"][0]
        else:
            raise TemplateError(
                f"{text!r} has a brace that is not part of a value; write values as {{host}}, and a brace as {{{{"
            )
    if position < len(text):
        yield text[position:]


def _reference(token: re.Match[str], text: str) -> Reference:
    functions = tuple(name for name in token["functions"].split("|") if name)
    for name in functions:
        if name not in FUNCTIONS:
            raise TemplateError(f"{text!r} uses the unknown function {name!r}; {instead(name, FUNCTIONS)}")
    return Reference(token["name"], functions)


def _apply(reference: Reference, value: str | None, context: NameContext) -> str | None:
    for function in reference.functions:
        value = FUNCTIONS[function](value, context) if value else None
    return value


def lower_extension(path: str) -> str:
    """The path with its file extension in lower case, as Purview keeps the paths of files."""
    return _EXTENSION.sub(lambda match: match[0].lower(), path)


def escape_braces(path: str) -> str:
    """The path with its braces escaped as Purview does, so that none counts as a resource set's placeholder."""
    return path.replace("{", "%7B").replace("}", "%7D")


def _guid(text: str) -> str | None:
    return text.lower() if is_guid(text) else None


FUNCTIONS: dict[str, Function] = {
    "lower": lambda text, _: text.lower(),
    "upper": lambda text, _: text.upper(),
    "encode": lambda text, _: quote(text, safe=""),
    "encode_path": lambda text, _: quote(text, safe="/"),
    "encode_blanks": lambda text, _: text.replace(" ", "%20"),
    "encode_slashes_twice": lambda text, _: text.replace("/", "%252F"),
    "decode": lambda text, _: unquote(text),
    "braces": lambda text, _: escape_braces(text),
    "extension": lambda text, _: lower_extension(text),
    "first_label": lambda text, _: text.partition(".")[0],
    "as_view": lambda text, _: text.removesuffix("_table") + "_view" if text.endswith("_table") else None,
    "guid": lambda text, _: _guid(text),
    "onelake_id": lambda text, context: context_maps.find(context.onelake_ids, text),
    "metastore_id": lambda text, context: context_maps.find(context.metastore_ids, text),
    "sql_kind": lambda text, context: context_maps.find(context.sql_kinds, text),
}
