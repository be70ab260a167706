"""The datasets of a catalogue that a text may name."""

import pytest

from cli.tasks import lineage_graphs
from cli.tasks.lineage_graphs import candidates_in_catalog
from pipeline.services import Services
from tests.support.events import body, dataset, event
from tests.support.universe import Universe


@pytest.fixture
def drawn(universe: Universe) -> Universe:
    """A universe whose process writes ``{name}-t``."""
    written = dataset(f"{universe.name}-t", ["a"], {"a": [(f"{universe.name}-s", "x")]})
    universe.deliver(body(event(inputs=[dataset(f"{universe.name}-s", ["x"])], outputs=[written])))
    return universe


def found(text: str, services: Services) -> dict[str, list[str]]:
    """The short names of the datasets with their columns; no process comes with them."""
    graph = candidates_in_catalog(text, services.catalog)
    assert graph.processes == ()
    return {each.name: [column.name for column in each.columns] for each in graph.datasets}


def test_an_exact_name_or_else_words_find_datasets_with_their_columns(drawn: Universe, services: Services) -> None:
    sink, source = {f"{drawn.name}-t": ["a"]}, {f"{drawn.name}-s": ["x"]}
    whole = f"https://contosolake.dfs.core.windows.net/data/{drawn.name}-t/{{SparkPartitions}}"

    assert found(whole, services) == sink
    assert found(f"{whole}.a", services) == sink
    assert found(f"{drawn.name}-t", services) == sink
    assert found(f"{drawn.name}-s.x", services) == source
    assert found(drawn.name, services) == sink | source
    assert found("...", services) == {}


def test_only_some_assets_are_read(drawn: Universe, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage_graphs, "_MOST_ASSETS", 1)

    assert len(found(drawn.name, services)) == 1
