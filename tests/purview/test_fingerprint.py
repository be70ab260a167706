"""Equal fingerprints mean that nothing would change in the catalogue."""

from typing import Any

import pytest

from core.catalog_model import AssetName
from core.event_model import Field
from core.lineage_model import Application, IndirectUse, Lineage, Note
from core.replacing import replace
from purview import dataset_entities
from purview.fingerprint import fingerprints
from tests.purview.helpers import column, dataset, folder, lineage, resolve_all

A, B, SINK = folder("raw/a"), folder("raw/b"), folder("gold/sales")
BASE = lineage(
    dataset(SINK, "one", "two"),
    dataset(A, "x", "y"),
    dataset(B, "z"),
    columns=[column("one", (A, "x"), (B, "z")), column("two", (A, "y"))],
    notes=[Note("a", "A."), Note("b", "B.")],
)


def of(item: Lineage, collection: str = "") -> str:
    return fingerprints(item, resolve_all(item), collection).current


def test_differs_from_that_of_earlier_versions() -> None:
    current, older = of(BASE), fingerprints(BASE, resolve_all(BASE)).older
    assert current.startswith("draft:")
    assert len(bytes.fromhex(older)) == len(bytes.fromhex(current.removeprefix("draft:"))) == 32


def test_an_attribute_that_is_added_to_an_entity_makes_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    before, dataset_entity = of(BASE), dataset_entities._dataset

    def with_owner(*arguments: Any) -> Any:
        entity = dataset_entity(*arguments)
        return {**entity, "attributes": {**entity["attributes"], "owner": "Spark"}}

    monkeypatch.setattr(dataset_entities, "_dataset", with_owner)
    assert of(BASE) != before


def test_order_makes_no_difference() -> None:
    other = replace(
        BASE,
        sink=dataset(SINK, "two", "one"),
        inputs=tuple(reversed(BASE.inputs)),
        columns=tuple(replace(each, sources=each.sources[::-1]) for each in reversed(BASE.columns)),
        notes=BASE.notes[::-1],
    )
    assert of(other) == of(BASE)


def test_what_is_not_shown_makes_no_difference() -> None:
    columns = tuple(replace(each, indirect=(IndirectUse(each.sources[0], "FILTER"),)) for each in BASE.columns)
    assert of(replace(BASE, columns=columns)) == of(BASE)


def test_a_filter_for_another_day_makes_no_difference() -> None:
    monday, tuesday = (replace(BASE, conditions=(f"WHERE: day = '2024-05-0{day}'",)) for day in (6, 7))
    assert of(monday) == of(tuesday) != of(BASE)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, application=Application("spark", "other")),
        replace(BASE, operation="overwrite"),
        replace(BASE, sink=dataset(B, "one", "two")),
        replace(BASE, inputs=BASE.inputs[:1]),
        replace(BASE, columns=BASE.columns[:1]),
        replace(BASE, columns=tuple(replace(each, expression="x + 1") for each in BASE.columns)),
        replace(BASE, notes=()),
        replace(BASE, sink=replace(BASE.sink, fields=(Field("one", "int"), Field("two", "string")))),
        replace(BASE, sink=replace(BASE.sink, fields=())),
    ],
)
def test_what_is_shown_makes_a_difference(other: Lineage) -> None:
    assert of(other) != of(BASE)


def test_collection_and_candidates_make_a_difference() -> None:
    assert of(BASE, "abcdef") != of(BASE)
    resolutions = resolve_all(BASE)
    resolutions[A] = replace(resolutions[A], candidates=(*resolutions[A].candidates, AssetName("DataSet", "x")))
    assert fingerprints(BASE, resolutions).current != of(BASE)


def test_fingerprints_of_earlier_versions_are_unchanged() -> None:
    """Otherwise every process is uploaded again by its next run, all at once."""
    assert fingerprints(BASE, resolve_all(BASE)).older[:16] == "d361abe7a76b8c84"
