"""One spelling for each dataset and run, so that equal ones compare equal.

Agents write the same dataset differently: with or without a leading slash (up to and from 1.51),
abfs or abfss, doubled or trailing slashes, hosts in any case, partition directories kept (up to 1.37) or cut. A
part file is its folder: streams and schema inference name the files that they read.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from urllib.parse import unquote

from core.event_model import DatasetId
from core.memo import remembers_short
from core.partitions import without_part_file, without_partitions
from core.secrets import without_secrets, without_signature

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GUID = re.compile(_UUID.pattern, re.IGNORECASE)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*)://")
_SAME_SCHEME = {"abfs": "abfss", "wasb": "wasbs", "s3a": "s3", "s3n": "s3", "postgresql": "postgres"}
_FILE_SCHEMES = {"abfss", "wasbs", "s3", "gs", "hdfs", "adl", "dbfs", "file", "viewfs", "oss", "cos"}


def dataset_id(namespace: str, name: str) -> DatasetId:
    """The identity of the dataset that an agent calls ``namespace`` and ``name``; it contains no secret."""
    space, name = _with_database(namespace_spelling(namespace), without_signature(name))
    path = "/".join(part for part in name.strip().split("/") if part).strip()
    if is_file_namespace(space):
        path = "/".join(without_partitions(without_part_file(path.split("/")))).strip()
    return DatasetId(space, path)


@remembers_short(1024)
def namespace_spelling(namespace: str) -> str:
    """The one spelling of a namespace that can be spelled without the name; it contains no secret."""
    return _namespace(without_secrets(namespace.strip()))


def is_guid(text: str) -> bool:
    """Whether a text is a GUID, in either case."""
    return _GUID.fullmatch(text) is not None


def plain_name(name: str) -> str:
    """One form for all spellings of a name in OneLake: agents differ in case, and encode blanks once or twice."""
    return unquote(unquote(name)).casefold()


def is_folder_name(namespace: str, name: str) -> bool:
    """Whether a path, as the agent sent it, can only be a folder; its one spelling no longer shows that."""
    if name.rstrip().endswith("/"):
        return bool(name.strip().strip("/"))
    parts = [part for part in name.strip().split("/") if part]
    kept = without_partitions(without_part_file(parts))
    return is_file_namespace(namespace.strip()) and len(kept) < len(parts)


def is_file_namespace(namespace: str) -> bool:
    """Whether names of this namespace are paths of files and folders."""
    return namespace.partition("://")[0].lower() in _FILE_SCHEMES


def column_name(namespace: str, name: str) -> str:
    """A column's name as catalogues spell it: agents up to 1.48 send those of Snowflake in quotes."""
    if namespace.lower().startswith("snowflake:"):
        return unquoted(name)
    return name


def unquoted(name: str) -> str:
    """A name without the double quotes around it; doubled ones within stand for one."""
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name


def run_key(run_id: str) -> str:
    """A run id as part of keys and blob names: the lower-case UUID, else ``x-`` and 32 hex digits of its SHA-256."""
    if _UUID.fullmatch(run_id):
        return run_id
    try:
        if len(run_id) == 36:
            return str(uuid.UUID(run_id))
    except ValueError:
        pass
    return "x-" + hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _namespace(namespace: str) -> str:
    match = _SCHEME.match(namespace)
    if not match:
        return namespace.rstrip("/")
    scheme = match[1].lower()
    scheme = _SAME_SCHEME.get(scheme, scheme)
    rest = namespace[match.end() :].rstrip("/")
    authority = re.split(r"[/;?]", rest, maxsplit=1)[0]
    user, at, host = authority.rpartition("@")
    # An instance of SQL Server, host\instance, keeps its case, as it does where agents write it as a path.
    host, slash, instance = host.partition("\\")
    return f"{scheme}://{user}{at}{host.lower()}{slash}{instance}{rest[len(authority) :]}"


def _with_database(namespace: str, name: str) -> tuple[str, str]:
    """Agents up to 0.18 leave SQL Server's connection string in the namespace; later ones put its database in the name.

    The rest of the string (encryption, time-outs, even passwords) is no part of the dataset, but for the instance. A
    query (``COMPLEX``, ``(select …) q``) is left as it is.
    """
    if not namespace.startswith("sqlserver://") or ";" not in namespace or _is_query(name):
        return namespace, name
    server, *properties = namespace.split(";")
    values: dict[str, str] = {}
    for key, _, value in (item.partition("=") for item in properties):
        values.setdefault(key.strip().lower(), value.strip().removeprefix("{").removesuffix("}"))
    if server == "sqlserver://":
        server += _server(values)
    instance = f";instanceName={values['instancename']}" if values.get("instancename") else ""
    database = values.get("database") or values.get("databasename")
    if not database:
        return server + instance, name
    known = name.strip().lower().startswith((database.lower() + ".", f"[{database.lower()}]."))
    if known:
        return server + instance, name
    return server + instance, f"{f'[{database}]' if ' ' in database else database}.{name.strip()}"


def _is_query(name: str) -> bool:
    return name.endswith("COMPLEX") or name.lstrip().lower().startswith(("(", "select "))


def _server(values: Mapping[str, str]) -> str:
    """The address from JDBC's properties, if none precedes them."""
    host = values.get("servername") or values.get("server") or ""
    port = values.get("portnumber") or values.get("port") or ""
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    return f"{host.lower()}:{port}" if port else host.lower()
