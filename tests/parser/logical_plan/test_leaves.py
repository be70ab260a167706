"""Which dataset each leaf of a plan is, rule by rule, and what stays unknown."""

import pytest

from core.event_model import ColumnRef, Dataset, DatasetId, Field, Symlink
from core.identity import dataset_id
from parser.logical_plan.leaves import (
    AmbiguousLeaves,
    assign,
    fits,
    from_facet,
    has_name,
    left_over,
    managed_beside,
    queries,
    renaming,
    twins,
)
from parser.logical_plan.walker import Leaf

LAKE = "abfss://data@contosolake.dfs.core.windows.net"
JDBC = "postgres://host:5432"


def leaf(*columns: str, table: str = "", **more: bool) -> Leaf:
    return Leaf(tuple((column, "string") for column in columns), table, **more)  # type: ignore[arg-type]


def dataset(name: str, *columns: str, namespace: str = LAKE, table: str = "", kind: str = "TABLE") -> Dataset:
    links = (Symlink("hive://metastore", table, kind),) if table else ()
    fields = tuple(Field(column, "string") for column in columns)
    return Dataset(dataset_id(namespace, name), fields, symlinks=links)


ORDERS, XS = dataset("orders", "a", "b", namespace=JDBC), dataset("items", "x", namespace=JDBC)
ONE, TWO, TWIN = dataset("one", "a", "b"), dataset("two", "k"), dataset("twin", "a", "b")


def only(*datasets: Dataset) -> frozenset[DatasetId]:
    return frozenset(each.id for each in datasets)


@pytest.mark.parametrize(
    ("read", "namespace", "columns", "expected"),
    [
        (leaf("a"), LAKE, ("a", "b"), True),
        (leaf("A"), LAKE, ("a",), True),
        (leaf("a", "c"), LAKE, ("a", "b"), False),
        (leaf("a", "c"), LAKE, (), True),
        # Of a database a leaf may be any query, unless it has all columns, or a scan says that it left some out.
        (leaf("a", "b"), JDBC, ("b", "a"), True),
        (leaf("a"), JDBC, ("a", "b"), False),
        (leaf("a", pruned=True), JDBC, ("a", "b"), True),
        (leaf("c", pruned=True), JDBC, ("a", "b"), False),
    ],
)
def test_whether_a_schema_allows_that_a_leaf_reads_a_dataset(
    read: Leaf, namespace: str, columns: tuple[str, ...], expected: bool
) -> None:
    assert fits(read, dataset("x", *columns, namespace=namespace)) is expected


@pytest.mark.parametrize(
    ("read", "datasets", "expected"),
    [
        (leaf("a"), [dataset("t", "a", "b", namespace=JDBC)], True),
        (leaf("a", "b"), [dataset("t", "a", "b", namespace=JDBC)], False),
        (leaf("a"), [ONE, dataset("t", "x", namespace=JDBC)], False),
        (leaf("z"), [ONE, dataset("t", "x", namespace=JDBC)], True),
        (leaf("z"), [ONE], False),
        (leaf("a", table="db.t"), [dataset("t", "a", "b", namespace=JDBC)], False),
    ],
)
def test_a_leaf_that_reads_no_input_directly_may_be_a_query_of_a_database(
    read: Leaf, datasets: list[Dataset], expected: bool
) -> None:
    read_by_others = {1: only(*datasets)}
    assert queries([read], datasets, read_by_others) == (frozenset({0}) if expected else frozenset())


def test_an_open_leaf_may_be_a_query_of_a_table_that_no_leaf_reads_as_it_is() -> None:
    read = [leaf("a", "b"), leaf("a", "b"), leaf("a", "b", table="db.t")]
    assert queries(read, [ONE, ORDERS], {0: only(ONE)}) == {1}
    assert queries(read, [ONE, ORDERS], {0: only(ORDERS)}) == frozenset()
    assert queries(read, [ONE, TWO], {0: only(ONE)}) == frozenset()


