"""Imports go downhill, also those inside functions: from the triggers through the pipeline and the rooms to core.

What the rules are is in ``MAY_IMPORT`` and ``OUTSIDE``; why, in docs/decisions/0001. Each fault is named as
``file:line: what``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("receiver", "parser", "qualified_names", "purview", "storage")
EVERYTHING = (
    *ROOMS,
    "core",
    "pipeline",
    "function_app",
    "explorer",
    "cli",
    "local",
    "tests",
    "benchmarks",
    "examples",
    "scripts",
)

PRODUCT = (*ROOMS, "core", "pipeline", "explorer", "cli", "local")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "core": ("core",),
    **{room: (room, "core") for room in ROOMS},
    "pipeline": ("pipeline", *ROOMS, "core"),
    "function_app": ("pipeline", *ROOMS, "core"),
    "explorer": ("explorer", "pipeline", *ROOMS, "core"),
    "cli": ("cli", "explorer", "pipeline", *ROOMS, "core"),
    # It drives function_app.py as Azure would, by its triggers; the demo checks the result.
    "local": ("local", "cli", "explorer", "pipeline", *ROOMS, "core"),
    "examples": (),
    "scripts": ("scripts", "core"),
    "tests": EVERYTHING,
    "benchmarks": EVERYTHING,
}
# The one command of the product that starts the local stack.
CLI_DEMO = "cli/demo.py"

# Third-party modules, and who may use them.
OUTSIDE: dict[str, tuple[str, ...]] = {
    "azure.functions": ("function_app", "local/host", "tests"),
    "azure": ("function_app", "storage", "purview", "local", "tests", "benchmarks"),
    "pyapacheatlas": ("purview", "examples", "tests", "benchmarks"),
}
ENVIRONMENT = ("core/settings.py", "local", "scripts", "tests", "benchmarks", "examples")
ENVIRONMENT_NAMES = ("environ", "environb", "getenv", "getenvb", "putenv")


def faults(root: Path) -> list[str]:
    """Every place under ``root`` that breaks a rule, as ``file:line: what``."""
    return [
        f"{file.relative_to(root)}:{line}: {fault}"
        for file in files(root)
        for line, fault in sorted(faults_of(file, root))
    ]


def files(root: Path) -> list[Path]:
    """All Python files of ours, so also those of a room that is not listed here yet."""
    tops = (top for top in root.iterdir() if not top.name.startswith("."))
    found = (path for top in tops for path in ([top] if top.suffix == ".py" else top.rglob("*.py")))
    return sorted(path for path in found if "node_modules" not in path.relative_to(root).parts)


def faults_of(file: Path, root: Path) -> Iterator[tuple[int, str]]:
    place = file.relative_to(root)
    level = place.parts[0].removesuffix(".py")
    if level not in MAY_IMPORT:
        yield 1, f"{level} has no place in tests/test_layers.py yet"
        return
    try:
        tree = ast.parse(file.read_text("utf-8"), str(file))
    except SyntaxError as error:
        yield error.lineno or 1, f"is no Python: {error.msg}"
        return
    for line, module in imports(tree, place):
        target = module.partition(".")[0]
        if target in EVERYTHING and target not in MAY_IMPORT[level] and not is_demo(place, target):
            yield line, f"{level} imports {module}; it may import {', '.join(MAY_IMPORT[level]) or 'nothing of ours'}"
        owner = next((name for name in OUTSIDE if f"{module}.".startswith(f"{name}.")), None)
        if owner and not is_below(place, OUTSIDE[owner]):
            yield line, f"only {', '.join(OUTSIDE[owner])} may import {owner}"
    if not is_below(place, ENVIRONMENT):
        for line in environment_uses(tree):
            yield line, "only core/settings.py reads the environment"


def is_demo(place: Path, target: str) -> bool:
    return place.as_posix() == CLI_DEMO and target == "local"


def is_below(place: Path, owners: tuple[str, ...]) -> bool:
    name = place.as_posix().removesuffix(".py")
    return any(f"{name}/".startswith(f"{owner.removesuffix('.py')}/") for owner in owners)


def imports(tree: ast.AST, place: Path) -> Iterator[tuple[int, str]]:
    """Each imported module with its line; of ``from azure import functions`` both ``azure`` and its part."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, place)
            for name in node.names:
                yield node.lineno, f"{base}.{name.name}".strip(".")
        elif isinstance(node, ast.Call) and called(node) in ("__import__", "import_module"):
            yield from ((node.lineno, str(name.value)) for name in node.args[:1] if isinstance(name, ast.Constant))


