"""A process has one name per application and sink, and no two share one."""

from hypothesis import given
from hypothesis import strategies as st

from core.catalog_model import Resolution
from core.lineage_model import Application
from purview.process_name import Write, process_name
from tests.purview.helpers import LAKE, dataset, folder, resolve, table

SINK = resolve(dataset(folder("gold/sales")))


def named(application: Application, sink: Resolution = SINK) -> tuple[str, str]:
    process = process_name(Write(application, sink))
    return process.asset.qualified_name, process.name


def test_names_job_namespace_application_and_sink() -> None:
    qualified_name, name = named(Application("ws,azuresynapsespark", "nightly"))
    assert qualified_name == f"sparklin://ws,azuresynapsespark/nightly#{LAKE}/gold/sales/{{SparkPartitions}}"
    assert name == "nightly → sales"


def test_separators_in_names_are_escaped_and_other_characters_are_kept() -> None:
    qualified_name, name = named(Application("https://adb-1.net", "Größe/日 #1 50%\n"))
    assert qualified_name.startswith("sparklin://https:%2F%2Fadb-1.net/Größe%2F日 %231 50%25%0A#https://acct.")
    assert name == "Größe/日 #1 50%\n → sales"


def test_too_long_names_are_cut_and_stay_unique() -> None:
    names = [named(Application("spark", "日" * 5000 + end)) for end in ("a", "b")]
    assert len({qualified_name for qualified_name, _ in names}) == 2
    assert all(len(text.encode()) <= 4_000 for pair in names for text in pair)


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_different_applications_never_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    names = [named(Application(*pair))[0] for pair in (one, other)]
    assert (names[0] == names[1]) == (one == other)


def test_different_sinks_never_share_a_name() -> None:
    other = resolve(dataset(table("db.dbo.sales")))
    application = Application("spark", "nightly")
    assert named(application)[0] != named(application, other)[0]


def test_a_notebook_with_an_id_is_named_by_it_and_shown_under_its_name() -> None:
    application = Application("fab", "nb", "fabric:294c85d6", "nb daily", "https://app.fabric.microsoft.com/groups/1")
    assert named(application) == (
        f"sparklin://fab/fabric:294c85d6#{LAKE}/gold/sales/{{SparkPartitions}}",
        "nb daily → sales",
    )
