"""Batches: an array is split into its items, and lines into those that are not blank."""

import pytest

from core.errors import BadEvent, BadRequest
from receiver.batch import split

BARE: dict[str, str] = {}
LINES = {"Content-Type": "application/x-ndjson"}


def items(body: bytes, headers: dict[str, str] = BARE, most: int = 3) -> list[bytes]:
    return [bytes(item) for item in split(body, headers, most)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", []),
        (b' [ 1, {"a": [2]},"x" ] ', [b"1", b'{"a": [2]}', b'"x"']),
        (b"[\n{}\n]", [b"{}"]),
        (b'{"a": 1}', [b'{"a": 1}']),
        (b'\n {"a": 1} \r\n{"b": 2}\n', [b' {"a": 1} \r', b'{"b": 2}']),
        (b"{}\n5\nno json", [b"{}", b"5", b"no json"]),
    ],
)
def test_an_array_is_split_and_so_are_lines_that_begin_with_an_object(body: bytes, expected: list[bytes]) -> None:
    assert items(body) == expected


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        " Application/JSONL ;x",
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_the_content_type_says_that_each_line_is_an_event(name: str, kind: str) -> None:
    assert items(b"[1, 2]\n\n \t\r\n7", {name: kind}) == [b"[1, 2]", b"7"]


@pytest.mark.parametrize("headers", [{"Accept": "application/x-ndjson"}, {"Content-Type": "application/json"}])
def test_no_other_header_says_so(headers: dict[str, str]) -> None:
    assert items(b"[1, 2]", headers) == [b"1", b"2"]


@pytest.mark.parametrize(("body", "headers"), [(b"[1, 2, 3, 4]", BARE), (b"{}\n2\n3\n4", BARE), (b"1\n2\n3\n4", LINES)])
def test_a_batch_has_at_most_so_many_events(body: bytes, headers: dict[str, str]) -> None:
    assert len(items(body, headers, most=4)) == 4
    with pytest.raises(BadRequest, match="more than the 3 events that MAX_BATCH_ITEMS allows") as caught:
        split(body, headers, 3)
    assert caught.value.status == 413


@pytest.mark.parametrize("body", [b"5", b"null", b'"[1]"', b'{"a":\n1}', b"[1", b"", b"\xff[1]"])
def test_what_is_neither_array_nor_lines_is_refused(body: bytes) -> None:
    with pytest.raises(BadEvent, match="must be a JSON array of events, or one event per line"):
        split(body, BARE, 3)
