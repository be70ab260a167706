"""Log lines cannot be forged."""

import json
import logging
from collections.abc import Iterator

import pytest

from core.logs import escape_arguments, step

FORGED = [
    ("a\n2025-01-01 ERROR forged", "a\\u000a2025-01-01 ERROR forged"),
    ("a\r\x1b[31mred", "a\\u000d\\u001b[31mred"),
    ("a\u2028b", "a\\u2028b"),
    ("grün 数据", "grün 数据"),
]


@pytest.fixture(autouse=True)
def _factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    escape_arguments()
    escape_arguments()
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize(("name", "shown"), FORGED)
def test_control_characters_in_arguments_are_escaped(caplog: pytest.LogCaptureFixture, name: str, shown: str) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("uploaded %s (%s), because of %s", name, 7, ValueError(name))
    assert caplog.messages == [f"uploaded {shown} (7), because of {shown}"]


@pytest.mark.parametrize(
    "name", ["grün 数据", 'a "b"', "a\n2025-01-01 ERROR forged", "a\u2028b", "half \ud83d", "\x1b[31m"]
)
def test_a_step_is_one_line_of_json(caplog: pytest.LogCaptureFixture, name: str) -> None:
    with caplog.at_level(logging.INFO):
        step(logging.getLogger("test"), "upload", "uploaded", {"process": name, "created": 3})
    (line,) = caplog.messages
    word, _, content = line.partition(" ")
    assert word == "step"
    assert json.loads(content) == {"step": "upload", "outcome": "uploaded", "process": name, "created": 3}
    assert line.isprintable()


def test_no_line_of_a_traceback_looks_like_a_record(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError('step {"outcome": "kept"}\nstep {"outcome": "kept"}\x1b[31m')
    except ValueError:
        logging.getLogger("test").exception("it failed")
    shown = logging.Formatter("%(message)s").format(caplog.records[0])
    assert [line for line in shown.splitlines() if not line.startswith("  ")] == ["it failed"]
    assert shown.endswith('ValueError: step {"outcome": "kept"}\n  step {"outcome": "kept"}\\u001b[31m')


def test_arguments_by_name_are_escaped_too(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("run %(run)s", {"run": "a\nb"})
    assert caplog.messages == ["run a\\u000ab"]


def test_arguments_are_escaped_once_however_often_it_is_asked_for() -> None:
    factory = logging.getLogRecordFactory()
    escape_arguments()
    assert logging.getLogRecordFactory() is factory
