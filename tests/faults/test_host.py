"""Everything that the tests that kill workers refer to exists."""

import pytest

from tests.faults.host import STEPS


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_a_function_of_the_product(name: str) -> None:
    step = STEPS[name]
    assert callable(getattr(step.owner, step.name))
