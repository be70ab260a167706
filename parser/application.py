"""Which application wrote: the part of a process' identity that must be the same for every run of a notebook or job.

It is the platform's id of the notebook or job if events contain one (see parser.artifacts); else the application's part
of the job name, without the tail that Synapse, Fabric or Data Factory add for each run. Tails are data below; a setting
extends them.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from core.lineage_model import Application
from core.operations import split_job_name
from core.user_names import without_users
from parser.artifacts import artifact
from parser.merge import MergedRun

_UUID = r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}"


def _split_hex(length: int) -> str:
    """Hex digits as agents up to 1.40 write them: with ``_`` behind every digit that a letter follows."""
    return rf"(?:\d(?:_(?=[a-f]))?|[a-f]){{{length}}}"


TAILS = (
    re.compile(r"_[a-z][a-z0-9]*_\d{10,}$", re.IGNORECASE),  # Synapse: notebook_pool_timestamp
    re.compile(rf"[-_]{_UUID}$", re.IGNORECASE),  # Fabric notebooks, Data Factory and pipeline runs
    re.compile("_" + "_".join(map(_split_hex, (8, 4, 4, 4, 12))) + "$", re.IGNORECASE),  # the same from old agents
    re.compile(r"[-_][0-9a-f]{32}$", re.IGNORECASE),  # the same id without separators
)


def application(run: MergedRun, more_tails: Iterable[re.Pattern[str]] = (), *, hash_users: bool = False) -> Application:
    """The application whose runs are shown as one process per sink.

    With ``hash_users``, its names contain pseudonyms of users, and it has no link if the link would contain a user.
    """
    found = artifact(run.properties, run.environment, run.job_namespace)
    name = without_tail(found.name or _from_job_name(run), more_tails)
    title = found.title if found.title != name else ""
    known = Application(run.job_namespace, name, found.id, title, found.link)
    return _without_users(known) if hash_users else known


def _without_users(known: Application) -> Application:
    hashed = replace(
        known,
        name=without_users(known.name),
        artifact=without_users(known.artifact),
        title=without_users(known.title),
    )
    return replace(hashed, link="") if hashed != known else known


def without_tail(name: str, more_tails: Iterable[re.Pattern[str]] = ()) -> str:
    """The name without a run-specific tail; a name that is only a tail stays as it is."""
    for tail in (*more_tails, *TAILS):
        match = tail.search(name)
        if match and match.start() > 0:
            return name[: match.start()]
    return name


def _from_job_name(run: MergedRun) -> str:
    parent = run.parent.name if run.parent else ""
    if parent and run.job_name.startswith(parent + "."):
        return parent
    return split_job_name(run.job_name).application