@pytest.mark.parametrize(
    ("found", "copied", "named", "expected"),
    [
        ({0: only(ORDERS)}, (0, "a"), [(ORDERS, "A")], False),
        ({0: only(ORDERS)}, (0, "a"), [(ORDERS, "b")], True),
        ({0: only(ORDERS)}, (0, "a"), [(ORDERS, "a"), (ORDERS, "b")], True),
        ({0: only(ORDERS)}, (0, "a"), [(ONE, "b")], False),
        ({0: only(ORDERS)}, (0, "a"), [], False),
        ({0: only(ONE)}, (0, "a"), [(ONE, "b")], False),
        ({0: only(ONE)}, (0, "a"), [(ORDERS, "b")], False),
        # A leaf whose dataset is open.
        ({}, (0, "a"), [(ORDERS, "b")], True),
        ({}, (0, "a"), [(ORDERS, "a")], False),
        ({}, (0, "a"), [(ONE, "b")], False),
        ({1: only(ORDERS)}, (1, "a"), [(ORDERS, "b")], False),
    ],
)
def test_a_query_of_a_database_renames_what_the_facet_names_otherwise(
    found: dict[int, frozenset[DatasetId]],
    copied: tuple[int, str],
    named: list[tuple[Dataset, str]],
    expected: bool,
) -> None:
    read = [leaf("a", "b"), leaf("a", "b", table="db.t")]
    refs = [ColumnRef(each.id, column) for each, column in named]
    assert bool(renaming(read, found, [(copied, refs)])) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (dataset("warehouse/sales.db/orders"), True),
        (dataset("warehouse/Sales.db/Orders"), True),
        (dataset("sales.db/orders"), True),
        (dataset("other.db/orders"), False),
        (dataset("mysales.db/orders"), False),
        (dataset("cat.sales.orders", namespace=JDBC), True),
        (dataset("sales.orders", namespace=JDBC), True),
        (dataset("mysales.orders", namespace=JDBC), False),
        (dataset("x", table="spark_catalog.Sales.Orders"), True),
        (dataset("x", table="sales.orders", kind="table"), True),
        (dataset("x", table="sales.orders", kind="LOCATION"), False),
        (dataset("x", table="orders"), False),
    ],
)
def test_a_dataset_has_the_name_of_a_table(found: Dataset, expected: bool) -> None:
    assert has_name(found, "sales.orders") is expected


def test_a_name_without_a_database_is_no_end_of_another_one() -> None:
    assert not has_name(dataset("sales.orders", namespace=JDBC), "orders")
    assert not has_name(dataset("orders", namespace=JDBC), "orders")


@pytest.mark.parametrize(
    ("leaves", "in_order", "expected"),
    [
        ([leaf("k"), leaf("a")], [TWO, ONE], {0: only(TWO), 1: only(ONE)}),
        # In this order a leaf would have columns that its input does not have.
        ([leaf("k"), leaf("a")], [ONE, TWO], {}),
        ([leaf("k")], [TWO, ONE], {}),
        ([leaf("x"), leaf("y")], [dataset("p"), dataset("q")], {0: only(dataset("p")), 1: only(dataset("q"))}),
        ([leaf("z", in_subquery=True), leaf("a")], [ONE], {1: only(ONE)}),
    ],
)
def test_inputs_that_are_listed_in_the_order_of_the_plan(
    leaves: list[Leaf], in_order: list[Dataset], expected: dict[int, frozenset[DatasetId]]
) -> None:
    assert assign(leaves, [], in_order) == expected


