"""No regular expression of the app runs forever: misleading texts for each of them, of the largest possible size."""

import pytest

from core.catalog_model import NameContext
from core.event_model import Dataset, DatasetId
from core.lineage_model import Application, Lineage
from core.secrets import without_secrets
from parser.application import without_tail
from purview.description import description
from qualified_names.namespace import parse
from qualified_names.resolve import resolve
from qualified_names.resource_sets import generalised, same_resource_set
from tests.support.hostile import RULES

LONGEST = 4000
PIECES = [
    "a", "1", "-", "_", ".", "/", "=", "a=", "a/", "1/", "1-", "a.", ".a", "../", "=/", "{N}", "{", "}", "*", "`",
    '"', "[", "]", "(", "((", "(HOST=", "(HOST = ", ":a", ":a:", "/a:", ",a/", ";a=", "?a=", "&", "@", "a@", "a:b@",
    "oracle:thin", "oracle:thin:a/", "dfs.core.", "blob.core.x\n", "20240101", "2024-01-01", "2024-01-01T", "aF0",
    "0123456789abcdef-", "de-de", "part-00000", "data/", "metadata/snap-", "_delta_log/", "Tables/", ".Lakehouse/",
    ".Warehouse/Tables/", "COMPLEX", "select * ", "password", "passwordsecret", " ", "\n", "\u0130", "\U0001f600",
]  # fmt: skip
NAMESPACES = [
    "abfss://data@lake.dfs.core.windows.net",
    "abfss://w@onelake.dfs.fabric.microsoft.com",
    "sqlserver://h.database.windows.net:1433",
    "oracle://h:1521",
    "snowflake://a",
    "dbfs",
]


def long(piece: str) -> str:
    return (piece * LONGEST)[:LONGEST] + "!"


@pytest.mark.parametrize("piece", PIECES)
def test_rules_read_any_name_of_the_longest_size(piece: str) -> None:
    for namespace in NAMESPACES:
        for dataset in (
            DatasetId(namespace, long(piece)[len(namespace) :]),
            DatasetId(f"{namespace}/{long(piece)}"[:LONGEST], "x!"),
        ):
            assert resolve(Dataset(dataset), NameContext(), RULES.naming.rules).asset.qualified_name


@pytest.mark.parametrize("piece", PIECES)
def test_addresses_and_tails_of_the_longest_size(piece: str) -> None:
    text = long(piece)
    for start in ("", "oracle:thin:", "jdbc:oracle://(", "jdbc:sqlserver://h;", "https://", "[", "h\\"):
        assert parse(start + text).text
        assert len(without_secrets(start + text)) <= len(start + text)
    assert without_tail("nb" + piece * 10_000 + "!")
    assert generalised(text, is_file=True)[0]


PATTERNS = ["{A}", "{N}", "{Month}", "{HEX}", "{Year}{Month}", "{A}a", "{N}1", "{HEX}f", "{GUID}", "{LOC}", "{Second}2"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("text", ["1", "a", "f", "12", "1a", "0123456789abcdef"])
def test_placeholders_in_foreign_names_are_compared_in_bounded_time(pattern: str, text: str) -> None:
    address = "https://lake.dfs.core.windows.net/data/"
    assert not same_resource_set(address + pattern * 30, address + (text * 250)[:200] + "!")


def test_the_patterns_of_scans_are_still_compared() -> None:
    address = "https://lake.dfs.core.windows.net/data/"
    for pattern, name in (
        ("{N}-{N}-{N}-{N}-{N}.csv", "1-22-333-4444-55555.csv"),
        ("{Year}{Month}{Day}T{Hour}{Minute}{Second}.csv", "20240131T101112.csv"),
        ("q_{Year}-{Month}-{Day}_{N}-{N}-{N}.tsv", "q_2024-01-31_1-2-3.tsv"),
        ("{Region}_{Team}.csv", "west_sales.csv"),
    ):
        assert same_resource_set(address + pattern, address + name)


@pytest.mark.parametrize("piece", ["'", "`", "1", "1.", "''", "-1", "DATE '", "a'b", "1E", "1 "])
def test_conditions_are_shown_whatever_quotes_they_contain(piece: str) -> None:
    condition = f"WHERE: {piece * 700}!"[:2000]
    lineage = Lineage(Application("ns", "nb"), "insert", Dataset(DatasetId("ns", "t")), conditions=(condition,))
    assert len(description(lineage, ()).encode()) <= LONGEST
