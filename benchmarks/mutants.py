"""How many small mistakes the tests notice: each mutant of a seeded sample against the tests that run its line.

.venv/bin/python -m benchmarks.mutants [--seed N] [--sample N] [--record-again] [WORD…]

Samples mutants of the functions of the app and the command line, only those whose file contains one of the words if
there are any. Which test runs which line is recorded once, by the tests of `make test` that run in one process
(`--record-again` repeats this; Python 3.12 or newer); it is kept in `.local/mutants`. A mutant counts as noticed if one
of its tests fails or does not end. Prints the share that was noticed, by package, and every mutant that was not.

Mistakes: a condition, comparison, AND/OR, sum, number, flag or `not` is another one, a result is None, a call is left
out. Not sampled: messages, log lines, annotations, and what runs only at import or in other processes.
"""

import argparse
import ast
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local import environment

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "receiver", "parser", "qualified_names", "purview", "storage", "pipeline", "cli")
RECORD = ROOT / ".local" / "mutants"
#: The tests of `make test` that run the app in their own process: the mirror folders, and some that commands have.
RECORDED = (
    *(f"tests/{package}" for package in PACKAGES),
    *("tests/hostile", "tests/restore", "tests/local/test_doctor.py", "tests/local/test_verify.py"),
)
PLUGIN = ("-p", "benchmarks.mutants_plugin", "-q", "-p", "no:cacheprovider", "--no-header")
#: Seconds of tests (as they took when they were recorded) that are tried on a mutant, first and in all.
FIRST, MOST = 5.0, 60.0
LIMIT = 300
#: Starts processes that have imported what all tests need of other packages, but nothing of the app.
FRESH = multiprocessing.get_context("forkserver")
IMPORTED = [
    "azure.data.tables", "azure.identity", "azure.storage.blob", "azure.storage.queue", "jsonschema", "msgspec",
    "pyapacheatlas.core", "pytest", "requests", "typer.testing",
]  # fmt: skip

