"""The dbfs mounts that the names of a run need, out of the hundreds that a Databricks workspace may have."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.event_model import Dataset


def mount_points(environment: Mapping[str, Any], datasets: Iterable[Dataset]) -> tuple[tuple[str, str], ...]:
    """(mount, source) of each mount that is a folder above one of the datasets, sorted."""
    paths = ["/" + dataset.id.name for dataset in datasets if _may_be_mounted(dataset)]
    listed = environment.get("mountPoints")
    mounts = listed if isinstance(listed, list) and paths else []
    pairs = {(mount.get("mountPoint"), mount.get("source")) for mount in mounts if isinstance(mount, dict)}
    needed = [
        (mount, source)
        for mount, source in pairs
        if isinstance(mount, str) and isinstance(source, str) and any(_is_below(path, mount) for path in paths)
    ]
    return tuple(sorted(needed))


def _may_be_mounted(dataset: Dataset) -> bool:
    return dataset.id.namespace.partition("://")[0] in ("dbfs", "file")


def _is_below(path: str, folder: str) -> bool:
    return (path + "/").startswith(folder.rstrip("/") + "/")
