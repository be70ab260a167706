"""A process has one name per application and sink, and no two share one."""

from hypothesis import given
from hypothesis import strategies as st

from core.model import Application
from purview.process_name import process_name
from tests.purview.helpers import LAKE, dataset, folder, resolve, table

SINK = resolve(dataset(folder("gold/sales")))


def test_names_job_namespace_application_and_sink() -> None:
    qualified_name, name = process_name(Application("ws,azuresynapsespark", "nightly"), SINK)
    assert qualified_name == f"sparklin://ws,azuresynapsespark/nightly#{LAKE}/gold/sales/{{SparkPartitions}}"
    assert name == "nightly → sales"


def test_separators_in_names_are_escaped_and_other_characters_are_kept() -> None:
    qualified_name, name = process_name(Application("https://adb-1.net", "Größe/日 #1 50%\n"), SINK)
    assert qualified_name.startswith("sparklin://https:%2F%2Fadb-1.net/Größe%2F日 %231 50%25%0A#https://acct.")
    assert name == "Größe/日 #1 50%\n → sales"


def test_too_long_names_are_cut_and_stay_unique() -> None:
    names = [process_name(Application("spark", "日" * 5000 + end), SINK) for end in ("a", "b")]
    assert len({qualified_name for qualified_name, _ in names}) == 2
    assert all(len(text.encode()) <= 4_000 for pair in names for text in pair)


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_applications_never_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    names = [process_name(Application(*pair), SINK)[0] for pair in (one, other)]
    assert (names[0] == names[1]) == (one == other)


def test_different_sinks_never_share_a_name() -> None:
    other = resolve(dataset(table("db.dbo.sales")))
    application = Application("spark", "nightly")
    assert process_name(application, SINK)[0] != process_name(application, other)[0]
