"""The order in which .NET sorts text, for ASCII: that of ICU's root collation.

The accelerator sorts the names of inputs with ``string.CompareTo``, which goes by language and not by code: all
punctuation comes before digits, these before letters, and case decides only between texts that are otherwise equal.
"""

_PRIMARY = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
_RANKS = {character: rank for rank, character in enumerate(_PRIMARY)}


def collation_key(text: str) -> tuple[list[int], list[bool]]:
    """A key that sorts as the collation does; characters outside ASCII come last, by their code."""
    folded = text.lower()
    return [_RANKS.get(each, len(_PRIMARY) + ord(each)) for each in folded], [each.isupper() for each in text]
