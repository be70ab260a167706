"""docs/performance.md is printed by the benchmark, and contains its current prose."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_prose_of_the_benchmark() -> None:
    prose = [line for line in _lines("benchmarks/performance.txt") if "$" not in line]
    page = _lines("docs/performance.md")

    assert [line for line in prose if line not in page] == [], "run `.venv/bin/python -m benchmarks.performance`"


def _lines(path: str) -> list[str]:
    return (ROOT / path).read_text("utf-8").splitlines()
