"""An event's blob is expanded if it is compressed, and is the event itself otherwise."""

import gzip

import pytest

from storage.event_content import compressed, expanded, plain

BODY = b'{"eventType": "COMPLETE"}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BODY, BODY),
        (b"", b""),
        (plain(BODY)[0], BODY),
        (compressed(BODY)[0], BODY),
        (gzip.compress(b"", mtime=0), b""),
        (compressed(BODY)[0][:-1], compressed(BODY)[0][:-1]),
        (b"\x1f\x8b no gzip", b"\x1f\x8b no gzip"),
    ],
    ids=["plain", "empty", "stored", "stored compressed", "compressed and empty", "cut", "no gzip"],
)
def test_content_that_can_be_expanded_is(content: bytes, expected: bytes) -> None:
    assert expanded(content) == expected


def test_equal_events_are_equal_blobs_whose_headers_say_if_they_are_compressed() -> None:
    assert compressed(BODY)[0] == compressed(BODY)[0]
    headers = [(form.content_type, form.content_encoding) for _, form in (plain(BODY), compressed(BODY))]
    assert headers == [("application/json", None), ("application/json", "gzip")]
