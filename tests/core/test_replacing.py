"""Nouns are data classes or structs; both are copied with changed fields in the same way."""

from datetime import UTC, datetime

import pytest

from core.event_model import DatasetId, Field
from core.lineage_model import RunRef
from core.replacing import replace

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("noun", "changes", "expected"),
    [
        (Field("a", "int"), {"type": "long"}, Field("a", "long")),
        (DatasetId("abfss://a", "x"), {}, DatasetId("abfss://a", "x")),
        (RunRef(NOW, NOW, "run", ""), {"application_run": "app"}, RunRef(NOW, NOW, "run", "app")),
    ],
    ids=["struct", "nothing changed", "data class"],
)
def test_a_copy_has_the_changes(noun: object, changes: dict[str, str], expected: object) -> None:
    assert replace(noun, **changes) == expected


@pytest.mark.parametrize("noun", [Field("a"), RunRef(NOW, NOW, "run", "")], ids=["struct", "data class"])
def test_a_field_that_does_not_exist_is_refused(noun: object) -> None:
    with pytest.raises(TypeError, match="colour"):
        replace(noun, colour="red")
