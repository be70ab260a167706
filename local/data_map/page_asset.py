"""The page of one asset: what it is, its lineage, its column mapping or columns, its attributes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from local.data_map.columns import Column, Pair, columns_of, read_mapping
from local.data_map.data_map import DataMap
from local.data_map.frame import frame, table
from local.data_map.graph import MOST_STEPS, Graph, graph
from local.data_map.markup import Html, html, tag
from local.data_map.picture import MOST_ROWS, picture
from local.data_map.store import Entity, Relationship, Session
from local.data_map.types import EntityType
from local.data_map.values import java_text
from local.data_map.views import related_entities

# A value of more characters is folded.
_LONG = 240


def asset(data_map: DataMap, params: Mapping[str, str]) -> str | None:
    """The page of the asset ``guid``, None if there is none; ``depth`` 1–5, ``columns=all`` unfolds the boxes."""
    types = data_map.types
    with data_map.store.reading() as session:
        entity = session.entity(params["guid"])
        if entity is None:
            return None
        kind = types.entity(entity.type)
        steps = _steps(params.get("depth", ""), kind)
        drawn = graph(types, session, entity, steps) if kind.is_a("DataSet") or kind.is_a("Process") else None
        columns = columns_of(types, session, entity)
        related = related_entities(types, session, entity)
        names = _mapped_names(session, entity)
    unfold = params.get("columns") == "all"
    return frame(
        entity.display_text,
        _head(entity, kind),
        _lineage(entity, drawn, steps, unfold=unfold) if drawn else None,
        _mapping(entity, names) if "columnMapping" in kind.attributes else None,
        _columns(columns),
        _attributes(entity),
        _relationships(related),
    )


def _steps(given: str, kind: EntityType) -> int:
    """How far to look: as asked, else to what a process reads and writes, and twice as far from a dataset."""
    if given.isascii() and given.isdigit():
        return min(max(int(given), 1), MOST_STEPS)
    return 1 if kind.is_a("Process") else 2


def _head(entity: Entity, kind: EntityType) -> Html:
    word = "process" if kind.is_a("Process") else "dataset" if kind.is_a("DataSet") else "other"
    facts = (("Type", entity.type), ("Collection", entity.collection), ("Updated", _time(entity.updated)))
    return html(
        [
            tag("span", word if word != "other" else "asset", class_=f"kind {word}"),
            tag("h1", entity.display_text),
            tag("p", entity.qualified_name, class_="qualified"),
            tag("p", [tag("span", f"{name} ", tag("b", value)) for name, value in facts], class_="facts"),
        ]
    )


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _lineage(entity: Entity, drawn: Graph, steps: int, *, unfold: bool) -> Html:
    if not drawn.flows:
        text = "Nothing flows into this asset or out of it."
        return html([tag("h2", "Lineage"), tag("p", text, class_="note")])
    here = f"/asset/{entity.guid}"
    address = f"{here}?depth={steps}&columns=all#lineage"
    drawing = picture(drawn, entity.guid, unfold=unfold, unfold_address=address)
    return html([tag("h2", "Lineage"), _tools(drawn, here, steps, unfold=unfold), drawing])


def _tools(drawn: Graph, here: str, steps: int, *, unfold: bool) -> Html:
    suffix = "&columns=all" if unfold else ""
    depths = [
        tag("b", str(each), aria_current="true")
        if each == steps
        else tag("a", str(each), href=f"{here}?depth={each}{suffix}#lineage")
        for each in range(1, MOST_STEPS + 1)
    ]
    kinds = {box.entity.guid: box.is_process for box in drawn.boxes.values()}
    counts = (
        (sum(kinds.values()), "process", "es"),
        (len(kinds) - sum(kinds.values()), "dataset", "s"),
        (len(drawn.links), "column line", "s"),
    )
    counted = ", ".join(f"{count} {word}{'' if count == 1 else plural}" for count, word, plural in counts)
    fold = None
    if any(len(box.columns) > MOST_ROWS for box in drawn.boxes.values()):
        target = "" if unfold else "&columns=all"
        text = "Fold long column lists" if unfold else "Show all columns"
        fold = tag("a", text, href=f"{here}?depth={steps}{target}#lineage")
    hint = tag("span", "Point at a column to follow it, click to keep it lit.") if drawn.links else None
    return tag(
        "div",
        tag("nav", "Steps", depths, aria_label="Steps of lineage"),
        tag("span", counted),
        fold,
        hint,
        class_="tools",
    )


def _mapped_names(session: Session, entity: Entity) -> dict[str, Entity]:
    """The entities that the process reads or writes, by qualified name."""
    others = (session.entity(each.other(entity.guid)) for each in session.relationships(entity.guid))
    return {str(each.qualified_name): each for each in others if each}


def _mapping(entity: Entity, names: Mapping[str, Entity]) -> Html:
    text = entity.attributes.get("columnMapping")
    pairs = read_mapping(text)
    heading = tag("h2", "Column mapping ", tag("span", str(len(pairs or ())), class_="count"))
    if pairs is None:
        warning = "columnMapping isn't a JSON list of mappings: it is stored, but nothing can be drawn of it."
        return html([heading, tag("p", warning, class_="warn"), tag("pre", str(text))])
    if not pairs:
        return html([heading, tag("p", "The process says nothing of columns.", class_="note")])
    return html([heading, table(["Column", "Comes from", "In the dataset"], _pair_rows(pairs, names), scroll=True)])


def _pair_rows(pairs: Iterable[Pair], names: Mapping[str, Entity]) -> list[Html]:
    sources: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        sources.setdefault((pair.sink, pair.sink_column), []).append(pair)
    rows = []
    for (_, column), found in sources.items():
        for at, pair in enumerate(found):
            spanning = tag("th", column, scope="row", rowspan=len(found) if len(found) > 1 else None, class_="mono")
            cells = [tag("td", pair.source_column, class_="mono"), tag("td", _dataset(pair.source, names))]
            rows.append(tag("tr", spanning if at == 0 else None, cells))
    return rows


def _dataset(name: str, names: Mapping[str, Entity]) -> Html:
    if name in names:
        return tag("a", names[name].display_text, href=f"/asset/{names[name].guid}", title=name)
    return html("any input" if name == "*" else name)


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


def _relationships(related: Mapping[str, list[tuple[Relationship, Entity]]]) -> Html:
    rows = []
    for name, found in sorted(related.items()):
        links = (tag("li", tag("a", other.display_text, href=f"/asset/{other.guid}")) for _, other in found)
        rows.append(tag("tr", tag("th", name, scope="row"), tag("td", tag("ul", links))))
    if not rows:
        return html(None)
    return html([tag("h2", "Relationships"), table(["Relationship", "With"], rows, scroll=True)])
