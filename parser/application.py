"""Which application wrote: the part of a process' identity that must be the same for every run of a notebook or job.

On Databricks the notebook path, without the commit of a Git source, or the job says it. Elsewhere it is the
application's part of the job name. The tail that Synapse, Fabric or Data Factory add anew for each run is cut. Tails
are data below; a setting extends them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.model import Application
from core.operations import split_job_name
from parser.merge import MergedRun

_UUID = r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}"

TAILS = (
    re.compile(r"_[a-z][a-z0-9]*_\d{10,}$", re.IGNORECASE),  # Synapse: notebook_pool_timestamp
    re.compile(rf"[-_]{_UUID}$", re.IGNORECASE),  # Fabric notebooks, Data Factory and pipeline runs
    re.compile(r"[-_][0-9a-f]{32}$", re.IGNORECASE),  # the same id without separators
)

#: Where Databricks puts the notebooks of a job with a Git source: a folder of its own for each commit.
_GIT_CHECKOUT = re.compile(r"^(Repos/\.internal/[^/]+)_commits/[0-9a-f]{7,64}(?=/)", re.IGNORECASE)


def application(run: MergedRun, more_tails: Iterable[re.Pattern[str]] = ()) -> Application:
    """The application whose runs are shown as one process per sink."""
    name = _databricks(run.environment) or _from_job_name(run)
    return Application(run.job_namespace, without_tail(name, more_tails))


def without_tail(name: str, more_tails: Iterable[re.Pattern[str]] = ()) -> str:
    """The name without a run-specific tail; a name that is nothing but a tail stays as it is."""
    for tail in (*more_tails, *TAILS):
        match = tail.search(name)
        if match and match.start() > 0:
            return name[: match.start()]
    return name


def _databricks(environment: Mapping[str, Any]) -> str:
    path = environment.get("spark.databricks.notebook.path")
    if isinstance(path, str) and path.strip("/ "):
        return _GIT_CHECKOUT.sub(r"\1", path.strip("/ "))
    job = environment.get("spark.databricks.job.id")
    return f"job {job}" if isinstance(job, str | int) and str(job) else ""


def _from_job_name(run: MergedRun) -> str:
    parent = run.parent.name if run.parent else ""
    if parent and run.job_name.startswith(parent + "."):
        return parent
    return split_job_name(run.job_name).application
