"""The location of a dataset, which is determined before the rules are applied.

In this order: one spelling (core.identity); a path in the namespace of a file store is put before the name; an https
address of Azure Storage or OneLake is written as Spark does it, with the container before the host; in paths, what
Spark and table formats add below a dataset's folder is cut (``_delta_log``, ``_temporary``, ``part-00000-….csv``), what
a glob leaves open, and then ``key=value`` folders once more; a Databricks mount is replaced by its source, the longest
mount that fits first.

If something is cut, or the name ends with a slash, it is a folder, even if its name looks like a file's. Slashes and
``key=value`` folders are seen only in the name as the agent sent it, since the one spelling has none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.event_model import DatasetId
from core.identity import dataset_id, is_file_namespace, is_folder_name, namespace_spelling
from core.lineage_model import Note
from core.partitions import PART_FILE
from core.secrets import without_signature
from qualified_names.namespace import Namespace, parse

# Names that Spark, Delta, Hudi and Iceberg give to folders of their own below a dataset's folder.
_BOOKKEEPING = (
    "_delta_log", "_delta_index", "_change_data", "_checkpoints", "_temporary", "_spark_metadata", "_committed",
    "_started", "_success", "_symlink_format_manifest", ".hoodie",
)  # fmt: skip
_BOOKKEEPING_PREFIXES = (".spark-staging", "_committed_", "_started_")
# What Iceberg keeps below a table: metadata/v3.metadata.json, metadata/snap-….avro, data/00000-0-<uuid>-00001.parquet.
_ICEBERG = re.compile(
    r"metadata/(?:[^/]*\.metadata\.json(?:\.gz)?|(?:snap-|[0-9a-f-]{36}-m\d+)[^/]*\.avro|version-hint\.text)"
    r"|data/(?:[^/=]+=[^/]*/)*\d{5}-\d+-[0-9a-f-]{36}[^/]*"
)
_GLOB = re.compile(r"\*|\{[^{}]*,[^{}]*\}")
_CONTAINER_HOST = re.compile(r"(?:.+\.)?(?P<service>dfs|blob)\.(?:core\..+|storage\.azure\.net|fabric\.microsoft\.com)")
_MOUNTABLE = ("dbfs", "file")
# scheme://authority/path, dbfs:/path and file:/path; a query (?key=value) is no part of the path.
_LOCATION = re.compile(
    r"(?P<store>(?:dbfs|file)(?=:/[^/])|[A-Za-z][A-Za-z0-9+.\-]*://[^/?;]*):?/(?P<path>.*?)"
    r"(?P<properties>[?;&][^=/;&?]+=.*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Location:
    """A dataset's address in parts.

    ``is_folder`` is true if it is known to be a folder, even if the name looks like a file's; ``note`` reports an
    unknown mount.
    """

    id: DatasetId
    namespace: Namespace
    is_folder: bool = False
    note: Note | None = None


def place(dataset: DatasetId, mount_points: Mapping[str, str], *, is_folder: bool = False) -> Location:
    """The place of a dataset, whatever its spelling."""
    own = _dataset_folder(dataset)
    mounted = _mounted(own, mount_points)
    if mounted:
        source = _dataset_folder(mounted)
        own = replace(source, is_folder=source.is_folder or own.is_folder)
    elif own.namespace.scheme == "dbfs" and _mount_name(own.id).startswith("/mnt/"):
        own = replace(own, note=_unknown_mount(own.id))
    return replace(own, is_folder=True) if is_folder and not own.is_folder else own


def _dataset_folder(raw: DatasetId) -> Location:
    raw = _container_first(_path_in_name(DatasetId(raw.namespace, without_signature(raw.name))))
    dataset = dataset_id(raw.namespace, raw.name)
    namespace = parse(dataset.namespace)
    if not _has_paths(dataset.namespace):
        return Location(dataset, namespace)
    parts = dataset.name.split("/")
    kept = _kept(parts)
    if kept < len(parts):
        return Location(dataset_id(dataset.namespace, "/".join(parts[:kept])), namespace, is_folder=True)
    return Location(dataset, namespace, is_folder=is_folder_name(raw.namespace, raw.name))


def _path_in_name(raw: DatasetId) -> DatasetId:
    """The dataset with the namespace's path before its name; some agents split a table's location there."""
    found = _LOCATION.fullmatch(namespace_spelling(raw.namespace))
    if not found or not found["path"] or not _has_paths(found["store"]):
        return raw
    return DatasetId(found["store"] + (found["properties"] or ""), f"{found['path']}/{raw.name}")


def _container_first(raw: DatasetId) -> DatasetId:
    """``https://lake.dfs.core.windows.net`` and ``raw/crm`` as ``abfss://raw@lake…`` and ``crm``."""
    if "http" not in raw.namespace.lower():
        return raw
    address = parse(raw.namespace)
    found = _CONTAINER_HOST.fullmatch(address.host) if address.scheme in ("https", "http") else None
    container, _, path = raw.name.strip().lstrip("/").partition("/")
    if not found or not container:
        return raw
    scheme = "abfss" if found["service"] == "dfs" else "wasbs"
    return DatasetId(f"{scheme}://{container}@{address.host}", path)


def _has_paths(namespace: str) -> bool:
    return is_file_namespace(namespace) or parse(namespace).scheme in ("https", "http")


def _kept(parts: list[str]) -> int:
    """How many parts belong to the dataset itself; all parts if a glob would leave none."""
    for index, part in enumerate(parts):
        if _GLOB.search(part):
            return index
        if not index:
            continue
        if part.lower() in _BOOKKEEPING or part.lower().startswith(_BOOKKEEPING_PREFIXES):
            return index
        if part in ("metadata", "data") and _ICEBERG.fullmatch("/".join(parts[index:])):
            return index
    return len(parts) - 1 if len(parts) > 1 and PART_FILE.fullmatch(parts[-1]) else len(parts)


def _mounted(own: Location, mount_points: Mapping[str, str]) -> DatasetId | None:
    """The dataset's name at the source of the longest mount around it; None if no mount is known."""
    if not mount_points or own.namespace.scheme not in _MOUNTABLE:
        return None
    name = _mount_name(own.id)
    mounts = {f"/{mount.strip('/')}": source for mount, source in mount_points.items()}
    for mount in sorted(mounts, key=len, reverse=True):
        rest = name[len(mount) :] if name == mount or name.startswith(mount.rstrip("/") + "/") else None
        # Databricks lists mounts without an address as well: "/" at "DatabricksRoot".
        if rest is not None and "://" in mounts[mount]:
            return DatasetId(mounts[mount], rest)
    return None


def _mount_name(dataset: DatasetId) -> str:
    """The path within dbfs; on a Databricks node ``/dbfs`` is where dbfs appears among the files."""
    name = dataset.name
    if parse(dataset.namespace).scheme == "file":
        name = name.removeprefix("dbfs/")
    return f"/{name}"


def _unknown_mount(dataset: DatasetId) -> Note:
    mount = "/".join(_mount_name(dataset).split("/")[:3])
    return Note(
        "mount-unknown",
        f"The source of the mount {mount} is unknown: the event's environment-properties facet lists no such mount "
        "point, so the name of the dbfs path is used.",
        dataset,
    )
