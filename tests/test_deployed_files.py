"""What .funcignore leaves to be deployed is exactly what function_app.py needs, imports inside functions included."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_layers import imports

ROOT = Path(__file__).parent.parent
BESIDE_THE_CODE = {"host.json", "requirements.txt", "LICENSE", "NOTICE"}


def is_checkout() -> bool:
    return subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not is_checkout(), reason="not a git checkout, so the files of the project are not known"
)


def test_the_deployed_modules_are_those_that_the_functions_reach() -> None:
    assert {path for path in deployed() if path.suffix == ".py"} == set(reached(Path("function_app.py")))


def test_the_deployed_data_files_are_those_that_the_modules_load() -> None:
    data = {path for path in deployed() if path.suffix != ".py" and len(path.parts) > 1}

    assert data, "the rules of names are data files"
    for path in data:
        beside = [module for module in reached(Path("function_app.py")) if module.parent in path.parents]
        assert any(f'"{path.name}"' in (ROOT / module).read_text("utf-8") for module in beside), path


def test_only_what_azure_reads_is_deployed_next_to_the_code() -> None:
    assert {path.name for path in deployed() if len(path.parts) == 1 and path.suffix != ".py"} == BESIDE_THE_CODE


def deployed() -> set[Path]:
    """The files of the project, committed or about to be, that .funcignore does not exclude."""
    ignored = "--ignored", "--exclude-from=.funcignore"
    ours = set(git("--cached", "--others", "--exclude-standard"))
    excluded = set(git("--cached", *ignored)) | set(git("--others", *ignored))
    return {Path(path) for path in ours - excluded if (ROOT / path).exists()}


def reached(start: Path) -> Iterator[Path]:
    """``start`` and all modules of the project that it imports, directly or not."""
    seen, waiting = {start}, [start]
    while waiting:
        module = waiting.pop()
        yield module
        found = {
            path for _, name in imports(ast.parse((ROOT / module).read_text("utf-8")), module) for path in files(name)
        }
        waiting += found - seen
        seen |= found


def files(name: str) -> Iterator[Path]:
    """The files that an import of the dotted ``name`` executes: of ``a.b.c`` also ``a/__init__.py`` and ``a/b.py``."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        base = Path(*parts[:length])
        yield from (path for path in (base.with_suffix(".py"), base / "__init__.py") if (ROOT / path).is_file())


def git(*options: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *options, "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split("\0") if path]
