"""GET /lineage: how far it goes, and in which direction."""

import pytest

from tests.local.data_map.api import ATLAS, Api, dataset, entity, error, process


@pytest.fixture
def chain(api: Api) -> dict[str, str]:
    """a → p → b → q → c → r → d; guids by name."""
    sent = [dataset(name, f"-{at}") for at, name in enumerate("abcd", 1)]
    for at, name in enumerate("pqr", 1):
        sent.append(process(name, [{"guid": f"-{at}"}], [{"guid": f"-{at + 1}"}], guid=f"-1{at}"))
    api.stored(*sent)
    return {name: each["guid"] for name, each in api.dump().items()}


@pytest.mark.parametrize(
    ("start", "direction", "depth", "expected"),
    [
        ("b", "BOTH", 1, "abcpq"),
        ("b", "INPUT", 1, "abp"),
        ("b", "OUTPUT", 1, "bcq"),
        ("b", "OUTPUT", 2, "bcdqr"),
        ("a", "BOTH", 1, "abp"),
        ("a", "BOTH", 3, "abcdpqr"),
        ("q", "BOTH", 1, "bcq"),
        ("q", "BOTH", 2, "abcdpqr"),
        ("d", "OUTPUT", 3, ""),
        ("d", "INPUT", 0, "abcdpqr"),
    ],
)
def test_depth_counts_datasets(
    api: Api, chain: dict[str, str], start: str, direction: str, depth: int, expected: str
) -> None:
    answer = api.call("GET", f"{ATLAS}/lineage/{chain[start]}", direction=direction, depth=depth).json()
    names = {guid: name for name, guid in chain.items()}
    assert "".join(sorted(names[guid] for guid in answer["guidEntityMap"])) == expected


def test_a_circle_ends(api: Api) -> None:
    guids = api.stored(
        dataset("a", "-1"),
        dataset("b", "-2"),
        process("p", [{"guid": "-1"}], [{"guid": "-2"}], guid="-3"),
        process("q", [{"guid": "-2"}], [{"guid": "-1"}], guid="-4"),
    )
    answer = api.call("GET", f"{ATLAS}/lineage/{guids['-1']}", depth=0).json()
    assert len(answer["relations"]) == 4


def test_a_process_without_inputs_is_shown(api: Api) -> None:
    guids = api.stored(dataset("a", "-1"), process("p", [], [{"guid": "-1"}], guid="-2"))
    answer = api.call("GET", f"{ATLAS}/lineage/{guids['-1']}").json()
    assert set(answer["guidEntityMap"]) == set(guids.values())


def test_neither_dataset_nor_process(api: Api) -> None:
    guid = api.stored(entity("azure_synapse_workspace", "-1", "w"))["-1"]
    text = f"Given instance guid {guid} with type azure_synapse_workspace is not a valid lineage entity type."
    assert error(api.call("GET", f"{ATLAS}/lineage/{guid}")) == (404, "ATLAS-404-00-011", text)
