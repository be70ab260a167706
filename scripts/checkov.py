"""Check the templates with checkov, which is not a dependency of the project: ``python3 scripts/checkov.py``.

checkov reads resources from lists, which compiled templates do not have, so it gets the snapshots of tests/infra. Its
findings are compared with those that docs/deployment.md lists with their reasons; others end it with an error.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def main() -> int:
    command = [found] if (found := shutil.which("checkov")) else ["pipx", "run", "checkov"]
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((ROOT / "tests" / "infra" / "snapshots").glob("*.snapshot.json")):
            resources = json.loads(path.read_text("utf-8"))["predictedResources"]
            template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}
            (Path(folder) / f"{path.name.partition('.')[0]}.json").write_text(json.dumps(template), "utf-8")
        words = ["-d", folder, "--framework", "arm", "--skip-download", "--soft-fail", "-o", "json"]
        ran = subprocess.run([*command, *words], capture_output=True, text=True, check=True)  # noqa: S603
    result: dict[str, Any] = json.loads(ran.stdout)
    found_ids = {each["check_id"]: each["check_name"] for each in result["results"]["failed_checks"]}
    listed = set(re.findall(r"CKV_AZURE_\d+", (ROOT / "docs" / "deployment.md").read_text("utf-8")))
    lines = [f"{result['summary']['passed']} passed, {result['summary']['failed']} failed, {len(found_ids)} kinds"]
    lines += [
        f"{each} is not listed in docs/deployment.md: {found_ids[each]}" for each in found_ids if each not in listed
    ]
    lines += [f"{each} is listed in docs/deployment.md, but not found" for each in listed - found_ids.keys()]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(found_ids.keys() != listed)


if __name__ == "__main__":
    sys.exit(main())
