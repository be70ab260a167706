"""How the text of each setting is read: by its name where only some values are allowed, else by its type."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.folder_address import FolderAddress
from core.setting_values import (
    at_most,
    flag,
    folders,
    mapping,
    one_of,
    patterns,
    positive,
    seconds,
    url,
    whole_number,
    words,
)


def parser_of(name: str, kind: str) -> Callable[[str], Any] | None:
    """The parser of the setting of this name and type; None for one that is read by other code."""
    return _BY_NAME.get(name) or _BY_TYPE.get(kind)


_WEEK = 7 * 24 * 3600
_YEARS = 100

_BY_NAME: Mapping[str, Callable[[str], Any]] = {
    "purview_endpoint": url,
    "purview_auth": one_of(("default", "none")),
    "expression_literals": one_of(("hide", "keep")),
    "user_names": one_of(("keep", "hash")),
    "event_compression": one_of(("none", "gzip")),
    "process_naming": one_of(("native", "sparklin", "accelerator")),
    "blob_trigger_source": one_of(("EventGrid", "LogsAndContainerScan")),
    "max_body_bytes": positive,
    "max_concurrent_uploads": positive,
    "max_expanded_bytes": positive,
    "max_expansion_ratio": positive,
    "max_separators": positive,
    "max_datasets": positive,
    "max_columns": positive,
    "max_plan_nodes": positive,
    "max_batch_items": at_most(10_000, least=1),
    "retry_first_delay_seconds": at_most(_WEEK, least=1),
    "retry_max_delay_seconds": at_most(_WEEK, least=1),
    "retry_give_up_hours": at_most(_YEARS * 365 * 24),
    "lineage_window_days": at_most(_YEARS * 365),
    "upload_refresh_days": at_most(_YEARS * 365),
    "settle_after_minutes": at_most(_YEARS * 365 * 24 * 60),
    "sweep_after_minutes": at_most(_YEARS * 365 * 24 * 60, least=1),
}
_BY_TYPE: Mapping[str, Callable[[str], Any]] = {
    str(str): str,
    str(int): whole_number,
    str(bool): flag,
    str(float): seconds,
    str(tuple[str, ...]): words,
    str(tuple[re.Pattern[str], ...]): patterns,
    str(tuple[FolderAddress, ...]): folders,
    str(Mapping[str, str]): mapping,
}