SWAPS: Mapping[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
#: Arguments whose change is no mistake in what a function does.
SKIPPED_ARGUMENTS = {"strict", "exc_info", "daemon", "name", "maxsize", "encoding", "help", "ensure_ascii", "indent"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: its number within its file, its line and that of its statement, and a description."""

    file: str
    number: int
    line: int
    statement: int
    what: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change that can be made to a tree, and the lines of its node and its statement."""

    line: int
    statement: int
    what: str
    make: Callable[[], None]


def changes(tree: ast.AST) -> Iterator[Change]:
    """Every change of a module's functions, in the same order each time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                yield from _below(statement, statement.lineno)


def _below(node: ast.AST, statement: int) -> Iterator[Change]:
    # A function inside a function is found on its own.
    if isinstance(node, ast.FunctionDef) or _is_skipped(node):
        return
    line = getattr(node, "lineno", statement)
    statement = line if isinstance(node, ast.stmt) else statement
    for what, make in _of(node):
        yield Change(line, statement, what, make)
    for name, child in _children(node):
        if name not in ("annotation", "returns"):
            yield from _below(child, statement)


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for name, value in ast.iter_fields(node):
        listed = value if isinstance(value, list) else [value]
        yield from ((name, each) for each in listed if isinstance(each, ast.AST))


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.Assert() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
        case ast.keyword(arg=name):
            return name in SKIPPED_ARGUMENTS
    return False


def _of(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """The changes of one node, in words and in deed."""
    match node:
        case ast.Compare(ops=[operation]) if type(operation) in SWAPS:
            yield (_swapped(operation), lambda: setattr(node, "ops", [SWAPS[type(operation)]()]))
        case ast.BoolOp(op=operation) | ast.BinOp(op=operation) if type(operation) in SWAPS:
            yield (_swapped(operation), lambda: setattr(node, "op", SWAPS[type(operation)]()))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ("without not", lambda: setattr(node, "operand", _negated(operand)))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield ("the condition is negated", lambda: setattr(node, "test", _negated(test)))
        case ast.Constant(value=bool(flag)):
            yield (f"{flag} → {not flag}", lambda: setattr(node, "value", not flag))
        case ast.Constant(value=int(count)):
            yield (f"{count} → {count + 1}", lambda: setattr(node, "value", count + 1))
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ("returns None", lambda: setattr(node, "value", ast.Constant(None)))
        case ast.Expr(value=ast.Call()):
            yield ("the call is left out", lambda: setattr(node, "value", ast.Constant(None)))


def _swapped(operation: ast.AST) -> str:
    return f"{type(operation).__name__} → {SWAPS[type(operation)].__name__}"


def _negated(expression: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), expression)


def mutated(source: str, number: int) -> ast.Module:
    """The module with one change."""
    tree = ast.parse(source)
    list(changes(tree))[number].make()
    return ast.fix_missing_locations(tree)


def all_mutants(words: Sequence[str]) -> list[Mutant]:
    files = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    names = [str(path.relative_to(ROOT)) for path in files]
    return [
        Mutant(name, number, change.line, change.statement, change.what)
        for name in names
        if not words or any(word in name for word in words)
        for number, change in enumerate(changes(ast.parse((ROOT / name).read_text("utf-8"))))
    ]


def record() -> None:
    """Run the fast tests and write down which lines each of them runs."""
    RECORD.mkdir(parents=True, exist_ok=True)
    for file in RECORD.glob("*.jsonl"):
        file.unlink()
    command = [sys.executable, "-m", "pytest", *PLUGIN, "-n", "auto", "-m", "not exhaustive", *RECORDED]
    subprocess.run(command, cwd=ROOT, env={**environment.variables(), "MUTANTS_RECORD": str(RECORD)}, check=True)


def tests_by_line(wanted: set[tuple[str, int]]) -> Mapping[tuple[str, int], list[tuple[float, str]]]:
    """The tests that run each of the lines: their seconds and names, the shortest first."""
    found: dict[tuple[str, int], list[tuple[float, str]]] = defaultdict(list)
    files = {file for file, _ in wanted}
    for part in RECORD.glob("*.jsonl"):
        with part.open(encoding="utf-8") as lines:
            for test, seconds, ran in map(json.loads, lines):
                for file in files & ran.keys():
                    for line in {(file, number) for number in ran[file]} & wanted:
                        found[line].append((seconds, test))
    return {line: sorted(tests) for line, tests in found.items()}


def is_noticed(mutant: Mutant, tests: Sequence[tuple[float, str]]) -> bool:
    """Whether one of the tests fails. Those of the mirror folder come first, then the shortest; two rounds."""
    package = f"tests/{mutant.file.partition('/')[0]}"
    waiting = [name for _, name in sorted(tests, key=lambda test: (not test[1].startswith(package), test[0]))]
    seconds = {name: took for took, name in tests}
    for most in (FIRST, MOST):
        chosen: list[str] = []
        while waiting and len(chosen) < 400 and sum(seconds[name] for name in chosen) <= most:
            chosen.append(waiting.pop(0))
        if chosen and fails(mutant, chosen):
            return True
    return False


def fails(mutant: Mutant, tests: Sequence[str]) -> bool:
    with TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        process = FRESH.Process(target=run, args=(mutant, tests, output))
        process.start()
        process.join(LIMIT)
        if process.exitcode is None and process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        if b"no match in any of" in output.read_bytes():
            raise SystemExit("The record names tests that no longer exist: record again, with --record-again.")
    return process.exitcode != 0


def run(mutant: Mutant, tests: Sequence[str], output: Path) -> None:
    """In a process of its own: runs the tests on the mutant until one fails, and exits as pytest does."""
    os.setsid()
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    environment.add_missing({"MUTANT": f"{mutant.file}:{mutant.number}"})
    # A file, because the names of some tests are longer than a command may be.
    names = output.with_name("tests.txt")
    names.write_text("\n".join(tests), "utf-8")
    code = pytest.main([*PLUGIN, "-n", "0", "-x", "-o", "timeout=60", f"@{names}"])
    sys.stdout.flush()
    sys.stderr.flush()
    # A mutant may leave threads that never end.
    os._exit(code)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("words", nargs="*", metavar="WORD")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--sample", type=int, default=120)
    options.add_argument("--record-again", action="store_true")
    given = options.parse_args()
    if given.record_again or not list(RECORD.glob("*.jsonl")):
        record()
    FRESH.set_forkserver_preload(IMPORTED)
    known = all_mutants(given.words)
    sample = random.Random(given.seed).sample(known, min(given.sample, len(known)))
    lines = {(mutant.file, line) for mutant in sample for line in (mutant.line, mutant.statement)}
    tests = tests_by_line(lines)

    def noticed_by_its_tests(mutant: Mutant) -> bool:
        # Not every line of a statement is one that Python reports.
        own = tests.get((mutant.file, mutant.line)) or tests.get((mutant.file, mutant.statement)) or []
        noticed = is_noticed(mutant, own)
        print("." if noticed else "!", end="", file=sys.stderr, flush=True)
        return noticed

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = list(pool.map(noticed_by_its_tests, sample))
    report(list(zip(sample, noticed, strict=True)), len(known), given.seed)


def report(results: Sequence[tuple[Mutant, bool]], known: int, seed: int) -> None:
    by_package: dict[str, list[bool]] = defaultdict(list)
    for mutant, noticed in results:
        by_package[mutant.file.partition("/")[0]].append(noticed)
    for package, found in sorted(by_package.items()):
        print(f"{package:16} {sum(found):4} of {len(found):4}")
    total = sum(noticed for _, noticed in results)
    print(f"{'all':16} {total:4} of {len(results):4} = {total / len(results):.0%} (of {known} mutants, seed {seed})")
    for mutant, noticed in sorted(results, key=lambda each: (each[0].file, each[0].line)):
        if not noticed:
            print(f"not noticed: {mutant.file}:{mutant.line}: {mutant.what}")


if __name__ == "__main__":
    main()
