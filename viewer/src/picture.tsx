// The picture: nodes with rows, lines between rows, zoom and pan, and the minimap.

import { select } from "d3-selection";
import "d3-transition";
import { zoom, zoomIdentity, zoomTransform, type D3ZoomEvent } from "d3-zoom";
import { memo } from "preact/compat";
import { useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import type { Graph } from "./graph";
import type { Layout } from "./layout";
import { fit, MONO, SANS, widthOf } from "./text";
import type { Trace } from "./trace";
import { HEAD, WIDTH, type Line, type Node, type Row, type Selection } from "./view";

export interface Actions {
  select(selection: Selection | null): void;
  expand(id: string, up: boolean): void;
  collapse(id: string, up: boolean): void;
  unfold(id: string): void;
  hover(hovered: Hovered | null): void;
  /** The address of an asset's own page, where there is one. */
  link(id: string): string | null;
}

export interface Hovered {
  x: number;
  y: number;
  line?: Line;
  row?: Row;
  node?: Node;
}

export interface PictureHandle {
  fit(): void;
  zoomBy(factor: number): void;
  show(id: string): void;
}

interface Props {
  graph: Graph;
  layout: Layout;
  trace: Trace | null;
  selection: Selection | null;
  root: string | undefined;
  actions: Actions;
  handle: RefObject<PictureHandle | null>;
}

const TITLE_FONT = `600 14px ${SANS}`;
/** The only text where others would be too small to read. */
const SIGN_FONT = `600 32px ${SANS}`;
const SMALL_FONT = `12px ${SANS}`;
const NAME_FONT = `13px ${SANS}`;
const FORMULA_FONT = `12px ${MONO}`;
const TEXT_LEFT = 14;
const SMALLEST = 0.08;
const LARGEST = 2.5;
/** Text is readable at this scale; whatever needs less is shown in part. */
const READABLE = 0.62;

export function Picture({ graph, layout, trace, selection, root, actions, handle }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const content = useRef<SVGGElement>(null);
  const [view, setView] = useState({ x: 0, y: 0, k: 1 });
  const zooming = useRef(
    zoom<SVGSVGElement, unknown>()
      .scaleExtent([SMALLEST, LARGEST])
      .clickDistance(4)
      .filter((event: Event) => wanted(event)),
  );
  const last = useRef<Layout | null>(null);

  const size = () => svg.current!.getBoundingClientRect();
  const move = (x: number, y: number, k: number, smooth = true) => {
    const target = select(svg.current!);
    const to = zoomIdentity.translate(x, y).scale(k);
    if (smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches) zooming.current.transform(target.transition().duration(250), to);
    else zooming.current.transform(target, to);
  };
  const fitAll = (smooth = true) => {
    const { width, height } = size();
    const k = Math.min(1, Math.max(SMALLEST, Math.min(width / layout.width, height / layout.height)));
    move((width - layout.width * k) / 2, (height - layout.height * k) / 2, k, smooth);
  };
  const show = (id: string, smooth = true, scale?: number) => {
    const box = layout.boxes.get(id);
    if (!box) return;
    const { width, height } = size();
    const k = scale ?? Math.max(zoomTransform(svg.current!).k, READABLE);
    const tall = layout.picture.nodes.find((node) => node.id === id)!.height;
    const y = box.y + Math.min(tall, height / k - 40) / 2;
    move(within(width / 2 - (box.x + WIDTH / 2) * k, width, layout.width * k), within(height / 2 - y * k, height, layout.height * k), k, smooth);
  };

  // Before the first layout is placed.
  useLayoutEffect(() => {
    zooming.current.on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
      content.current!.setAttribute("transform", event.transform.toString());
      svg.current!.classList.toggle("far", event.transform.k < 0.3);
      setView({ x: event.transform.x, y: event.transform.y, k: event.transform.k });
    });
    select(svg.current!).call(zooming.current).on("dblclick.zoom", null);
  }, []);

  // A new layout leaves what is selected where it is on the screen.
  useLayoutEffect(() => {
    const before = last.current;
    last.current = layout;
    const anchor = selectedNode(graph, selection) ?? root;
    if (!before) begin();
    else if (anchor && before.boxes.has(anchor) && layout.boxes.has(anchor)) {
      const [from, to] = [before.boxes.get(anchor)!, layout.boxes.get(anchor)!];
      const { x, y, k } = zoomTransform(svg.current!);
      move(x + (from.x - to.x) * k, y + (from.y - to.y) * k, k, false);
    } else if (anchor && layout.boxes.has(anchor)) show(anchor, false);
    else fitAll(false);
  }, [layout]);

  const begin = () => {
    const { width, height } = size();
    const anchor = selectedNode(graph, selection) ?? root;
    const k = Math.min(width / layout.width, height / layout.height);
    if (k >= READABLE || !anchor) fitAll(false);
    else show(anchor, false, width < 720 ? Math.min(1, (width - 24) / WIDTH) : 0.8);
  };

  useImperativeHandle(handle, () => ({
    fit: () => fitAll(),
    zoomBy: (factor) => zooming.current.scaleBy(select(svg.current!).transition().duration(150), factor),
    show: (id) => show(id),
  }));

  /** Pans as far as needed to have the focused element in view. */
  const into = (element: Element) => {
    const outer = size();
    const inner = element.getBoundingClientRect();
    const dx = inner.left < outer.left + 8 ? outer.left + 24 - inner.left : inner.right > outer.right - 8 ? outer.right - 24 - inner.right : 0;
    const dy = inner.top < outer.top + 8 ? outer.top + 24 - inner.top : inner.bottom > outer.bottom - 8 ? outer.bottom - 24 - inner.bottom : 0;
    const { x, y, k } = zoomTransform(svg.current!);
    if (dx || dy) move(x + dx, y + dy, k, false);
  };

  const lit = (line: Line) => !!trace && isLit(line, trace);
  const lines = trace ? [...layout.picture.lines].sort((one, other) => Number(lit(one)) - Number(lit(other))) : layout.picture.lines;
  return (
    // The svg itself would get the focus if it had these.
    <div
      class="stage"
      onKeyDown={(event) => moveFocus(event, layout, svg.current!)}
      onFocusIn={(event) => into(event.target as Element)}
    >
      <svg
        ref={svg}
        class={`picture${trace ? " focused" : ""}`}
        role="group"
        aria-label="Lineage picture. Arrow keys move between columns and assets, Enter follows a column, Escape ends it."
        onClick={(event) => event.target === svg.current && actions.select(null)}
      >
        <g ref={content}>
          <g class="lines">
            {lines.map((line) => (
              <Curve key={line.key} line={line} path={layout.paths.get(line.key)!} lit={lit(line)} actions={actions} />
            ))}
          </g>
          {layout.picture.nodes.map((node, at) => (
            <g key={node.id} transform={`translate(${layout.boxes.get(node.id)!.x},${layout.boxes.get(node.id)!.y})`} data-node={node.id}>
              <Card
                node={node}
                first={root ? node.id === root : at === 0}
                isRoot={node.id === root}
                on={trace ? trace.nodes.has(node.id) : null}
                trace={trace}
                selection={selection}
                actions={actions}
              />
            </g>
          ))}
        </g>
      </svg>
      <Minimap layout={layout} view={view} size={svg.current ? size() : { width: 1, height: 1 }} trace={trace} center={(x, y) => {
        const { width, height } = size();
        move(width / 2 - x * view.k, height / 2 - y * view.k, view.k, false);
      }} />
    </div>
  );
}

