"""Print the table of docs/settings.md from the descriptions in ``core.settings.Settings``.

.venv/bin/python -m scripts.settings_table
"""

import dataclasses
import re
from collections.abc import Mapping

from core.settings import Settings


def settings_table() -> str:
    """The Markdown table: name, default, meaning."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for setting in dataclasses.fields(Settings):
        doc = setting.metadata["doc"].replace("|", r"\|")
        rows.append(f"| `{setting.name.upper()}` | {_default(setting)} | {doc} |")
    return "\n".join(rows)


def _default(setting: "dataclasses.Field[object]") -> str:
    value = setting.default if setting.default is not dataclasses.MISSING else None
    if value in (None, "", ()) or isinstance(value, Mapping | tuple | re.Pattern):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(settings_table())  # noqa: T201
