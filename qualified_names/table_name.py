"""The parts of a table's name: split at dots, but not at dots inside of brackets, quotes or backticks."""

# Stands between the parts of a name where they are matched as one text: a character that no name holds.
PART = "\x1f"

_CLOSING = {"[": "]", '"': '"', "`": "`"}


def table_name(name: str) -> tuple[str, ...]:
    """``[dbo].[a.b]`` gives ``dbo`` and ``a.b``; a doubled closing sign stands for itself, as in ``[a]]b]``.

    A sign that is never closed, or that stands within a word, is a letter like others.
    """
    parts: list[str] = []
    position = 0
    while position <= len(name):
        part, position = _part(name, position)
        parts.append(part.strip())
        position += 1
    return tuple(parts)


def _part(name: str, start: int) -> tuple[str, int]:
    """The part that begins at ``start``, and where it ends: at a dot or at the end of the name."""
    begin = start + len(name[start:]) - len(name[start:].lstrip(" "))
    quoted = _quoted(name, begin)
    if quoted is not None:
        return quoted
    end = name.find(".", start)
    end = len(name) if end < 0 else end
    return name[start:end], end


def _quoted(name: str, start: int) -> tuple[str, int] | None:
    closing = _CLOSING.get(name[start : start + 1])
    if closing is None:
        return None
    text, position = "", start + 1
    while position < len(name):
        if name[position] != closing:
            text, position = text + name[position], position + 1
        elif name[position + 1 : position + 2] == closing:
            text, position = text + closing, position + 2
        else:
            rest = name[position + 1 :].partition(".")[0]
            return None if rest.strip() else (text, position + 1 + len(rest))
    return None
