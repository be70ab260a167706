"""What the texts of settings mean, and which are refused, with words that follow the setting's name."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from core.folder_address import FolderAddress
from core.setting_values import (
    at_most,
    flag,
    folders,
    mapping,
    one_of,
    patterns,
    positive,
    seconds,
    url,
    whole_number,
    words,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (url, "https://a.example.net/x/", "https://a.example.net/x"),
        (url, "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (whole_number, "0", 0),
        (whole_number, " 12 ", 12),
        (at_most(10), "0", 0),
        (at_most(10), "10", 10),
        (at_most(10, least=1), "1", 1),
        (positive, "1", 1),
        (seconds, "2.5", 2.5),
        (seconds, "0.5", 0.5),
        (flag, "TRUE", True),
        (flag, "False", False),
        (words, " a, b;c\nd ,", ("a", "b", "c", "d")),
        (words, "", ()),
        (patterns, "a|b | c\n\n d ", (re.compile("a|b"), re.compile("c"), re.compile("d"))),
        (
            folders,
            "https://lake.dfs.core.windows.net/c/a\nabfss://c@lake.dfs.core.windows.net/a https://lake.blob.x/d",
            (
                FolderAddress("https://lake.blob.core.windows.net", "c", "a"),
                FolderAddress("https://lake.blob.x", "d", ""),
            ),
        ),
        (mapping, '{"a": "b"}', {"a": "b"}),
        (mapping, "{}", {}),
        (one_of(("none", "gzip")), "GZip", "gzip"),
    ],
)
def test_a_value_is_read(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (url, "ftp://a.example.net", "must be an address"),
        (url, "https://", "must be an address"),
        (whole_number, "-1", "must be a whole number, 0 or more"),
        (whole_number, "1.5", "must be a whole number, 0 or more"),
        (at_most(10), "11", "must be from 0 to 10"),
        (at_most(10, least=1), "0", "must be from 1 to 10"),
        (positive, "0", "must be greater than 0"),
        (seconds, "0", "greater than 0"),
        (seconds, "inf", "greater than 0"),
        (seconds, "soon", "greater than 0"),
        (flag, "yes", "must be true or false, not 'yes'"),
        (patterns, "a | (", "has a regular expression that is not one: '('"),
        (mapping, "[]", "must be a JSON object"),
        (mapping, '{"a": 1}', "must be a JSON object"),
        (mapping, "{", "must be a JSON object"),
        (one_of(("none", "gzip")), "zip", "must be one of none, gzip, not 'zip'"),
    ],
)
def test_a_wrong_value_is_refused(read: Callable[[str], Any], text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read(text)
    assert reason in str(caught.value)
