"""Shares facts between runs of one application, in any order of their events.

A run that lacks a fact notes that it waits, then reads the facts of others. A run with facts writes them, then enqueues
the runs that wait. The second one sees the first. The facts of a run come from its own events alone, so a run that is
derived again has the same ones, and enqueues no other. A worker that has written lineage from facts that others have
since extended reads again (see pipeline.run).
"""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from core.event_model import Dataset
from parser.application_facts import ApplicationFacts, Needs, RunFacts, united
from parser.lineage import Derived, derive
from parser.merge import MergedRun
from pipeline.services import Services
from storage.facts_table import MOST_UNITS, Fact
from storage.text import units

REASON = "another run of its application says what its own events do not contain"
_SPREAD_SECONDS = 5
#: The most micro-batches that are read: those that ended first after the run.
_MOST_BATCHES = 20
_MOST_LEAVES = 50
_decoder = msgspec.json.Decoder(RunFacts)


def derive_in_application(run: MergedRun, services: Services) -> tuple[Derived, Callable[[], bool]]:
    """What the run wrote, using facts of other runs of its application; its own facts are stored for them.

    Also returns a function that says whether the facts of the others are still the same.

    :raises StorageUnavailable: storage does not answer; that function raises it too.
    """
    derived = derive(run, services.lineage_rules)
    application = run.ref.application_run
    if not application:
        return derived, lambda: True
    _announce(application, run, derived.facts, services)
    if not derived.needs:
        return derived, lambda: True
    spans = list(_wanted(run, derived.needs))
    services.facts.wait(application, run.run_key, [first for first, _, _ in spans])
    facts = _known(application, run, spans, services)
    found = derive(run, services.lineage_rules, facts) if facts else derived
    return found, lambda: _known(application, run, spans, services) == facts


def _known(
    application: str, run: MergedRun, spans: Iterable[tuple[str, str, int]], services: Services
) -> ApplicationFacts | None:
    """The facts of others that the run lacks; None if there are none."""
    known: list[Fact] = []
    for first, last, most in spans:
        known += services.facts.facts(application, first, last, most)
    found = [_decoder.decode(fact.text) for fact in known if fact.run_key != run.run_key]
    return united(found) if found else None


def _wanted(run: MergedRun, needs: Needs) -> Iterator[tuple[str, str, int]]:
    """The first and last topic, and how many facts, for each thing that a run lacks."""
    for topic in (*map(_table, sorted(needs.tables)), *map(_leaf, sorted(needs.leaves)[:_MOST_LEAVES])):
        yield topic, topic, 100
    if needs.batch:
        yield _batch(run.ended), "batch-9", _MOST_BATCHES


def _announce(application: str, run: MergedRun, facts: RunFacts, services: Services) -> None:
    """Write the facts of the run, and enqueue the runs that wait for them."""
    texts = dict(_texts(facts))
    if not texts and not any(event.plan for event in run.events):
        return
    digest = sha256(msgspec.json.encode(texts, order="sorted")).hexdigest() if texts else ""
    if services.facts.is_closed(application, run.run_key, digest):
        return
    services.facts.put(application, run.run_key, texts)
    for run_key in sorted(_waiting(application, facts, texts.keys(), services) - {run.run_key}):
        services.retries.enqueue_replay(run_key, REASON, random.uniform(0, _SPREAD_SECONDS))
    services.facts.close(application, run.run_key, texts, digest)


def _waiting(application: str, facts: RunFacts, topics: Iterable[str], services: Services) -> set[str]:
    waiting: list[Fact] = []
    for topic in map(_table, facts.tables):
        waiting += services.facts.waiting(application, topic, topic)
    if facts.leaves:
        known = set(topics)
        waiting += (each for each in services.facts.waiting(application, "leaf-", "leaf-~") if each.topic in known)
    if facts.batch:
        waiting += services.facts.waiting(application, _batch(facts.batch.started), _batch(facts.batch.ended))
    return {each.run_key for each in waiting}


def _texts(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Each fact by its topic; a table with too many columns is without them, a batch that is too large is left out."""
    for name, dataset in facts.tables.items():
        text = _text(RunFacts(tables={name: dataset}))
        bare = _text(RunFacts(tables={name: Dataset(dataset.id)}))
        yield _table(name), text if units(text) <= MOST_UNITS else bare
    for key, own in facts.leaves.items():
        yield _leaf(key), _text(RunFacts(leaves={key: own}))
    if facts.batch:
        text = _text(RunFacts(batch=facts.batch))
        if units(text) <= MOST_UNITS:
            yield _batch(facts.batch.ended), text


def _text(facts: RunFacts) -> str:
    return msgspec.json.encode(facts).decode()


def _table(name: str) -> str:
    return f"table-{_hash(name)}"


def _leaf(key: str) -> str:
    return f"leaf-{_hash(key)}"


def _batch(time: datetime) -> str:
    return f"batch-{time.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
