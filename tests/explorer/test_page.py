"""The explorer as one file: nothing is loaded, and nothing in a graph becomes markup."""

import json
import re

from explorer.page import POLICY, SCRIPT, page
from tests.browser import graphs

EVIL = '</script><script>alert(1)</script><!-- " \u2028 é'


def embedded(text: str) -> object:
    """The graph that the page contains."""
    found = re.search(r'<script type="application/json" id="lineage">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_page_contains_the_graph_and_the_script() -> None:
    made = graphs.medallion()
    text = page(graphs.text(made), "Lineage of gold.revenue")
    assert embedded(text) == made
    assert f"<script>{SCRIPT}</script>" in text
    assert "<title>Lineage of gold.revenue</title>" in text


def test_page_loads_nothing() -> None:
    text = page(graphs.text(graphs.medallion()), "x").replace(SCRIPT, "")
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"]
    assert "default-src 'none'" in POLICY
    assert "@import" not in text
    assert "url(" not in text


def test_names_do_not_become_markup() -> None:
    made = graphs.graph([graphs.dataset(EVIL, EVIL.replace(" ", ""))], [])
    text = page(graphs.text(made), EVIL)
    assert embedded(text) == made
    assert text.count("<script") == 2 + SCRIPT.count("<script")
    assert "<!--" not in text.replace(SCRIPT, "")


def test_script_cannot_end_its_element() -> None:
    assert not re.search(r"</script|<!--|\r|\0", SCRIPT, re.IGNORECASE)
