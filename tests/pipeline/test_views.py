"""Views in LineageDetails, on real storage."""

from storage.details_table import DetailsRow
from tests.support.corpus import SPARK_31, bodies
from tests.support.universe import Universe


def test_a_view_has_its_own_row_and_no_process(universe: Universe) -> None:
    universe.deliver_all(bodies(f"{SPARK_31}/persistent_view"))
    row = universe.services.details.read(f"sparklin://{universe.name}/nb_clinical_reports#view/marts.v_wards")
    assert isinstance(row, DetailsRow)
    assert (row.fingerprint, row.process_guid) == ("", "")
    assert list(universe.processes()) == ["nb_clinical_reports → bed_report"]