@pytest.mark.parametrize(
    ("leaves", "datasets", "expected"),
    [
        ([leaf("a", "b")], [ONE, TWO], {0: only(ONE)}),
        ([leaf("b", "a")], [ONE, TWO], {}),
        ([leaf()], [dataset("p")], {}),
        # The only leaf with these columns reads all folders that have them; two of them cannot be distinguished.
        ([leaf("a", "b")], [ONE, TWIN], {0: only(ONE, TWIN)}),
        ([leaf("a", "b"), leaf("a", "b")], [ONE, TWIN], {}),
        ([leaf("a", "b"), leaf("a", "b")], [ONE], {0: only(ONE), 1: only(ONE)}),
        # A leaf that reads only some columns may read one of them, unless it reads another dataset.
        ([leaf("a", "b"), leaf("a", pruned=True)], [ONE, TWIN], {}),
        (
            [leaf("a", "b"), leaf("a")],
            [ONE, TWIN, dataset("three", "a")],
            {0: only(ONE, TWIN), 1: only(dataset("three", "a"))},
        ),
        ([leaf("a", "b"), leaf("z")], [ONE, TWIN], {0: only(ONE, TWIN)}),
        # A leaf reads one table of a database, and two of the same columns cannot be distinguished.
        ([leaf("a", "b")], [ORDERS, dataset("items", "a", "b", namespace=JDBC)], {}),
        # Of two leaves with the same columns one may be a query of a table, unless another leaf reads the table.
        ([leaf("a", "b"), leaf("a", "b")], [ONE, XS], {}),
        ([leaf("a", "b"), leaf("a", "b"), leaf("x")], [ONE, XS], {0: only(ONE), 1: only(ONE), 2: only(XS)}),
        ([leaf("a", "b"), leaf("a", "b")], [ORDERS], {0: only(ORDERS), 1: only(ORDERS)}),
        # Of two leaves with the same columns one may read a dataset whose schema no event contains.
        ([leaf("a", "b"), leaf("a", "b")], [ONE, dataset("no schema")], {}),
        ([leaf("a", "b"), leaf("k")], [ONE, dataset("no schema")], {0: only(ONE)}),
        # A subquery may read something that is not an input, so what others read proves nothing.
        ([leaf("a", "b", in_subquery=True), leaf("a", "b")], [ONE], {1: only(ONE)}),
        ([leaf("a", "b", in_subquery=True)], [ONE], {0: only(ONE)}),
        ([leaf("a", "b", in_subquery=True)], [ONE, TWIN], {}),
        ([leaf("a", "b", in_subquery=True), leaf("a", "b", in_subquery=True)], [ONE], {}),
    ],
)
def test_columns_that_datasets_have_in_the_same_order(
    leaves: list[Leaf], datasets: list[Dataset], expected: dict[int, frozenset[DatasetId]]
) -> None:
    assert assign(leaves, datasets) == expected


def test_a_name_takes_precedence_over_columns_and_known_facts_over_both() -> None:
    named = dataset("w/db.db/t", "k")

    assert assign([leaf("a", "b", table="db.t")], [ONE, named]) == {0: only(named)}
    assert assign([leaf("a", "b", table="db.t")], [ONE, named], known={0: only(TWO)}) == {0: only(TWO)}
    assert assign([leaf("z", table="db.t")], [named, dataset("v/db.db/t", "k")]) == {}


def test_a_dataset_that_a_name_has_taken_is_not_one_of_several_folders() -> None:
    named = dataset("w/db.db/t", "a", "b")

    assert assign([leaf("z", table="db.t"), leaf("a", "b")], [ONE, named]) == {0: only(named)}


PLACED = dataset("warehouse/sales.db/orders")


@pytest.mark.parametrize(
    ("leaves", "found", "expected"),
    [
        ([leaf(table="sales.orders", managed=True), leaf(table="sales.items", managed=True)], {0: only(PLACED)}, True),
        ([leaf(table="sales.orders"), leaf(table="sales.items", managed=True)], {0: only(PLACED)}, False),
        ([leaf(table="sales.orders", managed=True), leaf(table="sales.items")], {0: only(PLACED)}, False),
        ([leaf(table="sales.orders", managed=True), leaf(table="other.items", managed=True)], {0: only(PLACED)}, False),
        # The folder does not have the name of the table, so it gives no information about others.
        (
            [leaf(table="sales.renamed", managed=True), leaf(table="sales.items", managed=True)],
            {0: only(PLACED)},
            False,
        ),
        ([leaf(table="sales.orders", managed=True), leaf(table="sales.items", managed=True)], {}, False),
    ],
)
def test_a_managed_table_lies_beside_another_one_of_its_database(
    leaves: list[Leaf], found: dict[int, frozenset[DatasetId]], expected: bool
) -> None:
    beside = {1: only(dataset("warehouse/sales.db/items"))} if expected else {}

    assert managed_beside(leaves, found, None) == beside


def test_the_sink_also_gives_the_folder_of_its_database() -> None:
    leaves = [leaf(table="sales.items", managed=True)]

    assert managed_beside(leaves, {}, ("sales.orders", PLACED.id)) == {0: only(dataset("warehouse/sales.db/items"))}


