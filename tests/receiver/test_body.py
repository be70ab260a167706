"""Bodies: compression undone, limits kept, and an answer that says what to change."""

import gzip
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadRequest
from receiver.body import expand
from receiver.request_limits import LARGE_BODY, Limits

LIMITS = Limits(max_body_bytes=10_000, max_expanded_bytes=20_000)
TEXT = b'{"eventType": "START"}'
GZIP = {"Content-Encoding": "gzip"}


def assert_refused(status: int, headers: Mapping[str, str], body: bytes, *named: str) -> None:
    """The body is refused with this status, and the reason contains these words."""
    with pytest.raises(BadRequest) as caught:
        expand(headers, body, LIMITS)
    assert caught.value.status == status
    for word in named:
        assert word in caught.value.reason


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Encoding": ""},
        {"content-encoding": "identity"},
        {"Content-Length": "x\x00y", "content-type": "\r\n", "": "", "transfer-encoding": "chunked"},
    ],
)
def test_a_plain_body_is_itself(headers: Mapping[str, str]) -> None:
    assert expand(headers, TEXT, LIMITS) == TEXT


@pytest.mark.parametrize("name", ["content-encoding", "Content-Encoding", "CONTENT-ENCODING"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip ", "identity, gzip"])
def test_gzip_is_undone(name: str, encoding: str) -> None:
    assert expand({name: encoding}, gzip.compress(TEXT), LIMITS) == TEXT


def test_gzip_of_several_members_is_one_body() -> None:
    assert expand(GZIP, gzip.compress(TEXT) + gzip.compress(TEXT), LIMITS) == TEXT + TEXT


def test_a_byte_order_mark_is_removed() -> None:
    assert expand({}, b"\xef\xbb\xbf" + TEXT, LIMITS) == TEXT


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "\x00", "g" * 10_000])
def test_other_encodings_are_refused(encoding: str) -> None:
    assert_refused(415, {"content-encoding": encoding}, TEXT, "gzip")


def test_an_empty_body_is_refused() -> None:
    assert_refused(400, {}, b"", "empty")


@pytest.mark.parametrize("encoding", ["chunked", "Chunked", "gzip, chunked"])
def test_a_chunked_body_that_the_host_dropped_names_the_setting_in_spark(encoding: str) -> None:
    assert_refused(411, {"Transfer-Encoding": encoding}, b"", "spark.openlineage.transport.compression")


def test_a_large_body_names_the_setting() -> None:
    assert_refused(413, {}, b"x" * 10_001, "MAX_BODY_BYTES", "10000")


@pytest.mark.parametrize("size", [20_001, 50_000_000])
def test_a_body_that_expands_too_far_names_the_setting(size: int) -> None:
    bomb = gzip.compress(bytes(min(size, 9_000_000)), 9)
    assert_refused(413, GZIP, bomb, "MAX_EXPANDED_BYTES", "20000")


def test_a_plain_body_has_the_limit_of_expanded_ones_too() -> None:
    with pytest.raises(BadRequest, match="MAX_EXPANDED_BYTES"):
        expand({}, b"x" * 11, Limits(100, 10))


def test_a_body_with_too_many_values_is_refused() -> None:
    with pytest.raises(BadRequest, match="MAX_SEPARATORS"):
        expand({}, b"[[[[", Limits(max_separators=3))


def padded(data: bytes, size: int) -> bytes:
    """Gzip data with an empty member behind it, whose name makes the whole as long as wanted."""
    empty = b"\x1f\x8b\x08\x08" + bytes(6) + b"%s\x00\x03\x00" + bytes(8)
    return data + empty % (b"n" * (size - len(data) - len(empty % b"")))


ONE_LARGE = gzip.compress(bytes(LARGE_BODY + 1))


@pytest.mark.parametrize(
    ("headers", "sent", "calls"),
    [
        ({}, bytes(LARGE_BODY), 0),
        ({}, bytes(LARGE_BODY + 1), 1),
        (GZIP, gzip.compress(bytes(LARGE_BODY)), 0),
        (GZIP, ONE_LARGE, 1),
        (GZIP, gzip.compress(bytes(3 * LARGE_BODY)), 1),
        (GZIP, padded(ONE_LARGE, LARGE_BODY), 1),
        (GZIP, padded(ONE_LARGE, LARGE_BODY + 1), 1),
        (GZIP, padded(gzip.compress(TEXT), LARGE_BODY + 1), 1),
    ],
    ids=["plain", "plain+1", "gzip", "gzip+1", "many chunks", "both", "both, wire+1", "wire+1 only"],
)
def test_a_large_body_is_announced_once(headers: Mapping[str, str], sent: bytes, calls: int) -> None:
    called: list[int] = []
    expand(headers, sent, Limits(max_expansion_ratio=10_000), lambda: called.append(1))
    assert len(called) == calls


def test_the_ratio_of_a_large_body_is_limited() -> None:
    wire, ratio = 20_000, 100
    assert len(expand(GZIP, padded(gzip.compress(bytes(ratio * wire)), wire), Limits(max_expansion_ratio=ratio))) == (
        ratio * wire
    )
    with pytest.raises(BadRequest, match="MAX_EXPANSION_RATIO") as caught:
        expand(GZIP, padded(gzip.compress(bytes(ratio * wire + 1)), wire), Limits(max_expansion_ratio=ratio))
    assert caught.value.status == 413


def test_the_ratio_of_a_small_body_is_not() -> None:
    assert len(expand(GZIP, gzip.compress(bytes(LARGE_BODY)), Limits(max_expansion_ratio=1))) == LARGE_BODY


def test_gzip_has_at_most_a_thousand_members() -> None:
    member = gzip.compress(b"x")
    assert expand(GZIP, member * 1000, Limits()) == b"x" * 1000
    with pytest.raises(BadRequest, match="more than 1000 members"):
        expand(GZIP, member * 1001, Limits())


def test_limits_are_inclusive() -> None:
    assert len(expand({}, b"x" * 10_000, LIMITS)) == 10_000
    assert len(expand(GZIP, gzip.compress(b"x" * 20_000), LIMITS)) == 20_000


BROKEN = [
    TEXT,
    gzip.compress(TEXT)[:-1],
    gzip.compress(TEXT)[:5],
    gzip.compress(TEXT) + b"tail",
    gzip.compress(TEXT)[:-8] + bytes(8),
    zlib.compress(TEXT),
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_broken_gzip_is_refused(body: bytes) -> None:
    assert_refused(400, GZIP, body, "gzip")


@given(st.binary(max_size=300))
def test_any_bytes_survive_gzip(data: bytes) -> None:
    packed = gzip.compress(data)
    assert expand(GZIP, packed, LIMITS) == data.removeprefix(b"\xef\xbb\xbf")


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        expand(GZIP, data, LIMITS)
    except BadRequest as error:
        assert error.status == 400  # noqa: PT017  either is right, anything else is not
