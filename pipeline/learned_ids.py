"""Maps the name and the GUID of a OneLake workspace or item to one asset, if some event contains both.

As for the facts of an application (see pipeline.shared_facts), any order of the events gives the same: a run first
notes which names it uses and then reads the GUIDs; a run that contains a GUID first writes it and then enqueues the
runs that use the name. The second one sees the first. Only a GUID that is new, or that replaces another one as the
newest, enqueues runs. A worker that has written names that it read before others learned more reads again (see
pipeline.run). GUIDs in the setting ONELAKE_IDS are not learned.
"""

import random
from collections.abc import Callable, Iterable, Mapping

from core.catalog_model import LearnedId
from core.identity import plain_name
from core.lineage_model import Lineage
from core.threads import in_threads
from parser.merge import MergedRun
from parser.onelake_ids import learned_ids, used_names, with_ids
from pipeline.services import Services
from qualified_names import context_maps

REASON = "an event contains the GUID of a OneLake name that it uses"
_SPREAD_SECONDS = 60
_AT_ONCE = 8


def with_learned_ids(
    run: MergedRun, lineages: Iterable[Lineage], services: Services
) -> tuple[tuple[Lineage, ...], Callable[[], bool]]:
    """The lineages of a run with the GUIDs of their names; the GUIDs in its own events are stored for others.

    Also returns a function that says whether the same GUIDs still count.

    :raises StorageUnavailable: storage does not answer; also when asked whether the same GUIDs count.
    """
    found = tuple(lineages)
    _learn(run, services)
    settings = services.naming.context.onelake_ids
    used = {name for lineage in found for name in used_names(lineage) if not context_maps.find(settings, name)}
    names = {plain_name(name): name for name in sorted(used)}
    in_threads(lambda name: services.onelake_names.note_use(name, run.run_key), names.values(), _AT_ONCE)
    known = _ids(names, services)
    return tuple(with_ids(lineage, known) for lineage in found), lambda: _guids(_ids(names, services)) == _guids(known)


_Ids = Mapping[str, tuple[LearnedId, ...]]


def _ids(names: Mapping[str, str], services: Services) -> _Ids:
    """The GUIDs of each name, by plain name."""
    found = in_threads(services.onelake_names.ids, names.values(), _AT_ONCE)
    return dict(zip(names, found, strict=True))


def _guids(known: _Ids) -> Mapping[str, list[str]]:
    """The GUIDs of each name in the order of their events, without the times, which rise with each event."""
    return {name: [item.guid for item in ids] for name, ids in known.items()}


def _learn(run: MergedRun, services: Services) -> None:
    """Keep the GUIDs that a run contains, and enqueue the runs for which one of them is new."""
    for item in learned_ids(run):
        if services.onelake_names.learn(item):
            for run_key in services.onelake_names.users(item.name):
                if run_key != run.run_key:
                    services.retries.enqueue_replay(run_key, REASON, random.uniform(0, _SPREAD_SECONDS))
            services.onelake_names.announced(item)
