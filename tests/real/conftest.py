"""The two catalogues that must agree: a real Apache Atlas, and the local Data Map."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.data_map import server
from purview.process_name import PROCESS_TYPE
from tests.real import atlas, front
from tests.real.fetch import fetch
from tests.real.types import for_atlas
from tests.support.recorded import CASES

RULES = Path(__file__).parents[2] / "qualified_names" / "rules.toml"


@pytest.fixture(scope="session")
def data_map() -> Iterator[str]:
    """The address of the local Data Map."""
    with server.running() as address:
        yield address


@pytest.fixture(scope="session")
def real_atlas(data_map: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a door to a real Atlas that has Purview's types."""
    definitions = requests.get(f"{data_map}/datamap/api/atlas/v2/types/typedefs", timeout=60).json()
    known = {each["name"] for each in definitions["entityDefs"]}
    named = set(re.findall(r"\w+", f"{CASES} {RULES.read_text('utf-8')}"))
    wanted = known & (
        {PROCESS_TYPE, "tabular_schema", "AtlasServer", "AtlasGlossaryTerm"}
        | named
        | {name for name in known if name.endswith("column")}
    )
    with atlas.running(fetch(), tmp_path_factory.mktemp("atlas")) as api:
        types = for_atlas(definitions, wanted)
        answer = requests.post(f"{api}/types/typedefs", json=types, auth=atlas.USER, timeout=300)
        assert answer.ok, answer.text[:1000]
        with front.door(api) as address:
            yield address