/** A place of the picture that leaves no room empty beside it; what is smaller than the room is put in its middle. */
function within(place: number, room: number, length: number): number {
  return length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, place));
}

/** Within a page that scrolls, the wheel scrolls it; with Ctrl, as with two fingers, it zooms. */
function wanted(event: Event): boolean {
  if (event.type === "wheel") return !document.querySelector("#explorer[data-scrolls]") || (event as WheelEvent).ctrlKey;
  return !(event as MouseEvent).button;
}

export function selectedNode(graph: Graph, selection: Selection | null): string | undefined {
  if (selection?.kind === "node") return selection.id;
  if (selection?.kind === "column") return selection.key.split("\u0000")[0];
  return selection ? graph.steps.get(selection.key)!.process.id : undefined;
}

function isLit(line: Line, trace: Trace): boolean {
  if (line.kind === "flow") return false;
  const through = [...line.steps].some((step) => trace.steps.has(step));
  return through && (line.kind === "indirect" || [...line.columns].some((column) => trace.columns.has(column)));
}

const Curve = memo(function Curve({ line, path, lit, actions }: { line: Line; path: string; lit: boolean; actions: Actions }) {
  const hover = (event: MouseEvent) => actions.hover({ x: event.clientX, y: event.clientY, line });
  const [step] = line.steps;
  return (
    <g
      class={`line ${line.kind}${lit ? " lit" : ""}`}
      data-from={line.from.node}
      data-to={line.to.node}
      onMouseMove={hover}
      onMouseLeave={() => actions.hover(null)}
      onClick={() => step !== undefined && line.kind !== "flow" && actions.select({ kind: "step", key: step })}
    >
      <path class="reach" d={path} />
      <path class="stroke" d={path} />
    </g>
  );
});

