"""Settings that do not go together."""

from collections.abc import Mapping

import pytest

from core.setting_conflicts import contradictions

HUB = "EVENT_HUB needs EVENT_HUB_CONNECTION__fullyQualifiedNamespace: <namespace>.servicebus.windows.net"
RULES = "NAME_RULES and NAME_RULES_FILE are both set: give the rules as text or as a file"


@pytest.mark.parametrize(
    ("environment", "values", "problems"),
    [
        ({}, {}, []),
        ({}, {"name_rules": "text"}, []),
        ({}, {"name_rules_file": "file"}, []),
        ({}, {"name_rules": "text", "name_rules_file": "file"}, [RULES]),
        ({}, {"event_hub": "lineage"}, [HUB]),
        ({"EVENT_HUB_CONNECTION": " "}, {"event_hub": "lineage"}, [HUB]),
        ({"EVENT_HUB_CONNECTION": "Endpoint=…"}, {"event_hub": "lineage"}, []),
        ({"EVENT_HUB_CONNECTION__fullyQualifiedNamespace": "ns"}, {"event_hub": "lineage"}, []),
        ({"EVENT_HUB_CONNECTION": "Endpoint=…"}, {}, []),
    ],
)
def test_what_does_not_go_together(
    environment: Mapping[str, str], values: Mapping[str, str], problems: list[str]
) -> None:
    assert list(contradictions(environment, values)) == problems
