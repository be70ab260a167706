"""Draws a lineage graph: boxes are HTML at computed places, lines are SVG under them.

Places are known here because every row has one height; the script only lights up what is there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from local.data_map.columns import Column
from local.data_map.graph import Box, Graph, Link
from local.data_map.markup import Html, html, tag

# Pixels; page.css has the same numbers.
BOX_WIDTH: Final = 264
LEVEL_WIDTH: Final = 384
HEAD_HEIGHT: Final = 60
ROW_HEIGHT: Final = 24
GAP: Final = 24
MARGIN: Final = 16

# A dataset shows so many columns, those with lines first, before the rest is folded.
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Location:
    """Where a box is, and which of its columns are shown in which row; the rest is folded into one row."""

    box: Box
    left: int
    top: int
    shown: Sequence[Column]
    folded: int

    @property
    def height(self) -> int:
        """Of the whole box."""
        return HEAD_HEIGHT + ROW_HEIGHT * (len(self.shown) + bool(self.folded)) + (8 if self.shown else 0)

    def row(self, name: str) -> int:
        """The middle of a column's row; of the folded row for a column that isn't shown."""
        names = [column.name for column in self.shown]
        at = names.index(name) if name in names else len(names)
        return self.top + HEAD_HEIGHT + ROW_HEIGHT * at + ROW_HEIGHT // 2

    @property
    def head(self) -> int:
        """The middle of the box' head."""
        return self.top + HEAD_HEIGHT // 2


def places(graph: Graph, *, unfold: bool) -> dict[str, Location]:
    """Puts the boxes of each level under each other, processes and then names in order."""
    linked: dict[str, set[str]] = defaultdict(set)
    for link in graph.links:
        linked[link.source].add(link.source_column)
        linked[link.target].add(link.target_column)
    lowest = min(box.level for box in graph.boxes.values())
    tops: dict[int, int] = defaultdict(lambda: MARGIN)
    made = {}
    for box in graph.boxes.values():
        shown = _shown(box, linked[box.key], unfold=unfold)
        left = MARGIN + (box.level - lowest) * LEVEL_WIDTH
        place = Location(box, left, tops[box.level], shown, len(box.columns) - len(shown))
        tops[box.level] += place.height + GAP
        made[box.key] = place
    return made


def _shown(box: Box, linked: set[str], *, unfold: bool) -> Sequence[Column]:
    if unfold or len(box.columns) <= MOST_ROWS:
        return box.columns
    first = [column for column in box.columns if column.name in linked]
    rest = [column for column in box.columns if column.name not in linked]
    kept = {column.name for column in [*first, *rest][:MOST_ROWS]}
    return [column for column in box.columns if column.name in kept]


def picture(graph: Graph, base: str, *, unfold: bool, unfold_address: str) -> Html:
    """Returns the drawing; ``unfold_address`` is the page that shows every column."""
    placed = places(graph, unfold=unfold)
    width = max(place.left for place in placed.values()) + BOX_WIDTH + MARGIN
    height = max(place.top + place.height for place in placed.values()) + MARGIN
    boxes = [_box(place, base, unfold_address) for place in placed.values()]
    lines = tag(
        "svg",
        _flows(graph, placed),
        _lines(graph, placed),
        class_="lines",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
    )
    canvas = tag("div", lines, boxes, class_="canvas", style=f"width:{width}px;height:{height}px")
    return tag(
        "div", canvas, class_="viewport", id="lineage", role="region", tabindex="0", aria_label="Lineage picture"
    )


def _flows(graph: Graph, placed: Mapping[str, Location]) -> Html:
    """The thick lines from head to head."""
    paths = []
    for flow in graph.flows:
        source, target = placed[flow.source], placed[flow.target]
        path = _curve(source.left + BOX_WIDTH, source.head, target.left, target.head)
        paths.append(tag("path", class_="flow", d=path))
    return html(paths)


def _lines(graph: Graph, placed: Mapping[str, Location]) -> Html:
    """The thin lines from column to column; those that meet in folded rows are drawn once."""
    drawn: dict[str, list[Link]] = defaultdict(list)
    for link in graph.links:
        source, target = placed[link.source], placed[link.target]
        ends = source.row(link.source_column), target.row(link.target_column)
        drawn[_curve(source.left + BOX_WIDTH, ends[0], target.left, ends[1])].append(link)
    paths = []
    for path, links in drawn.items():
        first = links[0]
        ends_of = _key(first.source, first.source_column), _key(first.target, first.target_column)
        paths.append(tag("path", class_="link", d=path, data_from=ends_of[0], data_to=ends_of[1]))
    return html(paths)


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    # Leaves and arrives level; a longer way bends later, so that lines behind a process stay apart.
    bend = max(36, (x2 - x1) // 3)
    return f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"


def _key(box: str, column: str) -> str:
    return f"{box}/{column}"


def _box(place: Location, base: str, unfold_address: str) -> Html:
    entity, box = place.box.entity, place.box
    kind = "process" if box.is_process else "dataset"
    is_base = box.key == base
    title = tag(
        "a",
        entity.display_text,
        href=f"/asset/{entity.guid}",
        title=str(entity.qualified_name),
        aria_current="page" if is_base else None,
    )
    head = tag(
        "header",
        tag("h3", title),
        tag(
            "p", tag("span", kind, class_=f"kind {kind}" if box.is_process else "hidden"), " ", _type_name(entity.type)
        ),
    )
    rows: list[Html] = [_row(box.key, column) for column in place.shown]
    if place.folded:
        more = tag("a", f"{place.folded} more columns", href=unfold_address)
        rows.append(tag("li", more, class_="more"))
    listing = tag("ul", rows, aria_label=f"Columns of {entity.display_text}") if rows else None
    return tag(
        "section",
        head,
        listing,
        class_=f"box {kind}{' base' if is_base else ''}",
        style=f"left:{place.left}px;top:{place.top}px;height:{place.height}px",
    )


def _type_name(name: str) -> Html:
    return tag("span", name, class_="type", title=name)


def _row(box: str, column: Column) -> Html:
    missing = None if column.known else "named by the mapping, but not in the schema"
    button = tag(
        "button",
        tag("span", column.name, class_="name"),
        tag("span", column.type, class_="type") if column.type else None,
        type="button",
        title=f"{column.name}: {missing}" if missing else f"{column.name} {column.type}".strip(),
        data_key=_key(box, column.name),
        aria_pressed="false",
        class_="unknown" if missing else None,
    )
    return tag("li", button)
