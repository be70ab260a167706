"""The parts of every page: head, search box, style and, for lineage, the script of the explorer."""

from pathlib import Path

from explorer.page import SCRIPT, STYLE
from local.data_map.markup import Child, Html, html, tag

__all__ = ["CONTENT_POLICY", "SCRIPT", "SCRIPT_PATH", "frame", "table"]

_STYLE = STYLE + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
SCRIPT_PATH = "/explorer.js"

# Whatever a name in the catalogue contains, only the scripts of these pages run. The icon, empty so that no browser
# asks for one, is in the page itself.
CONTENT_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'self'; worker-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


# Title and address of the pages to which all others link.
_PAGES = (("Overview", "/overview"), ("Lineage", "/lineage"), ("Assets", "/"))


def frame(title: str, *content: Child, query: str = "", script: str = "", is_full: bool = False) -> str:
    """Returns a whole page; with ``is_full`` the content fills the window. ``script`` is an address."""
    brand = tag("a", "Sparklin ", tag("span", "local Data Map"), href="/", class_="brand")
    links = (tag("a", name, href=address, aria_current="page" if name == title else None) for name, address in _PAGES)
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", tag("div", brand, tag("nav", links, aria_label="Pages"), _search(query)), class_="top"),
        tag("main", content, id="content", class_="full" if is_full else None),
        tag("script", src=script) if script else None,
    )
    return html([Html("<!doctype html>\n"), tag("html", _head(title), body, lang="en")])


def _head(title: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} – local Data Map"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(_STYLE)),
    )


def _search(query: str) -> Html:
    hint = "Name, qualified name or type"
    field = tag("input", type="search", name="q", value=query, placeholder=hint, aria_label="Search")
    return tag("form", field, tag("button", "Search", type="submit"), class_="search", action="/", role="search")


def table(headings: list[str], rows: list[Html], *, scroll: bool = False, label: str = "") -> Html:
    """Returns a table in a card; one that may ``scroll`` has a label for screen readers."""
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in headings]))
    made = tag("table", head, tag("tbody", rows))
    if not scroll:
        return tag("div", made, class_="card")
    name = label or f"Table: {', '.join(headings)}"
    inner = tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=name)
    return tag("div", inner, class_="card")
