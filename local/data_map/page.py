"""The pages: the list of assets at ``/``, all lineage at ``/lineage``, one asset with its own at ``/asset/{guid}``."""

from collections.abc import Callable, Mapping, Sequence

from explorer.graph import to_json
from explorer.page import explorer
from local.data_map.asset_labels import asset_labels, shown_name
from local.data_map.data_map import DataMap
from local.data_map.frame import SCRIPT_PATH, frame, table
from local.data_map.lineage_graph import whole_graph
from local.data_map.markup import Html, html, tag
from local.data_map.page_asset import ASSET_PAGE, asset
from local.data_map.search import searchable
from local.data_map.store import Entity, Session
from local.data_map.types import TypeSystem
from local.data_map.views import related_entities

__all__ = ["Page", "asset", "index", "lineage", "not_found"]

# Takes the Data Map and the request's parameters; returns a page, None if it does not exist.
Page = Callable[[DataMap, Mapping[str, str]], str | None]

# The most assets in a list.
MOST = 200

_SEND = "sparklin send event.json --local"
_SPARK = """spark.extraListeners                                io.openlineage.spark.agent.OpenLineageSparkListener
spark.openlineage.transport.type                    http
spark.openlineage.transport.url                     $RECEIVER
spark.openlineage.transport.headers.x-functions-key $KEY"""


def index(data_map: DataMap, params: Mapping[str, str]) -> str:
    """The list of assets, processes first; ``q`` narrows it."""
    query = params.get("q", "").strip()
    types = data_map.types
    with data_map.store.reading() as session:
        everything = [each for each in session.entities() if searchable(types.entity(each.type))]
        found = [each for each in everything if _fits(each, query)]
        processes = [each for each in found if types.entity(each.type).is_a("Process")]
        others = [each for each in found if not types.entity(each.type).is_a("Process")]
        labels = asset_labels(types, session)
        content = [_processes(types, session, processes, labels), _others(others, labels)]
    if not everything:
        return frame("Assets", tag("h1", "Assets"), _nothing_yet())
    if not found:
        content = [tag("p", f"Nothing fits “{query}”. ", tag("a", "Show everything", href="/"), class_="note")]
    return frame("Assets", tag("h1", f"Assets that fit “{query}”" if query else "Assets"), content, query=query)


def lineage(data_map: DataMap, _params: Mapping[str, str]) -> str:
    """All lineage in one explorer; it reads ``asset``, ``column`` and others from the address."""
    with data_map.store.reading() as session:
        shown = whole_graph(data_map.types, session)
    made = explorer(to_json(shown), "Lineage", asset_page=ASSET_PAGE)
    return frame("Lineage", tag("h1", "Lineage", class_="hidden"), Html(made), script=SCRIPT_PATH, is_full=True)


def not_found() -> str:
    """The page for an unknown address."""
    text = tag(
        "p", "There is no such page or asset. It may have been deleted since. ", tag("a", "All assets", href="/")
    )
    return frame("Not found", tag("h1", "Not found"), text)


def _fits(entity: Entity, query: str) -> bool:
    text = f"{entity.display_text} {entity.qualified_name} {entity.type}".lower()
    return all(word in text for word in query.lower().split())


def _processes(types: TypeSystem, session: Session, found: Sequence[Entity], labels: Mapping[str, str]) -> Html:
    rows = []
    for each in found[:MOST]:
        related = related_entities(types, session, each)
        inputs = [other for _, other in related.get("inputs", ())]
        outputs = [other for _, other in related.get("outputs", ())]
        rows.append(
            tag("tr", _asset_cell(each, labels), tag("td", _names(inputs, labels)), tag("td", _names(outputs, labels)))
        )
    made = _section("Processes", len(found), table(["Process", "Inputs", "Sink"], rows))
    return html([tag("p", tag("a", "Explore all lineage", href="/lineage")) if found else None, made])


def _others(found: Sequence[Entity], labels: Mapping[str, str]) -> Html:
    rows = [
        tag("tr", _asset_cell(each, labels), tag("td", tag("span", each.type, class_="type")))
        for each in sorted(found, key=lambda each: shown_name(each, labels).lower())[:MOST]
    ]
    return _section("Datasets and other assets", len(found), table(["Asset", "Type"], rows))


def _section(title: str, count: int, content: Html) -> Html:
    if not count:
        return html(None)
    more = tag("p", f"The first {MOST} are shown; search to narrow the list.", class_="note") if count > MOST else None
    return html([tag("h2", title, " ", tag("span", str(count), class_="count")), content, more])


def _asset_cell(entity: Entity, labels: Mapping[str, str]) -> Html:
    link = tag("a", shown_name(entity, labels), href=f"/asset/{entity.guid}")
    return tag("th", link, tag("p", entity.qualified_name, class_="qualified"), scope="row")


def _names(entities: Sequence[Entity], labels: Mapping[str, str]) -> Html:
    if not entities:
        return tag("span", "none", class_="type")
    links = (tag("li", tag("a", shown_name(each, labels), href=f"/asset/{each.guid}")) for each in entities)
    return tag("ul", links)


def _nothing_yet() -> Html:
    return tag(
        "div",
        tag("h2", "Nothing here yet"),
        tag("p", "Assets appear as soon as the receiver has an event of a run that ended well."),
        tag("p", "With its address and function key (", tag("code", "make up"), " prints both), send one:"),
        tag("pre", _SEND),
        tag("p", "Or let Spark send them:"),
        tag("pre", _SPARK),
        tag("p", "Or see recorded events go through: ", tag("code", "make demo"), "."),
        class_="card empty",
    )
