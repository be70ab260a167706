"""Looks up known vulnerabilities of the pinned packages: ``make audit``.

It runs pip-audit, which asks the advisory service of PyPI, and counts a package that the service does not know as not
looked up: pip-audit itself reports no vulnerabilities then, even if it looked up nothing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_UV = Path(sys.executable).parent / "uv"
_PINNED = ("requirements.txt", "requirements-dev.txt")
_VULNERABLE, _NOT_LOOKED_UP = 1, 2


def main() -> None:
    """End with 0 if no package has a known vulnerability, 1 if one has, 2 if that could not be looked up."""
    tool = ("tool", "run", "--quiet", "--with-requirements", "requirements-release.txt", "--from", "pip-audit")
    files = [word for file in _PINNED for word in ("-r", file)]
    options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", *files)
    command = [str(_UV), *tool, "pip-audit", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    code, lines = outcome(done.stdout, done.stderr)
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.exit(code)


def outcome(output: str, errors: str) -> tuple[int, list[str]]:
    """The exit code and the messages for what pip-audit printed."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "it printed nothing")
        return _NOT_LOOKED_UP, [f"Vulnerabilities could not be looked up: {reason[:300]}", _remedy()]
    vulnerable = [line for package in packages for line in _advisories(package)]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        some = ", ".join(unknown[:3])
        text = f"{len(unknown)} of {len(packages)} packages could not be looked up, such as {some}."
        return _VULNERABLE if vulnerable else _NOT_LOOKED_UP, [*vulnerable, text, _remedy()]
    if vulnerable:
        return _VULNERABLE, [*vulnerable, "Raise the versions: scripts/lock --upgrade."]
    return 0, [f"None of {len(packages)} pinned packages has a known vulnerability."]


def _advisories(package: dict[str, Any]) -> Iterator[str]:
    for found in package.get("vulns", ()):
        fixed = ", ".join(found["fix_versions"]) or "no version"
        yield f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}"


def _remedy() -> str:
    return "Nothing is known about them. Run it where https://pypi.org answers; the workflow check.yml does."


if __name__ == "__main__":
    main()
