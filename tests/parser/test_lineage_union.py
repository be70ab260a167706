"""The union of lineages of one sink."""

import pytest

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
