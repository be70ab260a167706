"""How much of the truth is drawn, by recording; the run of the tests ends with these figures.

Nothing drawn may be wrong except what ``lineage_gaps.json`` lists, and what the plan alone gives is never wrong.
"""

from collections.abc import Callable

import pytest

from tests.support.figures import VARIANTS, figures, folders

# Where the agent itself reports something untrue, and no plan corrects it.
WRONG = {"agents/1.12.0_spark-3.5.1": 2, "openlineage-1.53.0_spark-3.5.1": 1}


@pytest.mark.exhaustive
@pytest.mark.parametrize("folder", folders())
def test_hardly_anything_drawn_is_wrong(folder: str, record_property: Callable[[str, object], None]) -> None:
    alone = (f"{variant} {figures(folder, variant).rates}" for variant in VARIANTS if variant != "as sent")
    record_property("figure", f"{folder}: {figures(folder)} ({', '.join(alone)})")
    assert figures(folder).edges_wrong == WRONG.get(folder, 0)
    assert figures(folder).inputs_wrong == 0
    assert figures(folder, "plan alone").edges_wrong == 0