def test_neither_of_two_folders_of_a_database_is_chosen() -> None:
    leaves = [leaf(table="sales.orders", managed=True), leaf(table="sales.items", managed=True)]
    elsewhere = dataset("elsewhere/sales.db/lines")

    assert managed_beside(leaves, {0: only(PLACED)}, ("sales.lines", elsewhere.id)) == {}


@pytest.mark.parametrize(
    ("leaves", "found", "expected"),
    [
        ([leaf("k")], {}, {}),
        ([leaf("k"), leaf("x")], {1: only(ONE)}, {0: only(TWO)}),
        ([leaf("k"), leaf("x"), leaf("k")], {1: only(ONE)}, {}),
        ([leaf("a"), leaf("x")], {1: only(ONE)}, {}),
        ([leaf("k", table="db.t"), leaf("x")], {1: only(ONE)}, {}),
        ([leaf("k", in_subquery=True), leaf("x")], {1: only(ONE)}, {}),
        ([leaf(), leaf("x")], {1: only(ONE)}, {}),
        ([leaf("k"), leaf("x")], {1: only(ONE, TWO)}, {}),
    ],
)
def test_the_last_open_leaf_is_the_last_input_if_it_can_be(
    leaves: list[Leaf], found: dict[int, frozenset[DatasetId]], expected: dict[int, frozenset[DatasetId]]
) -> None:
    assert left_over(leaves, [ONE, TWO], found) == expected


def test_an_input_without_a_schema_is_not_guessed_at() -> None:
    assert left_over([leaf("k")], [dataset("p")], {}) == {}


AS, KS = leaf("a"), leaf("k")


@pytest.mark.parametrize(
    ("pairs", "found", "expected"),
    [
        ([([(0, "a")], [(ONE, "A")])], {}, {0: only(ONE)}),
        ([([(0, "a")], [(ONE, "b")])], {}, {}),
        ([([(0, "a")], [(ONE, "a"), (TWIN, "a")])], {}, {}),
        ([([(0, "a"), (2, "a")], [(ONE, "a")])], {}, {}),
        # The other leaf is known, and so is that its dataset is not the one of this leaf.
        ([([(0, "a"), (2, "a")], [(ONE, "a"), (TWIN, "a")])], {2: only(TWIN)}, {0: only(ONE)}),
        ([([(0, "a")], [(TWO, "a")])], {}, {}),
        ([([(0, "a")], [(ONE, "a")]), ([(0, "a")], [(TWIN, "a")])], {}, {}),
        ([([(0, "a")], [(dataset("no input"), "a")])], {}, {0: only(dataset("no input"))}),
    ],
)
def test_the_facet_decides_what_one_purpose_has_one_dataset_for(
    pairs: list[tuple[list[tuple[int, str]], list[tuple[Dataset, str]]]],
    found: dict[int, frozenset[DatasetId]],
    expected: dict[int, frozenset[DatasetId]],
) -> None:
    named = [(sources, [ColumnRef(each.id, column) for each, column in refs]) for sources, refs in pairs]

    assert from_facet([AS, KS, AS], [ONE, TWO, TWIN], found, named) == expected


@pytest.mark.parametrize(
    ("leaves", "found", "datasets", "expected"),
    [
        ([ONE, ONE], {}, [ONE, TWIN], True),
        ([ONE, ONE], {}, [ONE], False),
        ([ONE, ONE], {}, [ONE, TWIN, dataset("third", "a", "b")], False),
        ([ONE, ONE, ONE], {2: only(dataset("third"))}, [ONE, TWIN, dataset("third", "a", "b")], True),
    ],
)
def test_as_many_open_leaves_as_datasets_have_the_same_columns(
    leaves: list[Dataset], found: dict[int, frozenset[DatasetId]], datasets: list[Dataset], expected: bool
) -> None:
    reads = [leaf(*(field.name for field in each.fields)) for each in leaves]
    groups = (AmbiguousLeaves(frozenset({0, 1}), only(ONE, TWIN)),) if expected else ()

    assert twins(reads, datasets, found) == groups


def test_leaves_of_subqueries_are_no_twins() -> None:
    assert twins([leaf("a", "b"), leaf("a", "b", in_subquery=True)], [ONE, TWIN], {}) == ()
