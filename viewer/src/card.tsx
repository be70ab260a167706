// A node of the picture: its head, its rows, and the handles that show or hide what lies behind it.

import { memo } from "preact/compat";
import type { Actions } from "./picture";
import { fit, MONO, SANS, widthOf, wrapped } from "./text";
import type { Trace } from "./trace";
import { HEAD, WIDTH, type Node, type Row, type Selection } from "./view";

const TITLE_FONT = `600 14px ${SANS}`;
/** Signs are the only texts where others would be too small to read: the class of the picture, and their size. */
const SIGNS = [["far", 26], ["farther", 42]] as const;
const SMALL_FONT = `12px ${SANS}`;
const NAME_FONT = `13px ${SANS}`;
const FORMULA_FONT = `12px ${MONO}`;
const TEXT_LEFT = 14;

interface CardProps {
  node: Node;
  /** The one that the Tab key reaches. */
  first: boolean;
  isRoot: boolean;
  /** Whether the trace leads through it; null without a trace. */
  on: boolean | null;
  trace: Trace | null;
  /** Whether columns that decide about the trace are shown too. */
  indirect: boolean;
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

function CardOf({ node, first, isRoot, on, trace, indirect, selection, actions }: CardProps) {
  const isSelected = selection?.kind === "node" && selection.id === node.id;
  const classes = ["node", node.kind, on && "on", on === false && "off", isRoot && "root", isSelected && "selected"];
  const room = WIDTH - 2 * TEXT_LEFT - 26;
  const toggle = () => actions.select(isSelected ? null : { kind: "node", id: node.id });
  const pointed = {
    onMouseMove: (event: MouseEvent) => actions.hover({ x: event.clientX, y: event.clientY, node }),
    onMouseLeave: () => actions.hover(null),
  };
  return (
    <g class={classes.filter(Boolean).join(" ")} role="group" aria-label={`${node.kind === "process" ? "Process" : "Dataset"} ${node.title}`}>
      {/* Where rows cannot be read, the whole card stands for its head. */}
      <rect class="card" width={WIDTH} height={node.height} rx="10" {...pointed} onClick={toggle} />
      <g class="head" {...pointed}>
        <path class="top" d={`M0,${HEAD}V10a10,10 0 0 1 10,-10H${WIDTH - 10}a10,10 0 0 1 10,10V${HEAD}z`} />
        {node.kind === "process" ? (
          <path class="icon" d="M14,20l6,6l-6,6M22,32h8" />
        ) : (
          <path class="icon" d="M14,19h16v15h-16zM14,24h16M21,24v10" />
        )}
        <text class="title" x={TEXT_LEFT + 26} y="23">{fit(node.title, room, TITLE_FONT)}</text>
        <text class="subtitle" x={TEXT_LEFT + 26} y="41">{fit(node.subtitle, room, SMALL_FONT)}</text>
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
          {...activate(toggle)}
        />
      </g>
      {node.rows.map((row) => (
        <RowOf key={row.key} row={row} node={node} trace={trace} indirect={indirect} selection={selection} actions={actions} />
      ))}
      {SIGNS.map(([name, size]) => <Sign key={name} name={name} size={size} node={node} trace={trace} />)}
      <Handle node={node} up actions={actions} />
      <Handle node={node} up={false} actions={actions} />
    </g>
  );
}

/** The title, and below it the traced columns of a dataset, as far as there is room. */
function Sign({ name, size, node, trace }: { name: string; size: number; node: Node; trace: Trace | null }) {
  const most = Math.max(1, Math.floor((node.height - 6) / (size * 1.1)));
  const columns = node.rows.filter((row) => row.kind === "column" && trace?.columns.has(row.key)).map((row) => row.text).join(", ");
  const titles = wrapped(node.title, WIDTH - 20, `600 ${size}px ${SANS}`, columns ? Math.max(1, most - 1) : most);
  const room = most - titles.length;
  const below = columns && room ? wrapped(columns, WIDTH - 20, `400 ${size}px ${SANS}`, room) : [];
  const first = node.height / 2 + size * (0.36 - (titles.length + below.length - 1) * 0.55);
  return (
    <text class={`sign ${name}`} style={{ fontSize: `${size}px` }} text-anchor="middle">
      {[...titles, ...below].map((line, at) => (
        <tspan key={at} class={at < titles.length ? undefined : "below"} x={WIDTH / 2} y={first + at * size * 1.1}>{line}</tspan>
      ))}
    </text>
  );
}

/** A card changes only with what concerns it, so that a trace through a large picture stays quick. */
export const Card = memo(CardOf, (before, after) => {
  if (before.node !== after.node || before.first !== after.first || before.isRoot !== after.isRoot || before.on !== after.on || before.indirect !== after.indirect) return false;
  if (before.actions !== after.actions) return false;
  const touched = [before, after].some(({ on, selection, node }) => on || (selection?.kind === "node" && selection.id === node.id));
  return !touched;
});

function RowOf({ row, node, trace, indirect, selection, actions }: { row: Row } & Pick<CardProps, "node" | "trace" | "indirect" | "selection" | "actions">) {
  const isTraced = trace ? trace.columns.has(row.key) || trace.steps.has(row.key) : false;
  const isSelected = selection !== null && selection.kind !== "node" && selection.key === row.key;
  const decides = !isTraced && indirect && (trace?.deciding.has(row.key) ?? false);
  const classes = ["row", row.kind, isTraced && "traced", decides && "decides", isSelected && "selected"].filter(Boolean).join(" ");
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
