"""Names of files, folders and sets of files: what Purview's scans call the place that Spark names by a path.

Decisions, in this order:
1. No path: the container itself.
2. Known to be a folder (Spark wrote it, part files or partition folders were cut, or it is a Delta, Iceberg or Hudi
   table): a folder.
3. The last segment ends in an extension of a data file: a file. Where it is only read, it may be a folder of that name
   (``people.parquet``), which no name can tell; the folder's names are looked up after the file's.
4. Everything else: a folder, in which Spark keeps a set of files.

What is created for a folder is its resource set, as a scan of Spark's output gives; for a file it is the path. Purview
keeps a file's extension in lower case; a folder's name stays as it is, ``Orders.CSV`` too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from core.model import AssetName
from qualified_names.resource_sets import SPARK_PARTITIONS, generalised
from qualified_names.templates import escape_braces, lower_extension

# Formats that systems hand over as one file.
_DATA_FILES = re.compile(
    r"avro|bin|bz2|csv|ctl|dat|deflate|docx|fwf|gz|html|jpe?g|json|jsonl|log|lz4|mp3|mp4|ndjson|orc|parquet|pdf|png"
    r"|psv|sas7bdat|snappy|ssv|tab|tiff?|tsv|txt|wav|xlsx?|xml|ya?ml|zip|zst",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StoreNames:
    """One store's container, in Purview's spelling, and its types; a type that is "" does not exist there."""

    base: str
    path: str
    root: str
    folder: str
    file: str
    resource_set: str


def is_file(path: str) -> bool:
    """Whether the path's last segment looks like a data file's name."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return bool(dot and stem and _DATA_FILES.fullmatch(extension))


def file_names(store: StoreNames, *, is_folder: bool) -> tuple[AssetName, ...]:
    """The names under which a path may be known in one store, the likeliest first."""
    path = store.path.strip("/")
    if not path:
        return (AssetName(store.root, store.base),) if store.root else (AssetName(store.folder, f"{store.base}/"),)
    if not is_folder and is_file(path):
        return tuple(dict.fromkeys([*_file(store, path), *_folder(store, path)]))
    names = [*_folder(store, path), *_decoded(store, path)]
    return tuple(dict.fromkeys(names))


def _file(store: StoreNames, path: str) -> Iterator[AssetName]:
    escaped = escape_braces(path)
    yield AssetName(store.file or store.folder, f"{store.base}/{lower_extension(escaped)}")
    for pattern in _patterns(path, is_file=True):
        if store.resource_set and pattern != escaped:
            yield AssetName(store.resource_set, f"{store.base}/{pattern}")


def _folder(store: StoreNames, path: str) -> Iterator[AssetName]:
    escaped = escape_braces(path)
    if store.resource_set:
        for pattern in (escaped, *_patterns(path, is_file=False)):
            yield AssetName(store.resource_set, f"{store.base}/{pattern}/{SPARK_PARTITIONS}")
    yield AssetName(store.folder, f"{store.base}/{escaped}/")
    yield AssetName(store.folder, f"{store.base}/{escaped}")


def _patterns(path: str, *, is_file: bool) -> Iterator[str]:
    """The resource set's patterns; braces of the path itself are told apart from those of placeholders."""
    hidden = path.replace("{", "\ue000").replace("}", "\ue001")
    for pattern in generalised(hidden, is_file=is_file):
        yield pattern.replace("\ue000", "%7B").replace("\ue001", "%7D")


def _decoded(store: StoreNames, path: str) -> Iterator[AssetName]:
    """A path with percent signs may be an encoded one; scans keep blanks and umlauts as they are."""
    plain = unquote(path)
    if plain != path:
        yield from _folder(store, plain)
