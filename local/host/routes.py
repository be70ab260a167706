"""Route templates as ASP.NET matches them: `v1/lineage/{run:guid}`, `{id:int?}`, `{*rest}`; without case.

The more literal template wins. An optional parameter that is absent has no key. `{{` and `}}` stand for braces
in a constraint's argument.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from local.host.errors import HostError

_PARAMETER = re.compile(r"\{((?:[^{}]|\{\{|\}\})+)\}")
_CONSTRAINT = re.compile(r":(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?")

# Precedence of a segment, best first; the order of ASP.NET's RoutePrecedence.
_LITERAL, _CONSTRAINED, _FREE, _CATCH_ALL = range(4)

Check = Callable[[str], bool]


def _regular(expression: str) -> Callable[[str], Check]:
    pattern = re.compile(expression, re.IGNORECASE)
    return lambda _argument: lambda value: pattern.fullmatch(value) is not None


def _length(argument: str) -> Check:
    low, _, high = argument.partition(",")
    return lambda value: int(low) <= len(value) <= int(high or low)


def _between(argument: str) -> Check:
    low, _, high = argument.partition(",")
    return lambda value: _is_integer(value) and int(low) <= int(value) <= int(high)


def _is_integer(value: str) -> bool:
    return re.fullmatch(r"[+-]?\d+", value) is not None


_CONSTRAINTS: Mapping[str, Callable[[str], Check]] = {
    "int": lambda _: lambda value: _is_integer(value) and -(2**31) <= int(value) < 2**31,
    "long": lambda _: lambda value: _is_integer(value) and -(2**63) <= int(value) < 2**63,
    "alpha": _regular(r"[a-z]*"),
    "bool": _regular(r"true|false"),
    "guid": _regular(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?"),
    "decimal": _regular(r"[+-]?\d+(\.\d+)?"),
    "double": _regular(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?"),
    "float": _regular(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?"),
    "required": lambda _: bool,
    "length": _length,
    "minlength": lambda argument: lambda value: len(value) >= int(argument),
    "maxlength": lambda argument: lambda value: len(value) <= int(argument),
    "range": _between,
    "min": lambda argument: lambda value: _is_integer(value) and int(value) >= int(argument),
    "max": lambda argument: lambda value: _is_integer(value) and int(value) <= int(argument),
    "regex": lambda argument: lambda value: re.search(_unescaped(argument), value, re.IGNORECASE) is not None,
}


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed template: an expression for the path, the checks of its parameters, and its precedence."""

    template: str
    expression: re.Pattern[str]
    checks: tuple[tuple[str, Check], ...]
    precedence: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters if `path` (encoded, without slash at its ends) fits, else None."""
        found = self.expression.fullmatch(path)
        if found is None:
            return None
        values = {name: _decoded(value) for name, value in found.groupdict().items() if value}
        if all(check(values[name]) for name, check in self.checks if name in values):
            return values
        return None


def parse_route(template: str) -> Route:
    """Read a template.

    :raises HostError: when its braces don't fit or it has a constraint that isn't known.
    """
    # The segments' separators belong to the segments, since an optional one takes its slash with it.
    pieces: list[str] = []
    checks: list[tuple[str, Check]] = []
    precedence: list[int] = []
    for number, segment in enumerate(_segments(template.strip("/"))):
        piece, rank, optional = _segment(segment, template, checks)
        slash = "/" if number else ""
        pieces.append(f"(?:{slash}{piece})?" if optional else slash + piece)
        precedence.append(rank)
    return Route(template, re.compile("".join(pieces), re.IGNORECASE), tuple(checks), tuple(precedence))


_T = TypeVar("_T")


def in_order(routes: Iterable[tuple[Route, _T]]) -> list[tuple[Route, _T]]:
    """Routes in the order in which they are tried: the more literal first."""
    return sorted(routes, key=lambda item: item[0].precedence)


def _segments(template: str) -> list[str]:
    """Split at slashes outside braces."""
    depth, segments = 0, [""]
    for character in template:
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            segments.append("")
        else:
            segments[-1] += character
    return segments


def _segment(segment: str, template: str, checks: list[tuple[str, Check]]) -> tuple[str, int, bool]:
    """The expression of one segment, its precedence, and whether it may be absent."""
    piece, rank, optional, end = "", _LITERAL, False, 0
    for parameter in _PARAMETER.finditer(segment):
        piece += _literal(segment[end : parameter.start()], template)
        end = parameter.end()
        name, catch_all, missing_ok, found = _parameter(parameter.group(1), template)
        checks.extend((name, check) for check in found)
        piece += f"(?P<{name}>{'.*' if catch_all else '[^/]+'})"
        optional = optional or missing_ok or catch_all
        rank = max(rank, _CATCH_ALL if catch_all else _CONSTRAINED if found else _FREE)
    return piece + _literal(segment[end:], template), rank, optional


def _parameter(text: str, template: str) -> tuple[str, bool, bool, list[Check]]:
    """Name, whether it takes the rest of the path, whether it may be absent, and its checks."""
    catch_all = text.startswith("*")
    optional = text.endswith("?")
    name, colon, rest = text.lstrip("*").removesuffix("?").partition(":")
    if not name.isidentifier():
        raise HostError(f"Route {template}: {name} is no parameter name")
    checks: list[Check] = []
    for constraint in _CONSTRAINT.finditer(colon + rest):
        kind = constraint.group(1)
        if kind not in _CONSTRAINTS:
            raise HostError(f"Route {template}: the constraint {kind} is not known")
        checks.append(_CONSTRAINTS[kind](constraint.group(2) or ""))
    return name, catch_all, optional, checks


def _literal(text: str, template: str) -> str:
    if "{" in text or "}" in text:
        raise HostError(f"Route {template}: its braces don't fit")
    return re.escape(text)


def _decoded(value: str) -> str:
    # ASP.NET leaves an encoded slash as it is.
    return unquote(re.sub("%2F", "%252F", value, flags=re.IGNORECASE))


def _unescaped(argument: str) -> str:
    return argument.replace("{{", "{").replace("}}", "}").replace("\\\\", "\\")
