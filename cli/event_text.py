"""The events in a file, one after the other: an event a line, an array of events, or one event; gzipped or not.

A file may have any size: only one event, and some bytes read ahead, are in memory.
"""

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

LARGEST_EVENT = 64 * 1024 * 1024
"""Bytes of an event, or of a whole file that is one event, at most."""

_CHUNK = 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_JSON = msgspec.json.Decoder(msgspec.Raw)
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class FileEvent:
    """The bytes of one event, and where it is in its file: ``line 3``, ``item 3``, or "" for the whole file.

    ``problem`` says why it cannot be an event; "" if it is JSON.
    """

    place: str
    body: bytes
    problem: str = ""


def read_events(stream: BinaryIO) -> Iterator[FileEvent]:
    """The events of a file, in their order, and an entry with a problem for each part that is not JSON."""
    try:
        yield from _events(_expanded(stream))
    except (OSError, EOFError, zlib.error) as error:
        yield FileEvent("", b"", str(error))


def _expanded(stream: BinaryIO) -> io.BufferedReader:
    """The stream without compression and byte order mark."""
    start = stream.read(2)
    plain = io.BufferedReader(_Joined(start, stream), _CHUNK)
    if start == b"\x1f\x8b":
        plain = io.BufferedReader(gzip.GzipFile(fileobj=plain), _CHUNK)  # type: ignore[arg-type]
    head = plain.read(3)
    return io.BufferedReader(_Joined(head.removeprefix(_BOM), plain), _CHUNK)


class _Joined(io.RawIOBase):
    """Some bytes, then the rest of a stream."""

    def __init__(self, head: bytes, rest: BinaryIO | io.BufferedReader) -> None:
        super().__init__()
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        part = self._head[: len(buffer)] if self._head else memoryview(self._rest.read(len(buffer)))
        self._head = self._head[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def _events(stream: io.BufferedReader) -> Iterator[FileEvent]:
    number = 1
    while (first := stream.peek(1)[:1]) and first.isspace():
        number += stream.read(1) == b"\n"
    if first == b"[":
        yield from _items(stream)
        return
    line = stream.readline(LARGEST_EVENT + 1)
    if not line:
        yield FileEvent("", b"", "it is empty")
    elif _is_json(line):
        yield from _lines(line, number, stream, is_whole=not stream.peek(1))
    else:
        yield from _whole_or_lines(line, number, stream)


def _whole_or_lines(line: bytes, number: int, stream: io.BufferedReader) -> Iterator[FileEvent]:
    """Text whose first line is not JSON: one event on several lines, or lines of which the first is broken."""
    ahead = line + stream.read(max(0, LARGEST_EVENT - len(line)))
    if not stream.peek(1) and _is_json(ahead):
        yield FileEvent("", ahead.strip())
        return
    again = _after(ahead, stream)
    first = again.readline(LARGEST_EVENT + 1)
    yield from _lines(first, number, again, is_whole=not again.peek(1))


def _after(head: bytes, rest: io.BufferedReader) -> io.BufferedReader:
    return io.BufferedReader(_Joined(head, rest), _CHUNK)


def _lines(line: bytes, number: int, stream: io.BufferedReader, *, is_whole: bool) -> Iterator[FileEvent]:
    while line:
        place = "" if is_whole else f"line {number}"
        if len(line) - line.endswith(b"\n") > LARGEST_EVENT:
            yield FileEvent(place, b"", f"it has more than {LARGEST_EVENT} bytes")
            while line and not line.endswith(b"\n"):
                line = stream.readline(_CHUNK)
        elif body := line.strip():
            yield FileEvent(place, body, "" if _is_json(body) else "it is not JSON")
        number, line = number + 1, stream.readline(LARGEST_EVENT + 1)


def _items(stream: io.BufferedReader) -> Iterator[FileEvent]:
    """The items of an array, each as it is spelled; after an item that is not JSON, the rest is not read."""
    text = _Text(stream)
    text.skip("[" + _BLANKS)
    number = 0
    while (first := text.first()) not in ("]", ""):
        number += 1
        item = text.value() if first != "," else None
        if item is None:
            yield FileEvent(f"item {number}", b"", "it is not JSON; what follows it was not read")
            return
        yield FileEvent(f"item {number}", item)
        text.skip(_BLANKS)
        if text.first() == ",":
            text.skip("," + _BLANKS)
    if not first:
        yield FileEvent("", b"", "the array does not end")
    elif not number:
        yield FileEvent("", b"", "it is empty")


class _Text:
    """The characters of a stream; only those of one value, and some read ahead, are in memory."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._values = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._is_over = False

    def first(self) -> str:
        """The next character, "" at the end."""
        while self._at >= len(self._text) and not self._is_over:
            self._read_on()
        return self._text[self._at : self._at + 1]

    def skip(self, characters: str) -> None:
        while (first := self.first()) and first in characters:
            self._at += 1

    def value(self) -> bytes | None:
        """The next value; None if there is none."""
        while True:
            end = self._end_of_value()
            if end is not None and (end < len(self._text) or self._is_over):
                found = self._text[self._at : end]
                self._at = end
                return found.encode("utf-8", "surrogateescape")
            if self._is_over or len(self._text) - self._at > LARGEST_EVENT:
                return None
            self._read_on()

    def _end_of_value(self) -> int | None:
        try:
            return self._values.raw_decode(self._text, self._at)[1]
        except (ValueError, RecursionError):
            return None

    def _read_on(self) -> None:
        """Read as much again as is in memory, so that a long value is not parsed too often."""
        data = self._stream.read(max(_CHUNK, len(self._text) - self._at))
        self._is_over = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=not data)
        self._at = 0


def _is_json(body: bytes) -> bool:
    try:
        _JSON.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True