interface CardProps {
  node: Node;
  /** The one that the Tab key reaches. */
  first: boolean;
  isRoot: boolean;
  /** Whether the trace leads through it; null without a trace. */
  on: boolean | null;
  trace: Trace | null;
  selection: Selection | null;
  actions: Actions;
}

const activate = (act: () => void) => ({
  onClick: act,
  onKeyDown: (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      act();
    }
  },
});

function CardOf({ node, first, isRoot, on, trace, selection, actions }: CardProps) {
  const isSelected = selection?.kind === "node" && selection.id === node.id;
  const classes = ["node", node.kind, on && "on", on === false && "off", isRoot && "root", isSelected && "selected"];
  const room = WIDTH - 2 * TEXT_LEFT - 26;
  return (
    <g class={classes.filter(Boolean).join(" ")} role="group" aria-label={`${node.kind === "process" ? "Process" : "Dataset"} ${node.title}`}>
      <rect class="card" width={WIDTH} height={node.height} rx="10" />
      <g class="head" onMouseMove={(event) => actions.hover({ x: event.clientX, y: event.clientY, node })} onMouseLeave={() => actions.hover(null)}>
        <path class="top" d={`M0,${HEAD}V10a10,10 0 0 1 10,-10H${WIDTH - 10}a10,10 0 0 1 10,10V${HEAD}z`} />
        {node.kind === "process" ? (
          <path class="icon" d="M14,20l6,6l-6,6M22,32h8" />
        ) : (
          <path class="icon" d="M14,19h16v15h-16zM14,24h16M21,24v10" />
        )}
        <text class="title" x={TEXT_LEFT + 26} y="23">{fit(node.title, room, TITLE_FONT)}</text>
        <text class="subtitle" x={TEXT_LEFT + 26} y="41">{fit(node.subtitle, room, SMALL_FONT)}</text>
        <text class="sign" x={WIDTH / 2} y={HEAD / 2 + 12} text-anchor="middle">{fit(node.title, WIDTH - 16, SIGN_FONT)}</text>
        {/* The texts may be cut, so they are no part of the button: its name is whole. */}
        <rect
          class="hit"
          x="2"
          y="2"
          width={WIDTH - 4}
          height={HEAD - 4}
          rx="8"
          role="button"
          tabindex={first ? 0 : -1}
          aria-pressed={isSelected}
          aria-label={`${node.title} ${node.subtitle}, ${node.kind}`}
          {...activate(() => actions.select(isSelected ? null : { kind: "node", id: node.id }))}
        />
      </g>
      {node.rows.map((row) => (
        <RowOf key={row.key} row={row} node={node} trace={trace} selection={selection} actions={actions} />
      ))}
      <Handle node={node} up actions={actions} />
      <Handle node={node} up={false} actions={actions} />
    </g>
  );
}

/** A card changes only with what concerns it, so that a trace through a large picture stays quick. */
const Card = memo(CardOf, (before, after) => {
  if (before.node !== after.node || before.first !== after.first || before.isRoot !== after.isRoot || before.on !== after.on) return false;
  if (before.actions !== after.actions) return false;
  const touched = [before, after].some(({ on, selection, node }) => on || (selection?.kind === "node" && selection.id === node.id));
  return !touched;
});

