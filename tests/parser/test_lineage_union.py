"""The union of lineages of one sink."""

from typing import Any

import pytest

from core.event_model import ColumnRef, Dataset, DatasetId, Field, Symlink
from core.lineage_model import Application, IndirectUse, Lineage, Note, SinkColumn
from parser.lineage import LineageRules, derive
from parser.lineage_union import united
from parser.merge import merge
from tests.support.corpus import events
from tests.support.lineage import runs_of
from tests.support.tiers import recorded


@pytest.mark.parametrize("scenario", recorded("plans", "agents"))
def test_one_lineage_alone_is_its_own_union(scenario: str) -> None:
    for run in runs_of(events(scenario)):
        for lineage in derive(merge(run), LineageRules()).lineages:
            assert united([lineage]) == lineage


SINK, SOURCE = DatasetId("abfss://lake", "t"), DatasetId("abfss://lake", "s")


def dataset(*fields: str, name: DatasetId = SINK, **more: Any) -> Dataset:
    return Dataset(name, tuple(Field(field, "string") for field in fields), **more)


def lineage(sink: Dataset | None = None, **more: Any) -> Lineage:
    return Lineage(
        application=Application("ns", "nb"), operation="insert", sink=sink or dataset(),
        **{"inputs": (dataset(name=SOURCE),), "columns": (), **more},
    )  # fmt: skip


def column(*sources: str, name: str = "a", **more: Any) -> SinkColumn:
    return SinkColumn(name, tuple(ColumnRef(SOURCE, source) for source in sources), **more)


def use(name: str, kind: str = "FILTER") -> IndirectUse:
    return IndirectUse(ColumnRef(SOURCE, name), kind)


LINK = (Symlink("hive://m", "db.t", "TABLE"),)


@pytest.mark.parametrize(
    ("datasets", "expected"),
    [
        ([dataset("a"), dataset("a")], dataset("a")),
        ([dataset("a", "b"), dataset("c", "b"), dataset("a", "c", "d")], dataset("a", "b", "c", "d")),
        ([dataset(), dataset("a"), dataset()], dataset("a")),
        ([dataset(), dataset(symlinks=LINK)], dataset(symlinks=LINK)),
        ([dataset("a"), dataset(storage_layer="delta")], dataset("a", storage_layer="delta")),
        ([dataset("a"), dataset(is_folder=True)], dataset("a", is_folder=True)),
    ],
)
def test_a_dataset_has_what_any_of_its_lineages_knows_of_it(datasets: list[Dataset], expected: Dataset) -> None:
    assert united([lineage(each) for each in datasets]).sink == expected
    assert united([lineage(inputs=(each,)) for each in datasets]).inputs == (expected,)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([column("x"), column("z", "x")], column("x", "z")),
        ([column(indirect=(use("z"),)), column(indirect=(use("a"), use("z")))], column(indirect=(use("a"), use("z")))),
        # The newest text counts; a column is constant only if it is so everywhere.
        ([column(expression="new"), column(expression="old")], column(expression="new")),
        ([column(), column(expression="old")], column(expression="old")),
        ([column(constant=True), column(constant=True)], column(constant=True)),
        ([column(constant=True), column("x")], column("x")),
    ],
)
def test_a_column_has_the_sources_of_all_lineages(columns: list[SinkColumn], expected: SinkColumn) -> None:
    assert united([lineage(columns=(each,)) for each in columns]).columns == (expected,)


def test_the_text_of_a_run_that_lists_its_inputs_goes_before_that_of_one_that_lists_none() -> None:
    outer = lineage(inputs=(), columns=(column(expression="outer"),), conditions=("outer",))
    inner = lineage(columns=(column(expression="inner"),), conditions=("inner", "more"))
    found = united([outer, inner])
    assert (found.columns[0].expression, found.conditions) == ("inner", ("inner", "more"))
    assert united([outer, outer]).conditions == ("outer",)


def test_all_other_parts_of_lineages_are_united() -> None:
    one = lineage(
        indirect=(use("z"),), conditions=("b",), notes=(Note("one", "1"),), mount_points=(("/mnt/b", "b"),),
        onelake_ids=(("w", "new"),),
    )  # fmt: skip
    other = lineage(
        indirect=(use("a"), use("z")), conditions=("a", "b"), notes=(Note("two", "2"), Note("one", "1")),
        mount_points=(("/mnt/a", "a"), ("/mnt/b", "b")), onelake_ids=(("w", "old"), ("v", "v")),
        inputs=(dataset(name=DatasetId("abfss://lake", "r")),),
    )  # fmt: skip
    assert united([one, other]) == lineage(
        indirect=(use("a"), use("z")), conditions=("b", "a"), notes=(Note("one", "1"), Note("two", "2")),
        mount_points=(("/mnt/a", "a"), ("/mnt/b", "b")), onelake_ids=(("v", "v"), ("w", "new")),
        inputs=(dataset(name=DatasetId("abfss://lake", "r")), dataset(name=SOURCE)),
    )  # fmt: skip
