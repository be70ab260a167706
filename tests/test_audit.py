"""What `make audit` reports: a package that could not be checked never counts as free of vulnerabilities."""

import json
from typing import Any

import pytest

from scripts.audit import outcome

FINE = {"name": "rich", "version": "15.0.0", "vulns": []}
UNKNOWN = {"name": "typer", "skip_reason": "Dependency not found on PyPI and could not be audited: typer (0.29.2)"}
BAD = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2"]}]}
BAD_FOR_GOOD = {"name": "y", "version": "2", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}


@pytest.mark.parametrize(
    ("packages", "code", "first"),
    [
        ([FINE], 0, "None of 1 pinned packages has a known vulnerability."),
        ([FINE, UNKNOWN], 2, "1 of 2 packages could not be looked up, such as typer."),
        ([BAD, FINE], 1, "x 1: PYSEC-1, fixed in 1.1, 2"),
        ([BAD_FOR_GOOD, UNKNOWN], 1, "y 2: PYSEC-2, fixed in no version"),
    ],
)
def test_what_was_found(packages: list[Any], code: int, first: str) -> None:
    found, lines = outcome(json.dumps({"dependencies": packages, "fixes": []}), "No known vulnerabilities found\n")
    assert (found, lines[0]) == (code, first)
    assert ("Nothing is known about them" in " ".join(lines)) is (UNKNOWN in packages)


def test_without_network_it_is_a_sentence() -> None:
    errors = "Traceback (most recent call last):\n  File …\nrequests.exceptions.ConnectionError: no route to host\n\n"
    code, lines = outcome("", errors)
    assert code == 2
    assert lines == [
        "Vulnerabilities could not be looked up: requests.exceptions.ConnectionError: no route to host",
        "Nothing is known about them. Run it where https://pypi.org answers; the workflow check.yml does.",
    ]
