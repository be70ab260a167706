"""The control routes: misbehaviour, counts, and what is inside."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.data_map.server import running
from tests.local.data_map.api import ATLAS, OPERATION, RESOURCE_SET, Api, dataset, process
from tests.support.processes import PATIENCE, until


class TestFaults:
    def test_too_many_requests(self, api: Api) -> None:
        api.fault(status=429, retryAfter=7, body="slow down")
        answer = api.post(dataset("a"))
        assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "7", "slow down")
        assert api.post(dataset("a")).status_code == 200

    def test_next_requests_of_a_path(self, api: Api) -> None:
        api.fault(status=500, count=2, path="/entity/bulk$", method="POST")
        guid = "00000000-0000-0000-0000-000000000000"
        assert api.call("GET", f"{ATLAS}/entity/bulk", guid=guid).status_code == 404
        answers = [api.post(dataset("a")) for _ in range(3)]
        assert [each.status_code for each in answers] == [500, 500, 200]
        assert answers[0].headers["content-type"].startswith("text/plain")
        assert answers[0].text.startswith("There was an error processing your request.")

    def test_faults_come_one_after_the_other(self, api: Api) -> None:
        for status in (503, 408):
            api.fault(status=status)
        assert [each["status"] for each in api.call("GET", "/_control/faults").json()] == [503, 408]
        assert [api.post(dataset("a")).status_code for _ in range(3)] == [503, 408, 200]

    def test_hanging(self, api: Api) -> None:
        api.fault(hang=0.2)
        began = time.monotonic()
        assert api.post(dataset("a")).status_code == 200
        assert time.monotonic() - began >= 0.2

    def test_a_hanging_request_does_not_delay_others(self, api: Api) -> None:
        api.fault(hang=PATIENCE, path="/entity/guid/slow$")
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{api.address}{ATLAS}/entity/guid/slow", timeout=0.1)
        assert api.post(dataset("a")).status_code == 200
        assert [call["route"] for call in api.call("GET", "/_control/calls").json()] == ["/atlas/v2/entity/bulk"]

    def test_hanging_requests_continue_when_faults_are_cleared(self, api: Api) -> None:
        api.fault(hang=PATIENCE)
        with ThreadPoolExecutor() as pool:
            hanging = pool.submit(api.post, dataset("a"))
            until(lambda: not api.call("GET", "/_control/faults").json())
            assert api.call("DELETE", "/_control/faults").status_code == 200
            assert hanging.result().status_code == 200

    @pytest.mark.parametrize(("applied", "stored"), [(False, []), (True, ["a"])], ids=["before", "after"])
    def test_dropped_connection(self, api: Api, applied: bool, stored: list[str]) -> None:
        api.fault(drop=True, applied=applied)
        with pytest.raises(requests.exceptions.ConnectionError):
            api.post(dataset("a"))
        assert list(api.dump()) == stored

    def test_lost_answer(self, api: Api) -> None:
        api.fault(status=500, applied=True)
        assert api.post(dataset("a")).status_code == 500
        assert list(api.dump()) == ["a"]

    def test_deleted_faults_are_forgotten(self, api: Api) -> None:
        api.fault(status=500)
        api.call("DELETE", "/_control/faults")
        assert api.post(dataset("a")).status_code == 200

    @pytest.mark.parametrize(
        "body", [{"status": "500"}, {"staus": 500}, {"path": "("}, [{"count": "all"}], "x"], ids=str
    )
    def test_what_cannot_be_read_is_refused(self, api: Api, body: Any) -> None:
        assert api.call("POST", "/_control/faults", body).status_code == 400
        assert api.call("GET", "/_control/faults").json() == []


def test_settings(api: Api) -> None:
    usual = {"searchDelay": 0.0, "lenient": False, "pause": 0.0, "author": "local"}
    assert api.call("GET", "/_control/settings").json() == usual
    api.settings(searchDelay=2)
    assert api.call("GET", "/_control/settings").json()["searchDelay"] == 2
    assert api.call("POST", "/_control/settings", {"lenient": 1}).status_code == 400
    assert api.call("POST", "/_control/settings", {"speed": 1}).status_code == 400


@pytest.fixture
def unshared() -> Iterator[Api]:
    """A Data Map for this test alone: a request that hung in another test may end, and be counted, at any time."""
    with running() as address, requests.Session() as session:
        yield Api(address, session)


def test_calls(unshared: Api) -> None:
    api = unshared
    api.stored(dataset("a"))
    api.call("POST", f"/catalog{ATLAS.removeprefix('/datamap')}/entity/bulk", {"entities": []})
    api.search()
    assert api.call("GET", "/_control/calls").json() == [
        {"method": "POST", "route": "/atlas/v2/entity/bulk", "count": 2, "statuses": {"200": 1, "400": 1}},
        {"method": "POST", "route": "/search/query", "count": 1, "statuses": {"200": 1}},
    ]
    api.call("DELETE", "/_control/calls")
    assert api.call("GET", "/_control/calls").json() == []


def test_entities(api: Api) -> None:
    guids = api.stored(dataset("b", "-1"), dataset("a", "-2"), process("p", [{"guid": "-1"}, {"guid": "-2"}], []))
    dump = api.call("GET", "/_control/entities").json()
    assert [each["guid"] for each in dump] == [guids["-1"], guids["-2"], guids["-9"]]
    assert dump[2] == {
        "guid": guids["-9"],
        "typeName": OPERATION,
        "attributes": {"qualifiedName": "x://p", "name": "p"},
        "relationships": {"inputs": [[RESOURCE_SET, "x://a"], [RESOURCE_SET, "x://b"]]},
        "collectionId": "root",
    }


@pytest.mark.parametrize(("text", "found"), [("", "bap"), ("x://", "bap"), ("//a", "a"), ("A", ""), ("%", "")])
def test_entities_with_a_text_in_their_qualified_names(api: Api, text: str, found: str) -> None:
    api.stored(dataset("b", "-1"), dataset("a", "-2"), process("p", [{"guid": "-1"}], []))
    dump = api.call("GET", "/_control/entities", {"containing": text}).json()
    assert [each["attributes"]["qualifiedName"] for each in dump] == [f"x://{name}" for name in found]


def test_a_text_that_is_none_is_refused(api: Api) -> None:
    assert api.call("GET", "/_control/entities", {"containing": 1}).status_code == 400


def test_reset(api: Api) -> None:
    api.stored(dataset("a"))
    api.settings(searchDelay=2, lenient=True)
    api.fault(status=500)
    api.call("POST", f"{ATLAS}/types/typedefs", {"entityDefs": [{"name": "mine", "superTypes": ["DataSet"]}]})
    api.call("POST", "/_control/reset")
    assert api.dump() == {}
    assert api.found() == []
    assert api.call("GET", f"{ATLAS}/types/entitydef/name/mine").status_code == 404
    assert api.call("GET", "/_control/settings").json()["lenient"] is False


@pytest.mark.parametrize(
    "headers",
    [{"Host": "example.com"}, {"Origin": "https://example.com"}, {"Origin": "null"}],
    ids=["another host's name", "another site's page", "a page of nowhere"],
)
def test_only_this_machine_has_control(api: Api, headers: dict[str, str]) -> None:
    answer = requests.post(f"{api.address}/_control/reset", headers=headers, timeout=60)
    assert answer.status_code == 403
