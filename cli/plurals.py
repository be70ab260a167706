"""Numbers with what they count."""


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, such as ``1 row`` or ``1,234 rows``; ``many`` is the plural unless it only gets an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
