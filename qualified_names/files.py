"""Names of files, folders and sets of files: what Purview's scans call the place behind a path of Spark.

Decisions, in this order:
1. No path: the container itself.
2. Known to be a folder (Spark wrote it, part files or partition folders were cut, or it is a Delta, Iceberg or Hudi
   table): a folder.
3. The last segment ends in an extension of a data file: a file. If it is only read, it may be a folder of that name
   (``people.parquet``), which no name shows; the folder's names are looked up after the file's.
4. Everything else: a folder, in which Spark keeps a set of files.

For a folder its resource set is created, as by a scan of Spark's output; for a file, its path. Purview
keeps a file's extension in lower case; a folder's name stays as it is, ``Orders.CSV`` too.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from core.catalog_model import AssetName
from qualified_names.resource_sets import SPARK_PARTITIONS, generalised
from qualified_names.templates import escape_braces, lower_extension

# Formats that systems deliver as one file.
_DATA_FILES = re.compile(
    r"avro|bin|bz2|csv|ctl|dat|deflate|docx|fwf|gz|html|jpe?g|json|jsonl|log|lz4|mp3|mp4|ndjson|orc|parquet|pdf|png"
    r"|psv|sas7bdat|snappy|ssv|tab|tiff?|tsv|txt|wav|xlsx?|xml|ya?ml|zip|zst",
    re.IGNORECASE,
)


class StoreNames(NamedTuple):
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


def file_names(stores: Iterable[StoreNames], *, is_folder: bool) -> Iterator[AssetName]:
    """The names that a path may have in each of the stores, the likeliest first."""
    below: dict[str, tuple[_Name, ...]] = {}
    for store in stores:
        path = store.path.strip("/")
        if not path:
            yield AssetName(store.root, store.base) if store.root else AssetName(store.folder, f"{store.base}/")
            continue
        if path not in below:
            below[path] = tuple(_names_below(path, is_folder=is_folder))
        yield from (name for each in below[path] if (name := each.in_store(store)))


class _Name(NamedTuple):
    """A name below a store's container, and the kind of thing that it names."""

    kind: Literal["file", "folder", "resource_set"]
    text: str

    def in_store(self, store: StoreNames) -> AssetName | None:
        """The whole name; None if the store has no assets of this kind."""
        name = f"{store.base}/{self.text}"
        if self.kind == "file":
            return AssetName(store.file or store.folder, name)
        if self.kind == "folder":
            return AssetName(store.folder, name)
        return AssetName(store.resource_set, name) if store.resource_set else None


def _names_below(path: str, *, is_folder: bool) -> Iterator[_Name]:
    if not is_folder and is_file(path):
        yield from _file(path)
        yield from _folder(path)
    else:
        yield from _folder(path)
        yield from _decoded(path)


def _file(path: str) -> Iterator[_Name]:
    escaped = escape_braces(path)
    yield _Name("file", lower_extension(escaped))
    yield from (_Name("resource_set", pattern) for pattern in _patterns(path, is_file=True) if pattern != escaped)


def _folder(path: str) -> Iterator[_Name]:
    escaped = escape_braces(path)
    for pattern in (escaped, *_patterns(path, is_file=False)):
        yield _Name("resource_set", f"{pattern}/{SPARK_PARTITIONS}")
    yield _Name("folder", f"{escaped}/")
    yield _Name("folder", escaped)


def _patterns(path: str, *, is_file: bool) -> Iterator[str]:
    """The resource set's patterns; braces of the path itself are distinguished from those of placeholders."""
    hidden = path.replace("{", "\ue000").replace("}", "\ue001")
    for pattern in generalised(hidden, is_file=is_file):
        yield pattern.replace("\ue000", "%7B").replace("\ue001", "%7D")


def _decoded(path: str) -> Iterator[_Name]:
    """A path with percent signs may be an encoded one; scans keep blanks and umlauts as they are."""
    plain = unquote(path)
    if plain != path:
        yield from _folder(plain)
