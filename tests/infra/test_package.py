"""What `azd` and `func` would upload: the app, and nothing next to it on somebody's machine.

Both read ``.funcignore`` as Git reads its own files, and Git answers here.
"""

import subprocess
from pathlib import Path

import pytest

from tests.infra.compiled import ROOT

APP = ["function_app.py", "host.json", "requirements.txt", "core/settings.py", "qualified_names/rules.toml"]
ENVIRONMENTS = [".venv", ".venv313", "venv", "venv3", "env", "my_env", "sparklin-env", "virtualenv", ".direnv", "ENV"]
BESIDE = [
    *(f"{name}/lib/python3.13/site-packages/requests/api.py" for name in ENVIRONMENTS),
    ".tox/py313/lib/x.py", ".env", ".env.local", "local.settings.json", "tests/test_x.py", "infra/main.bicep",
    "docs/x.md", ".local/stack.json", "core/__pycache__/settings.pyc", "infra/azuredeploy.json",
]  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that has the app's .funcignore, and a file of each kind."""
    for name in [*APP, *BESIDE]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".funcignore").write_bytes((ROOT / ".funcignore").read_bytes())
    return tmp_path


def test_the_app_alone_is_uploaded(checkout: Path) -> None:
    names = [*APP, *BESIDE]

    ignored = subprocess.run(
        ["git", "-c", f"core.excludesFile={checkout / '.funcignore'}", "check-ignore", "--no-index", "--stdin"],
        cwd=checkout, input="\n".join(names), capture_output=True, text=True,
    )  # fmt: skip

    assert set(names) - set(ignored.stdout.splitlines()) == set(APP), ignored.stderr
