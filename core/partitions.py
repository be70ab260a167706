"""Which folders at the end of a path are partitions of the dataset above them, by the rules of agents from 1.39 on.

Those agents cut such folders from the names they send; older ones leave them. Cutting them here as well gives one
dataset under both. The rules are the agent's own, also for what is a date: ``key=value``; a date
(``yyyy-MM-dd``, ``dd.MM.yyyy``, ``yyyyMMdd``), with or without a time; a month (``yyyyMM``, ``yyyy-MM``); and a month
or date spread over the last two or three folders (``2024/01``, ``2024/01/31``). A path's first folder is never cut.

Connectors write through staging folders of their own, new ones for each write: those of Databricks' connector to
Synapse (``<tempDir>/<date>/<time>/<guid>``) are cut as a whole, those of BigQuery's get one name.
"""

import re
from collections.abc import Sequence

#: A file that Spark or Hadoop writes: ``part-00000-<uuid>-c000.snappy.parquet``, ``part-r-00003.gz``.
PART_FILE = re.compile(r"part-(?:[rm]-)?\d{5}(?:[-.].*)?")

BIGQUERY_STAGING = ".spark-bigquery"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12,13}", re.IGNORECASE)
_TIME_FOLDER = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{2}(?:-[0-9]{1,6})?")

_DIGIT = re.compile("[0-9]")
_MONTH = r"(?!0000)[0-9]{4}-?(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_MONTH_FOLDER = re.compile(_MONTH)
_SPREAD_MONTH = re.compile(_MONTH.replace("-?", ""))
_SPREAD_DATE = re.compile(_MONTH.replace("-?", "") + _DAY)
# Ten or eight characters are tried at a time, as the agent does: what is not a date is skipped as a whole.
_DATE_SHAPES = tuple(map(re.compile, (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}", r"[0-9]{8}")))
_DATE = re.compile(
    rf"(?!0000)[0-9]{{4}}(?P<dash>-?)(?:0[1-9]|1[0-2])(?P=dash){_DAY}|{_DAY}\.(?:0[1-9]|1[0-2])\.(?!0000)[0-9]{{4}}"
)
_BESIDE_DATE = re.compile(r"[0-9\s:.\-]*")


def without_part_file(parts: Sequence[str]) -> list[str]:
    """The path without a part file at its end: Spark writes such files into the folder of a dataset."""
    return list(parts[:-1] if len(parts) > 1 and PART_FILE.fullmatch(parts[-1]) else parts)


def without_partitions(folders: Sequence[str]) -> list[str]:
    """The folders without those at the end that are partitions."""
    kept = list(folders)
    if kept and kept[0].startswith(BIGQUERY_STAGING + "-"):
        return [BIGQUERY_STAGING]
    if len(kept) > 3 and _GUID.fullmatch(kept[-1]) and _TIME_FOLDER.fullmatch(kept[-2]) and _is_date(kept[-3]):
        del kept[-3:]
    while count := _partitions(kept):
        del kept[-count:]
    return kept


def _partitions(folders: list[str]) -> int:
    """How many folders at the end make up one partition."""
    if len(folders) < 2:
        return 0
    # Blanks at the end of a name are dropped once the folder below is cut.
    last, before = folders[-1].strip(), folders[-3:-1]
    if last.count("=") == 1:
        return 1
    if last and not _DIGIT.search(last):
        return 0
    if _MONTH_FOLDER.fullmatch(last) or _is_date(last):
        return 1
    if len(folders) > 2 and _SPREAD_MONTH.fullmatch("".join([*before[-1:], last])):
        return 2
    return 3 if len(folders) > 3 and _SPREAD_DATE.fullmatch("".join([*before, last])) else 0


def _is_date(folder: str) -> bool:
    """Whether the folder's name has a date, and apart from it only digits, ``T``, ``Z`` and separators."""
    for shape in _DATE_SHAPES:
        for found in shape.finditer(folder):
            if _DATE.fullmatch(found[0]):
                rest = folder.replace(found[0], "", 1).replace("T", "", 1).replace("Z", "", 1)
                return _BESIDE_DATE.fullmatch(rest) is not None
    return False
