"""The command `sparklin` outside a checkout: what the wheel holds, what it needs, and that it runs."""

import importlib.metadata
import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from core.version import VERSION

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
DATASET = ("abfss://data@contosolake.dfs.core.windows.net", "raw/crm/customer")
EVENTS = ROOT / "tests/corpus/openlineage-1.53.0_spark-3.5.1/tutorial_customer_master"
# Python without the files that put the checkout on its path: only the wheel and the packages next to it.
ISOLATED = "import sys; sys.path[1:1] = sys.argv[1:3]; del sys.argv[1:3]; "
RUN = f"{ISOLATED} from cli.main import app; app()"
IMPORT = (
    f"{ISOLATED} import importlib; print(*(importlib.import_module(name).__file__ for name in sys.argv[1:]), sep='\\n')"
)


# The wheel is built once, for all tests.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel was unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--wheel", "--offline", "--no-build-isolation", "--quiet", "--python", sys.executable)
    subprocess.run([UV, "build", *options, "--out-dir", folder, ROOT], check=True, timeout=120)
    (archive,) = folder.glob("*.whl")
    unpacked = folder / "unpacked"
    zipfile.ZipFile(archive).extractall(unpacked)
    return unpacked


def python(code: str, wheel: Path, *arguments: str | Path) -> str:
    """What Python prints, which finds the wheel, but not the checkout."""
    command = [sys.executable, "-I", "-S", "-c", code, wheel, sysconfig.get_path("purelib"), *arguments]
    run = subprocess.run(command, cwd=wheel.parent, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def modules(folder: Path) -> list[str]:
    files = (file.relative_to(folder).with_suffix("") for file in folder.rglob("*.py"))
    return sorted(".".join(file.parts).removesuffix(".__init__") for file in files)


@pytest.mark.exhaustive
def test_all_modules_of_the_wheel_can_be_imported_without_the_checkout(wheel: Path) -> None:
    loaded = python(IMPORT, wheel, *modules(wheel)).splitlines()

    assert len(loaded) > 100
    assert [file for file in loaded if not file.startswith(str(wheel))] == []


def test_packages_are_whole_with_their_data(wheel: Path) -> None:
    def files(root: Path) -> set[str]:
        packages = [folder.name for folder in wheel.iterdir() if folder.is_dir() and folder.suffix != ".dist-info"]
        found = (file.relative_to(root) for package in packages for file in (root / package).rglob("*"))
        return {str(file) for file in found if file.suffix and "__pycache__" not in file.parts}

    assert files(wheel) == files(ROOT)
    data = {
        "qualified_names/rules.toml",
        "core/operations.json",
        "cli/spark_settings.toml",
        "explorer/viewer/explorer.js",
    }
    assert data | {"cli/main.py"} <= files(wheel)


def test_triggers_stack_and_tests_are_no_part_of_it(wheel: Path) -> None:
    tops = {path.stem for path in wheel.iterdir()}

    assert tops.isdisjoint({"function_app", "local", "tests", "scripts", "benchmarks", "examples"})


def test_it_has_the_version_of_the_app(wheel: Path) -> None:
    (metadata,) = wheel.glob("*.dist-info")

    assert importlib.metadata.PathDistribution(metadata).version == VERSION
    assert python(RUN, wheel, "--version") == f"sparklin {VERSION}\n"


def test_names_are_explained_by_the_rules_in_the_wheel(wheel: Path) -> None:
    explained = json.loads(python(RUN, wheel, "explain", *DATASET))

    assert explained["rule"] == "adls-gen2"


@pytest.mark.exhaustive
def test_events_are_previewed_from_anywhere(wheel: Path) -> None:
    (process,) = json.loads(python(RUN, wheel, "preview", EVENTS))

    assert process["process"]["typeName"] == "azure_synapse_operation"
    assert process["columns"]


@pytest.mark.exhaustive
def test_the_command_runs_from_a_checkout_with_its_declared_dependencies_only(tmp_path: Path) -> None:
    options = ("--isolated", "--quiet", "--python", sys.executable, "--constraints", ROOT / "requirements-dev.txt")
    command = (UV, "tool", "run", *options, "--from", f"{ROOT}[cli]", "sparklin", "explain", *DATASET)

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["rule"] == "adls-gen2"