function RowOf({ row, node, trace, selection, actions }: { row: Row; node: Node; trace: Trace | null; selection: Selection | null; actions: Actions }) {
  const isTraced = trace ? trace.columns.has(row.key) || trace.steps.has(row.key) : false;
  const isSelected = selection !== null && selection.kind !== "node" && selection.key === row.key;
  const classes = ["row", row.kind, isTraced && "traced", isSelected && "selected"].filter(Boolean).join(" ");
  const act = () => {
    if (row.kind === "fold") actions.unfold(node.id);
    else actions.select(isSelected ? null : { kind: row.kind === "step" ? "step" : "column", key: row.key });
  };
  const room = WIDTH - 2 * TEXT_LEFT;
  const typed = row.kind === "column" && row.detail ? fit(row.detail, room * 0.4, SMALL_FONT) : "";
  const nameRoom = room - (typed ? widthOf(typed, SMALL_FONT) + 14 : 0);
  const isTall = row.kind === "step" && row.detail;
  return (
    <g
      class={classes}
      transform={`translate(0,${row.top})`}
      onMouseMove={(event) => row.kind !== "fold" && actions.hover({ x: event.clientX, y: event.clientY, row, node })}
      onMouseLeave={() => actions.hover(null)}
    >
      <rect class="back" x="4" width={WIDTH - 8} height={row.height} rx="6" />
      <text class="name" x={TEXT_LEFT} y={isTall ? 18 : row.height / 2 + 4.5}>{fit(row.text, nameRoom, NAME_FONT)}</text>
      {typed && <text class="type" x={WIDTH - TEXT_LEFT} y={row.height / 2 + 4.5} text-anchor="end">{typed}</text>}
      {isTall && <text class="formula" x={TEXT_LEFT} y="36">{fit(row.detail, room, FORMULA_FONT)}</text>}
      <rect
        class="hit"
        x="4"
        width={WIDTH - 8}
        height={row.height}
        rx="6"
        role="button"
        tabindex={-1}
        data-row={row.key}
        aria-pressed={row.kind === "fold" ? undefined : isSelected}
        aria-label={row.kind === "fold" ? `Show ${row.text} of ${node.title}` : `${row.text} ${row.detail}`.trim()}
        {...activate(act)}
      />
    </g>
  );
}

/** Shows what lies behind a node, or hides it again. */
function Handle({ node, up, actions }: { node: Node; up: boolean; actions: Actions }) {
  const hidden = up ? node.hiddenBefore : node.hiddenAfter;
  const shown = up ? node.shownBefore : node.shownAfter;
  const missing = up ? node.missingBefore : node.missingAfter;
  const x = up ? 0 : WIDTH;
  const side = up ? "upstream" : "downstream";
  if (!hidden && !shown) {
    if (!missing) return null;
    const address = actions.link(node.id);
    if (address) {
      const label = `${missing} more ${side} on the page of ${node.title}`;
      return (
        <g class="handle more" transform={`translate(${x},${HEAD / 2})`}>
          <a href={address} tabindex={-1} aria-label={label}>
            <title>{label}</title>
            <circle r="12" />
            <text text-anchor="middle" y="4">{`+${missing > 99 ? "…" : missing}`}</text>
          </a>
        </g>
      );
    }
    return (
      <g class="handle missing" transform={`translate(${x},${HEAD / 2})`}>
        <title>{`${missing} more ${side}, not part of this graph`}</title>
        <circle r="12" />
        <text text-anchor="middle" y="4">{`+${missing > 99 ? "…" : missing}`}</text>
      </g>
    );
  }
  const act = () => (hidden ? actions.expand(node.id, up) : actions.collapse(node.id, up));
  const label = hidden ? `Show ${hidden} more ${side} of ${node.title}` : `Hide what is ${side} of ${node.title}`;
  return (
    <g class={`handle ${hidden ? "more" : "less"}`} transform={`translate(${x},${HEAD / 2})`} role="button" tabindex={-1} aria-label={label} {...activate(act)}>
      <title>{label}</title>
      <circle r="12" />
      <text text-anchor="middle" y="4">{hidden ? `+${hidden > 99 ? "…" : hidden}` : "−"}</text>
    </g>
  );
}

