"""The page of one asset: what it is, the explorer of its lineage, its columns, its attributes."""

from collections.abc import Mapping
from datetime import UTC, datetime

from explorer.graph import LineageGraph, to_json
from explorer.page import explorer
from local.data_map.asset_labels import asset_labels, shown_name
from local.data_map.columns import Column, columns_of
from local.data_map.data_map import DataMap
from local.data_map.frame import SCRIPT_PATH, frame, table
from local.data_map.lineage_graph import lineage_graph
from local.data_map.markup import Html, html, tag
from local.data_map.store import Entity, Relationship
from local.data_map.types import EntityType
from local.data_map.values import java_text
from local.data_map.views import related_entities

#: The address of an asset's page.
ASSET_PAGE = "/asset/{guid}"

# A value with more characters is folded.
_LONG = 240


def asset(data_map: DataMap, params: Mapping[str, str]) -> str | None:
    """The page of the asset ``guid``, None if there is none."""
    types = data_map.types
    with data_map.store.reading() as session:
        entity = session.entity(params["guid"])
        if entity is None:
            return None
        kind = types.entity(entity.type)
        labels = asset_labels(types, session)
        shown = lineage_graph(types, session, entity, labels) if kind.is_a("DataSet") or kind.is_a("Process") else None
        columns = columns_of(types, session, entity)
        related = related_entities(types, session, entity)
    name = shown_name(entity, labels)
    return frame(
        name,
        _head(entity, kind, name),
        _lineage(entity, shown, name) if shown else None,
        _columns(columns),
        _attributes(entity),
        _relationships(related, labels),
        script=SCRIPT_PATH if shown and shown.processes else "",
    )


def _head(entity: Entity, kind: EntityType, name: str) -> Html:
    word = "process" if kind.is_a("Process") else "dataset" if kind.is_a("DataSet") else "other"
    facts = (("Type", entity.type), ("Collection", entity.collection), ("Updated", _time(entity.updated)))
    return html(
        [
            tag("span", word if word != "other" else "asset", class_=f"kind {word}"),
            tag("h1", name),
            tag("p", entity.qualified_name, class_="qualified"),
            tag("p", [tag("span", f"{fact} ", tag("b", value)) for fact, value in facts], class_="facts"),
        ]
    )


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _lineage(entity: Entity, shown: LineageGraph, name: str) -> Html:
    if not shown.processes:
        text = "Nothing flows into this asset or out of it."
        return html([tag("h2", "Lineage"), tag("p", text, class_="note")])
    process = next((each.id for each in shown.processes if each.guid == entity.guid), "")
    title = f"Lineage of {name}"
    made = explorer(to_json(shown), title, process=process, asset_page=ASSET_PAGE, scrolls=True)
    return html([tag("h2", "Lineage", class_="hidden"), Html(made)])


def _columns(columns: tuple[Column, ...]) -> Html:
    if not columns:
        return html(None)
    rows = [
        tag(
            "tr",
            tag("th", each.name, scope="row", class_="mono"),
            tag("td", each.type, class_="mono"),
            tag("td", each.description),
        )
        for each in columns
    ]
    heading = tag("h2", "Columns ", tag("span", str(len(columns)), class_="count"))
    return html([heading, table(["Name", "Type", "Description"], rows, scroll=True)])


def _attributes(entity: Entity) -> Html:
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", _value(java_text(value)), class_="mono"))
        for name, value in sorted(entity.attributes.items())
    ]
    rows.append(tag("tr", tag("th", "guid", scope="row"), tag("td", entity.guid, class_="mono")))
    return html([tag("h2", "Attributes"), table(["Attribute", "Value"], rows, scroll=True)])


def _value(text: str) -> Html:
    if len(text) <= _LONG:
        return html(text)
    return tag("details", tag("summary", f"{len(text):,} characters"), text)


def _relationships(related: Mapping[str, list[tuple[Relationship, Entity]]], labels: Mapping[str, str]) -> Html:
    rows = []
    for name, found in sorted(related.items()):
        links = (tag("li", tag("a", shown_name(other, labels), href=f"/asset/{other.guid}")) for _, other in found)
        rows.append(tag("tr", tag("th", name, scope="row"), tag("td", tag("ul", links))))
    if not rows:
        return html(None)
    return html([tag("h2", "Relationships"), table(["Relationship", "With"], rows, scroll=True)])
