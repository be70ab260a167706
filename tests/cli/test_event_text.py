"""Files of events in every form, read one event after the other, in bounded memory."""

import gzip
import io
import tracemalloc
from collections.abc import Iterator

import pytest

from cli import event_text
from cli.event_text import read_events

A, B = b'{"a": [1, {"b": "]},\xc3\xa4"}]}', b'{"b": 2}'


def read(content: bytes) -> list[tuple[str, bytes, str]]:
    return [(event.place, event.body, event.problem) for event in read_events(io.BytesIO(content))]


FILES = [
    (A, [("", A, "")]),
    (b"\xef\xbb\xbf\n " + A + b"\r\n", [("", A, "")]),
    (b'{\n "a":\n 1\n}\n', [("", b'{\n "a":\n 1\n}', "")]),
    (A + b"\n\n" + B, [("line 1", A, ""), ("line 3", B, "")]),
    (b"\n" + A + b"\r\n" + B + b"\n", [("line 2", A, ""), ("line 3", B, "")]),
    (A + b"\n{half\n" + B, [("line 1", A, ""), ("line 2", b"{half", "it is not JSON"), ("line 3", B, "")]),
    (b"{half\n" + B, [("line 1", b"{half", "it is not JSON"), ("line 2", B, "")]),
    (b"[" + A + b",\n " + B + b" ]", [("item 1", A, ""), ("item 2", B, "")]),
    (b" \n[ 12 ,null]", [("item 1", b"12", ""), ("item 2", b"null", "")]),
    (b"[" + A, [("item 1", A, ""), ("", b"", "the array does not end")]),
    (b"[" + A + b", {half]", [("item 1", A, ""), ("item 2", b"", "it is not JSON; what follows it was not read")]),
    (b"[]", [("", b"", "it is empty")]),
    (b" \n", [("", b"", "it is empty")]),
    (b"hello", [("", b"hello", "it is not JSON")]),
]


@pytest.mark.parametrize("chunk", [1, 7, 1024 * 1024])
@pytest.mark.parametrize(("content", "expected"), FILES)
def test_the_events_of_a_file(
    content: bytes, expected: list[tuple[str, bytes, str]], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_text, "_CHUNK", chunk)
    assert read(content) == expected
    assert read(gzip.compress(content)) == expected


def test_a_broken_gzip_file_is_named_and_what_came_before_is_read() -> None:
    packed = gzip.compress(b"".join(b'{"n": %d}\n' % number for number in range(300_000)))
    found = read(packed[:-100])
    assert found[0] == ("line 1", b'{"n": 0}', "")
    assert "Compressed file ended" in found[-1][2]


class Endless(io.RawIOBase):
    """A file that is created while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, b""

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        found, self._left = self._left[:size], self._left[size:]
        return found


LINE = b'{"x": "' + b"x" * 100_000 + b'"}'


@pytest.mark.parametrize(
    "parts",
    [
        (LINE + b"\n" for _ in range(1000)),
        (b"[" * (number == 0) + LINE + (b"]" if number == 999 else b",") for number in range(1000)),
    ],
    ids=["lines", "array"],
)
def test_a_file_of_any_size_needs_little_memory(parts: Iterator[bytes]) -> None:
    tracemalloc.start()
    count = sum(event.body == LINE for event in read_events(Endless(parts)))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1000
    assert peak < 20_000_000


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize(
    ("length", "problem"), [(50, ""), (51, "it has more than 50 bytes"), (200, "it has more than 50 bytes")]
)
def test_a_line_that_is_too_long_costs_itself_alone(
    length: int, problem: str, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_text, "LARGEST_EVENT", 50)
    long = b'"' + b"x" * (length - 2) + b'"'
    assert read(A + b"\n" + long + b"\n" + B + end) == [
        ("line 1", A, ""),
        ("line 2", b"" if problem else long, problem),
        ("line 3", B, ""),
    ]