/** Moves the focus with the arrow keys. */
function moveFocus(event: KeyboardEvent, layout: Layout, svg: SVGSVGElement): void {
  const current = document.activeElement;
  const card = current?.closest("[data-node]");
  if (!current || !card || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const buttons = [...card.querySelectorAll<SVGElement>(".hit, .handle[role], .handle a")];
  let target: Element | null | undefined;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const step = event.key === "ArrowUp" ? -1 : 1;
    target = buttons[buttons.indexOf(current as SVGElement) + step] ?? sibling(card, step, layout, svg);
  } else target = across(current, card, event.key === "ArrowLeft", layout, svg);
  (target as SVGElement | null | undefined)?.focus();
}

/** The element below another one that has a value in an attribute; keys contain what no selector may contain. */
function marked(inside: Element, attribute: string, value: string): Element | undefined {
  return [...inside.querySelectorAll(`[${attribute}]`)].find((each) => each.getAttribute(attribute) === value);
}

/** The next node below or above. */
function sibling(card: Element, step: number, layout: Layout, svg: SVGSVGElement): Element | null {
  const id = card.getAttribute("data-node")!;
  const here = layout.boxes.get(id)!;
  const near = [...layout.boxes]
    .filter(([other, box]) => other !== id && Math.abs(box.x - here.x) < WIDTH && Math.sign(box.y - here.y) === step)
    .sort(([, one], [, other]) => Math.abs(one.y - here.y) - Math.abs(other.y - here.y))[0];
  const found = near && marked(svg, "data-node", near[0]);
  return found?.querySelector(".hit") ?? null;
}

/** What the row or the node is joined with on one side. */
function across(current: Element, card: Element, left: boolean, layout: Layout, svg: SVGSVGElement): Element | null {
  const id = card.getAttribute("data-node")!;
  const row = current.getAttribute("data-row");
  const [near, far] = left ? (["to", "from"] as const) : (["from", "to"] as const);
  const joined = layout.picture.lines.filter((line) => line[near].node === id);
  const line = joined.find((each) => row && each[near].row === row) ?? joined[0];
  const other = line && marked(svg, "data-node", line[far].node);
  const wantedRow = line?.[far].row;
  return (row && wantedRow && other ? marked(other, "data-row", wantedRow) : null) ?? other?.querySelector(".hit") ?? null;
}

const MAP_WIDTH = 220;
const MAP_HEIGHT = 130;
const MAP_MARGIN = 6;

interface MinimapProps {
  layout: Layout;
  view: { x: number; y: number; k: number };
  size: { width: number; height: number };
  trace: Trace | null;
  center(x: number, y: number): void;
}

function Minimap({ layout, view, size, trace, center }: MinimapProps) {
  const k = Math.min(MAP_WIDTH / layout.width, MAP_HEIGHT / layout.height);
  // Where all is in view, it would only cover some of it.
  const right = view.x + layout.width * view.k;
  const bottom = view.y + layout.height * view.k;
  if (view.x >= -1 && view.y >= -1 && right <= size.width + 1 && bottom <= size.height + 1) return null;
  const drag = (event: PointerEvent) => {
    if (!event.buttons) return;
    const place = (event.currentTarget as Element).getBoundingClientRect();
    center((event.clientX - place.left - MAP_MARGIN) / k, (event.clientY - place.top - MAP_MARGIN) / k);
  };
  return (
    <svg class="minimap" width={layout.width * k + 2 * MAP_MARGIN} height={layout.height * k + 2 * MAP_MARGIN} aria-hidden="true" onPointerDown={drag} onPointerMove={drag}>
      <g transform={`translate(${MAP_MARGIN},${MAP_MARGIN}) scale(${k})`}>
        {layout.picture.nodes.map((node) => {
          const box = layout.boxes.get(node.id)!;
          const on = trace ? (trace.nodes.has(node.id) ? " on" : " off") : "";
          return <rect key={node.id} class={`${node.kind}${on}`} x={box.x} y={box.y} width={WIDTH} height={node.height} rx="12" />;
        })}
        <rect class="window" x={-view.x / view.k} y={-view.y / view.k} width={size.width / view.k} height={size.height / view.k} style={`stroke-width:${1.5 / k}px`} />
      </g>
    </svg>
  );
}
