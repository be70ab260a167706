"""The whole lines in a part of a file that is still being written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """What was taken from a part: its lines with their numbers, without blank ones, and how far they reach.

    ``length`` is in bytes, ``breaks`` counts line breaks. ``is_rest`` says that the only line has no line break,
    ``is_too_long`` that the part begins with a line that is longer than the part, and ``in_long_line`` that what
    follows belongs to such a line.
    """

    lines: tuple[tuple[int, bytes], ...] = ()
    length: int = 0
    breaks: int = 0
    is_rest: bool = False
    is_too_long: bool = False
    in_long_line: bool = False


def cut(data: bytes, line: int, *, in_long_line: bool, is_end: bool, is_idle: bool) -> Cut:
    """Take the whole lines of a part that starts in ``line``.

    :param in_long_line: it starts inside a line that is too long, which is skipped.
    :param is_end: the file ends with it. If the file is idle, an end without a line break counts as a line; if not, it
        is left. A part that is not the end and has no line break is the start of a line that is too long.
    """
    end = data.rfind(b"\n") + 1
    if end:
        start = data.find(b"\n") + 1 if in_long_line else 0
        first = line + bool(start)
        texts = data[start:end].split(b"\n")
        lines = tuple((number, text) for number, text in enumerate(texts, first) if text.strip())
        return Cut(lines, end, data.count(b"\n"))
    if in_long_line:
        return Cut(length=len(data), in_long_line=True)
    if not is_end:
        return Cut(length=len(data), is_too_long=True, in_long_line=True)
    if is_idle and data:
        return Cut(((line, data),) if data.strip() else (), len(data), is_rest=True)
    return Cut()