def absolute(node: ast.ImportFrom, place: Path) -> str:
    if not node.level:
        return node.module or ""
    package = place.parts[: len(place.parts) - node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def environment_uses(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ENVIRONMENT_NAMES:
                yield node.lineno
            case ast.ImportFrom(module="os", names=names) if any(name.name in ENVIRONMENT_NAMES for name in names):
                yield node.lineno


def test_imports_go_downhill() -> None:
    found = faults(ROOT)

    assert not found, "\n".join(found)


def test_neighbouring_folders_have_no_modules_with_the_same_name() -> None:
    names: dict[Path, set[str]] = {}
    for file in files(ROOT):
        if file.relative_to(ROOT).parts[0] in PRODUCT and not file.stem.startswith("__"):
            names.setdefault(file.parent, set()).add(file.stem)
    near = [(one, two) for one in names for two in names if one < two and are_near(one, two)]

    assert {(one, two): names[one] & names[two] for one, two in near if names[one] & names[two]} == {}


def are_near(one: Path, two: Path) -> bool:
    return two.parent in (one, one.parent)


def test_every_room_was_looked_at() -> None:
    seen = {path.relative_to(ROOT).parts[0] for path in files(ROOT)}

    assert {"function_app.py", "pipeline", "core", "local", "scripts", "examples", "tests", *ROOMS} <= seen


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            "parser/merge.py",
            "import purview.catalog",
            "parser imports purview.catalog; it may import parser, core",
        ),
        ("parser/merge.py", "from purview import catalog", "parser imports purview.catalog"),
        (
            "parser/merge.py",
            "def f():\n    from storage.locks import Locks",
            "parser imports storage.locks.Locks",
        ),
        ("parser/deep/er.py", "from ... import storage", "parser imports storage"),
        ("parser/merge.py", "import pipeline", "parser imports pipeline"),
        ("parser/merge.py", "import importlib\nimportlib.import_module('cli.main')", "parser imports cli.main"),
        ("core/events.py", "from parser.merge import merge", "core imports parser.merge.merge; it may import core"),
        ("pipeline/run.py", "import cli.main", "pipeline imports cli.main"),
        ("pipeline/run.py", "import function_app", "pipeline imports function_app"),
        ("function_app.py", "import local.host", "function_app imports local.host"),
        ("cli/main.py", "from local import stack", "cli imports local.stack"),
        ("cli/main.py", "import function_app", "cli imports function_app"),
        ("local/host/host.py", "import function_app", "local imports function_app"),
        ("scripts/bootstrap.py", "import cli.main", "scripts imports cli.main; it may import scripts, core"),
        (
            "pipeline/run.py",
            "import azure.functions as func",
            "only function_app, local/host, tests may import azure.f",
        ),
        ("pipeline/run.py", "from azure import functions", "only function_app, local/host, tests may import azure.f"),
        ("local/page.py", "import azure.functions", "only function_app, local/host, tests may import azure.functions"),
        ("receiver/accept.py", "from azure.storage.blob import BlobClient", "may import azure"),
        ("storage/locks.py", "import pyapacheatlas", "only purview, examples, tests, benchmarks may import pyap"),
        ("purview/catalog.py", "import os\nos.environ['X']", "only core/settings.py reads the environment"),
        ("purview/catalog.py", "from os import getenv", "only core/settings.py reads the environment"),
        ("annexe/shed.py", "import json", "annexe has no place in tests/test_layers.py yet"),
    ],
)
def test_a_planted_fault_is_named(tmp_path: Path, file: str, line: str, message: str) -> None:
    plant(tmp_path, file, f'"""A module."""\n\n{line}\n')
    place = 1 if file.startswith("annexe") else 2 + len(line.splitlines())

    (fault,) = faults(tmp_path)

    assert fault.startswith(f"{file}:{place}: ")
    assert message in fault


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("function_app.py", "import azure.functions, pipeline, storage.locks, core.settings"),
        ("pipeline/run.py", "import receiver.accept, parser.merge, pipeline.retries"),
        ("storage/clients.py", "from azure.storage.blob import BlobServiceClient"),
        ("purview/catalog.py", "import pyapacheatlas, azure.identity, core.errors"),
        ("core/settings.py", "import os\nos.environ.get('X')"),
        ("local/host/worker.py", "import azure.functions"),
        ("local/environment.py", "import os\nos.environ.get('X')"),
        ("cli/demo.py", "import local.stack"),
        ("cli/main.py", "from . import explain"),
        ("parser/logical_plan/operator_rules.py", "from ..columns import columns"),
    ],
)
def test_what_is_allowed_is_not_named(tmp_path: Path, file: str, line: str) -> None:
    plant(tmp_path, file, f"{line}\n")

    assert faults(tmp_path) == []


def plant(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
