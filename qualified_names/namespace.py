"""Parses an OpenLineage namespace into the parts of an address, so that no rule has to split texts.

Understands ``scheme://user@host:port/directory;key=value?key=value``, JDBC addresses with and without ``jdbc:``
(Oracle's ``thin:@`` forms and SQL Server's ``host\\instance`` among them), IPv6 hosts, and names without an
address such as ``dbfs`` or ``arn:aws:glue:…``, whose scheme is the text up to the first colon. Parts that cannot be
read are empty; nothing raises.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from core.memo import remembers_short

_SAME_SCHEME = {"abfs": "abfss", "wasb": "wasbs", "s3a": "s3", "s3n": "s3", "postgresql": "postgres"}
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<rest>.*)", re.DOTALL)
# Connectors that take a URL in place of a host: snowflake://https://account.snowflakecomputing.com
_SECOND_SCHEME = re.compile(r"(?<=[a-z])://https?://", re.IGNORECASE)
_ORACLE = re.compile(r"oracle:(?:thin|oci8?):?(?:(?:[^@/]*/[^@]*)?@)?(?:(?:tcps?|ldaps?):)?(?://)?", re.IGNORECASE)
# jTDS writes the database as a path and the instance as a parameter: host:1433/db;instance=x
_JTDS = re.compile(r"(?:jdbc:)?jtds:sqlserver:", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"(?P<scheme>oracle|mysql|mariadb)://(?:address=)?\(", re.IGNORECASE)
_BRACKET = re.compile(r"[(,]\s*(?P<key>HOST|PORT|SERVICE_NAME|SID)\s*=\s*(?P<value>[^(),\s]+)", re.IGNORECASE)
# DB2 writes its parameters behind a colon: host:50000/db:currentSchema=S;user=me
_AUTHORITY_END = re.compile(r"[/;?]|:(?=[A-Za-z_]+=[^@]*\Z)")
_TAIL_PIECE = re.compile(r"[;&?]|:(?=[A-Za-z_]+=)")


@dataclass(frozen=True, slots=True)
class Namespace:
    """An address in parts; ``directory`` has no slash at its ends, keys of ``properties`` are in lower case."""

    text: str
    scheme: str
    user: str = ""
    host: str = ""
    port: str = ""
    directory: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@remembers_short(1024)
def parse(text: str) -> Namespace:
    """Read a namespace; raw and normalised spellings give the same parts."""
    text = text.strip()
    address = _flat(_ORACLE.sub("oracle://", _SECOND_SCHEME.sub("://", _without_driver(text), count=1), count=1))
    match = _ADDRESS.fullmatch(address)
    if not match:
        return Namespace(text, address.partition(":")[0].lower())
    scheme = match["scheme"].lower()
    end = _AUTHORITY_END.search(match["rest"])
    cut = end.start() if end else len(match["rest"])
    user, _, host_and_port = match["rest"][:cut].rpartition("@")
    host, port, tail = _host(host_and_port)
    directory, properties = _tail(match["rest"][cut:])
    if _JTDS.match(text):
        database = {"database": directory} if directory else {}
        directory, properties = properties.get("instance", ""), {**database, **properties}
    return Namespace(
        text=text,
        scheme=_SAME_SCHEME.get(scheme, scheme),
        user=unquote(user),
        host=host,
        port=port,
        directory=tail or directory,
        properties=properties,
    )


def _without_driver(text: str) -> str:
    """A JDBC address without ``jdbc:``, and without the name of jTDS, whose addresses are SQL Server's."""
    return re.sub(r"^(?:jdbc:)?(?:jtds:)?", "", text, count=1, flags=re.IGNORECASE)


def _flat(address: str) -> str:
    """Addresses in brackets, ``(HOST=db)(PORT=1521)…(SERVICE_NAME=sales)``, as all others are written: the first host.

    Oracle writes them so, and MySQL, with the database behind them: ``address=(host=db)(port=3306)/shop``.
    """
    found = _IN_BRACKETS.match(address)
    if not found:
        return address
    values: dict[str, str] = {}
    for pair in _BRACKET.finditer(address):
        values.setdefault(pair["key"].upper(), pair["value"])
    path = values.get("SERVICE_NAME") or values.get("SID") or address.rpartition(")")[2].lstrip("/")
    return f"{found['scheme']}://{values.get('HOST', '')}:{values.get('PORT', '')}/{path}"


def _host(text: str) -> tuple[str, str, str]:
    """Host, port and further names of the server: the sid of ``host:1521:sid``, the instance of ``host\\instance``.

    The label ``privatelink`` is only a way to the same host.
    """
    bracketed = re.fullmatch(r"(\[[^]]*\])(?:\\([^:]*))?(?::(\d+))?", text)
    if bracketed:
        return bracketed[1].lower(), bracketed[3] or "", bracketed[2] or ""
    host, _, rest = text.removeprefix("tcp:").split(",")[0].partition(":")
    host, _, instance = host.partition("\\")
    port, _, sid = rest.partition(":")
    labels = [label for label in host.lower().rstrip(".").split(".") if label != "privatelink"]
    return ".".join(labels), port if port.isdigit() else "", instance or sid


def _tail(text: str) -> tuple[str, Mapping[str, str]]:
    """Directory and properties of what follows the host."""
    path, *pairs = _TAIL_PIECE.split(text)
    path = path.strip("/")
    # Teradata writes its parameters as a path: host/DATABASE=x,DBS_PORT=1025
    if re.fullmatch(r"[A-Za-z_]+=[^/]*", path):
        pairs, path = [*path.split(","), *pairs], ""
    properties: dict[str, str] = {}
    for key, value in _pairs(pairs):
        properties.setdefault(key, value)
    return path, properties


def _pairs(texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if equals and key.strip():
            yield key.strip().lower(), unquote(value.strip().removeprefix("{").removesuffix("}"))
