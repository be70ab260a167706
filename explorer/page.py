"""One self-contained HTML file with the lineage explorer: no server, no network, no build step."""

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import Final

_VIEWER = Path(__file__).with_name("viewer")
SCRIPT: Final = (_VIEWER / "explorer.js").read_text("utf-8")
STYLE: Final = (_VIEWER / "explorer.css").read_text("utf-8")

_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
# Only this script runs, and nothing is loaded. The script starts itself as a Web Worker, and draws a PNG from a blob.
POLICY: Final = (
    f"default-src 'none'; script-src 'sha256-{_HASH}'; worker-src blob: 'self'; style-src 'unsafe-inline'; "
    "img-src data: blob:; form-action 'self'; base-uri 'none'"
)


def page(graph_json: str, title: str) -> str:
    """Return the explorer of a graph as one HTML file.

    ``graph_json`` is a graph in the form of docs/contracts/lineage.schema.json. The file also works by mail and
    without a network.
    """
    shown = escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<title>{shown}</title>\n<link rel="icon" href="data:,">\n<style>\n{STYLE}</style>\n</head>\n'
        '<body class="explorer">\n'
        f'<header class="title"><h1>{shown}</h1><p>Lineage by Sparklin</p></header>\n'
        f"<main>{explorer(graph_json, title)}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def explorer(graph_json: str, title: str, *, process: str = "", asset_page: str = "", scrolls: bool = False) -> str:
    """Return the elements of the explorer, for a page that has ``STYLE`` and runs ``SCRIPT`` after them.

    ``process`` is the id of the process that is selected first, ``asset_page`` the address of an asset's page with
    ``{guid}`` in it. ``scrolls`` is true for a page that is longer than the window: the wheel then scrolls the page
    instead of zooming.
    """
    data = {"title": title, "process": process, "page": asset_page}
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items() if value)
    return (
        f'<div id="explorer"{attributes}{" data-scrolls" if scrolls else ""}>'
        "<noscript><p>The lineage explorer needs JavaScript.</p></noscript></div>\n"
        f'<script type="application/json" id="lineage">{_in_script(graph_json)}</script>\n'
    )


def _in_script(json_text: str) -> str:
    """JSON that cannot end the script element that it is in, nor begin a comment there."""
    return json_text.replace("<", "\\u003c")
