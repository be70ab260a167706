"""For benchmarks.mutants, inside pytest: puts one mutant into the app, or records which lines each test runs.

``MUTANT`` is ``file:number``; the file on disk stays as it is. ``MUTANTS_RECORD`` is the folder for the record, with a
file of JSON lines for each process: ``[test, seconds, {file: [lines]}]``.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from benchmarks.mutants import PACKAGES, ROOT, mutated
from local import environment

MUTANT = environment.variables().get("MUTANT", "")
RECORD = environment.variables().get("MUTANTS_RECORD", "")

monitoring: Any = vars(sys).get("monitoring")  # of Python 3.12 and newer

_ran: dict[str, set[int]] = defaultdict(set)
_get_code = SourceFileLoader.get_code


def _own(path: str) -> str:
    """A file of the app, by its path in the checkout; "" for any other."""
    file = Path(path)
    name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else ""
    return name if name.partition("/")[0] in PACKAGES else ""


def _code(loader: SourceFileLoader, name: str) -> CodeType | None:
    own = _own(loader.path)
    file, _, number = MUTANT.rpartition(":")
    if own and own == file:
        tree = mutated(loader.get_data(loader.path).decode("utf-8"), int(number))
        return compile(tree, loader.path, "exec", dont_inherit=True)
    code = _get_code(loader, name)
    if own and RECORD and code:
        for each in _all(code):
            monitoring.set_local_events(monitoring.COVERAGE_ID, each, monitoring.events.LINE)
    return code


def _all(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all(constant)


def _line(code: CodeType, number: int) -> object:
    _ran[_own(code.co_filename)].add(number)
    return monitoring.DISABLE


SourceFileLoader.get_code = _code  # type: ignore[method-assign,assignment]
if RECORD:
    monitoring.use_tool_id(monitoring.COVERAGE_ID, "mutants")
    monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, _line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Record the lines of one test, with its fixtures."""
    if not RECORD:
        return (yield)
    monitoring.restart_events()
    _ran.clear()
    began = time.monotonic()
    try:
        return (yield)
    finally:
        ran = {file: sorted(lines) for file, lines in _ran.items()}
        with (Path(RECORD) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([item.nodeid, round(time.monotonic() - began, 3), ran]) + "\n")
