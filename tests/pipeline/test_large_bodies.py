"""One large body at a time: others wait as long as their requests may take."""

import pytest

from core.errors import BadRequest
from pipeline.large_bodies import LargeBodies
from storage.request_budget import budget


def test_a_second_large_body_gets_its_turn_after_the_first() -> None:
    bodies = LargeBodies()
    first, second, small = bodies.turn(), bodies.turn(), bodies.turn()
    first.take()
    first.take()
    small.close()
    with budget(0.01), pytest.raises(BadRequest) as caught:
        second.take()
    assert caught.value.status == 503
    second.close()
    with budget(0.01), pytest.raises(BadRequest):
        second.take()
    first.close()
    first.close()
    second.take()
    second.close()


@pytest.mark.parametrize("is_free", [True, False])
def test_a_request_whose_time_is_up_takes_only_a_turn_that_is_free(is_free: bool) -> None:
    bodies = LargeBodies()
    first, second = bodies.turn(), bodies.turn()
    if not is_free:
        first.take()
    with budget(0):
        if is_free:
            second.take()
        else:
            with pytest.raises(BadRequest):
                second.take()
