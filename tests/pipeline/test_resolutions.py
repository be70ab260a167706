"""Names are resolved once: one call resolves each dataset of a run, whatever happens to the run."""

from collections import Counter

import pytest

from core.catalog_model import NameContext, Resolution
from core.event_model import Dataset
from pipeline import processes
from qualified_names import resource_sets
from qualified_names.resolve import resolve
from qualified_names.resource_sets import generalised
from qualified_names.rules import Rules
from tests.support.corpus import SPARK_35, bodies
from tests.support.events import body, dataset, event
from tests.support.universe import Universe

pytestmark = pytest.mark.usefixtures("no_faults_left")


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each dataset was resolved."""
    counts: Counter[str] = Counter()

    def counting(each: Dataset, context: NameContext, rules: Rules) -> Resolution:
        counts[each.id.name] += 1
        return resolve(each, context, rules)

    monkeypatch.setattr(processes, "resolve", counting)
    return counts


ONE_WRITE = body(event(inputs=[dataset("s", ["x"])], outputs=[dataset("t", ["a"], {"a": [("s", "x")]})]))


@pytest.mark.parametrize("sent", [[ONE_WRITE], bodies(f"{SPARK_35}/tutorial_customer_master")[-2:]])
def test_a_dataset_of_a_new_process_is_resolved_once(
    universe: Universe, resolved: Counter[str], sent: list[bytes]
) -> None:
    universe.deliver_all(sent)
    assert len(resolved) >= 2
    assert set(resolved.values()) == {1}


def test_what_other_runs_of_the_process_read_is_resolved_once_more(universe: Universe, resolved: Counter[str]) -> None:
    for number in range(3):
        resolved.clear()
        written = dataset("t", ["a"], {"a": [(f"s{number}", "x")]})
        universe.deliver(
            body(event(run=f"{number}", minute=number, inputs=[dataset(f"s{number}", ["x"])], outputs=[written]))
        )
    assert sorted(name.rpartition("/")[2] for name in resolved) == ["s0", "s1", "s2", "t"]
    assert set(resolved.values()) == {1}


def test_the_characters_of_a_segment_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    original = resource_sets._Counts.of

    def counting(segment: str) -> object:
        counted.append(segment)
        return original(segment)

    monkeypatch.setattr(resource_sets._Counts, "of", counting)
    assert generalised("raw/day=2024-05-06/plain")[0] == "raw/day={Year}-{Month}-{Day}/plain"
    assert counted == ["raw", "day=2024-05-06", "day={Year}-{Month}-{Day}", "plain"]
