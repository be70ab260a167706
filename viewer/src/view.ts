// What is shown of a graph: which nodes, which of their rows, and the lines between rows.

import { columnKey, type Direction, type Graph, type Process, type Step } from "./graph";
import { mayDecide, type Trace } from "./trace";
import { visibleNodes } from "./visible";

export type Selection =
  | { kind: "column"; key: string }
  | { kind: "step"; key: string }
  | { kind: "node"; id: string };

export interface View {
  /** The datasets and processes that are unfolded. */
  shown: ReadonlySet<string>;
  /** Nodes whose every row is shown. */
  unfolded: ReadonlySet<string>;
  direction: Direction;
  /** Only what the selected column's way leads through, and with `indirect` what decides about it. */
  onlyTraced: boolean;
  /** Also columns that decide about rows or values without giving one. */
  indirect: boolean;
}

export type RowKind = "column" | "step" | "fold";

export interface Row {
  /** Unique within the picture: the key of the column or step, or of the node's fold. */
  key: string;
  kind: RowKind;
  text: string;
  /** The type of a column, the formula of a step. */
  detail: string;
  top: number;
  height: number;
  /** How many columns or steps a fold contains. */
  count: number;
}

export interface Node {
  id: string;
  kind: "dataset" | "process";
  title: string;
  subtitle: string;
  rows: Row[];
  height: number;
  /** How many neighbours are hidden on either side, and how many are shown. */
  hiddenBefore: number;
  hiddenAfter: number;
  shownBefore: number;
  shownAfter: number;
  /** Processes that are not part of the document. */
  missingBefore: number;
  missingAfter: number;
}

export interface Line {
  key: string;
  from: { node: string; row: string | null };
  to: { node: string; row: string | null };
  /** A flow joins two nodes of which no columns are known. */
  kind: "value" | "indirect" | "flow";
  steps: Set<string>;
  columns: Set<string>;
}

export interface Picture {
  nodes: Node[];
  lines: Line[];
}

export const WIDTH = 296;
export const HEAD = 54;
const ROW = 28;
const FORMULA_ROW = 46;
const PADDING = 6;
/** A dataset shows so many columns before the rest is folded, a process so many computed columns. */
const MOST_COLUMNS = 12;
const MOST_STEPS = 6;
/** Even a trace does not show more rows in one node. */
const MOST_TRACED = 40;
/** Unfolding a node shows so many rows. */
const MOST_UNFOLDED = 1000;

const foldKey = (id: string): string => `${id}\u0000\u0000fold`;

/** The number of rows is fixed before their order, so that a trace never reorders a node. */
function chosen<T>(all: T[], most: number, isTraced: (each: T) => boolean, relevance: (each: T) => number): T[] {
  if (all.length <= most) return all;
  const traced = all.filter(isTraced).slice(0, MOST_TRACED);
  const rest = all.filter((each) => !isTraced(each) && relevance(each) > 0);
  const best = rest.sort((one, other) => relevance(other) - relevance(one)).slice(0, Math.max(most - traced.length, 0));
  const kept = new Set([...traced, ...best]);
  return all.filter((each) => kept.has(each));
}

function stacked(rows: Omit<Row, "top">[]): { rows: Row[]; height: number } {
  let top = HEAD + (rows.length ? PADDING / 2 : 0);
  const placed = rows.map((row) => {
    const made = { ...row, top };
    top += row.height;
    return made;
  });
  return { rows: placed, height: top + (rows.length ? PADDING : 0) };
}

const fold = (id: string, count: number, text: string): Omit<Row, "top">[] =>
  count ? [{ key: foldKey(id), kind: "fold", text, detail: "", height: ROW, count }] : [];

export class Drawing {
  private readonly visible: Set<string>;

  constructor(
    private readonly graph: Graph,
    private readonly view: View,
    root: string | undefined,
    private readonly trace: Trace | null,
  ) {
    this.visible = visibleNodes(graph, view, root, trace);
  }

  picture(): Picture {
    const nodes = [...this.visible].map((id) => this.node(id));
    return { nodes, lines: this.lines(new Map(nodes.map((node) => [node.id, node]))) };
  }

  private node(id: string): Node {
    const process = this.graph.processes.get(id);
    const before = this.graph.before(id);
    const after = this.graph.after(id);
    const count = (ids: string[], shown: boolean) => new Set(ids.filter((each) => this.visible.has(each) === shown)).size;
    const dataset = this.graph.datasets.get(id);
    return {
      id,
      kind: process ? "process" : "dataset",
      title: this.graph.name(id),
      subtitle: process ? [process.operation, process.application].filter(Boolean).join(" · ") || "Process" : (dataset?.type ?? "Dataset"),
      ...stacked(process ? this.stepRows(process) : this.columnRows(id)),
      hiddenBefore: count(before, false),
      hiddenAfter: count(after, false),
      shownBefore: count(before, true),
      shownAfter: count(after, true),
      missingBefore: dataset?.moreUpstream ?? 0,
      missingAfter: dataset?.moreDownstream ?? 0,
    };
  }

  private columnRows(id: string): Omit<Row, "top">[] {
    const all = this.graph.columnsOf(id).map((column) => ({ ...column, key: columnKey({ dataset: id, column: column.name }) }));
    const traced = (each: { key: string }) => this.trace?.columns.has(each.key) || (this.view.indirect && this.trace?.deciding.has(each.key)) || false;
    const only = this.view.onlyTraced && this.trace;
    const most = this.view.unfolded.has(id) ? MOST_UNFOLDED : MOST_COLUMNS;
    const shown = only ? all.filter(traced).slice(0, MOST_UNFOLDED) : chosen(all, most, traced, (each) => this.relevance(each.key));
    const rest = all.length - shown.length;
    return [
      ...shown.map(({ key, name, type }) => ({ key, kind: "column" as const, text: name, detail: type ?? "", height: ROW, count: 1 })),
      ...(only ? [] : fold(id, rest, `${rest.toLocaleString("en")} more column${rest === 1 ? "" : "s"}`)),
    ];
  }

  /** Computed columns tell more than copied ones, and those more than columns without lineage. */
  private relevance(key: string): number {
    const computed = this.graph.computing.get(key) ?? [];
    const used = this.graph.using.get(key) ?? [];
    if ([...computed, ...used].some((step) => !step.copy)) return 3;
    if (computed.length || used.length) return 2;
    const decides = this.graph.influenced.has(key) || this.graph.selecting.has(key);
    return decides && this.view.indirect ? 1 : 0;
  }

  private stepRows(process: Process): Omit<Row, "top">[] {
    const all = this.graph.stepsOf.get(process.id) ?? [];
    const traced = (step: Step) => this.trace?.steps.has(step.key) ?? false;
    const row = (step: Step) => {
      const detail = formula(step);
      return { key: step.key, kind: "step" as const, text: step.derivation.column, detail, height: detail ? FORMULA_ROW : ROW, count: 1 };
    };
    if (this.view.onlyTraced && this.trace) return all.filter(traced).slice(0, MOST_UNFOLDED).map(row);
    const unfolded = this.view.unfolded.has(process.id);
    const relevance = (step: Step) => (step.copy && !unfolded && all.length > MOST_STEPS ? 0 : 1);
    const shown = chosen(all, unfolded ? MOST_UNFOLDED : MOST_STEPS, traced, relevance);
    const kept = new Set(shown);
    const rest = all.filter((step) => !kept.has(step));
    const copied = rest.every((step) => step.copy);
    const text = `${rest.length.toLocaleString("en")} ${copied ? "" : "more "}column${rest.length === 1 ? "" : "s"}${copied ? " copied unchanged" : ""}`;
    return [...shown.map(row), ...fold(process.id, rest.length, text)];
  }

  private lines(nodes: Map<string, Node>): Line[] {
    const made = new Map<string, Line>();
    const rows = new Map([...nodes.values()].map((node) => [node.id, new Set(node.rows.map((row) => row.key))]));
    const rowOf = (node: string, key: string): string | null => {
      const known = rows.get(node);
      if (!known) return null;
      return known.has(key) ? key : known.has(foldKey(node)) ? foldKey(node) : null;
    };
    const add = (kind: Line["kind"], from: Line["from"], to: Line["to"], steps: string[], column?: string) => {
      const key = [kind, from.node, from.row, to.node, to.row].join("\u0001");
      const line = made.get(key) ?? { key, kind, from, to, steps: new Set<string>(), columns: new Set<string>() };
      for (const step of steps) line.steps.add(step);
      if (column) line.columns.add(column);
      made.set(key, line);
    };
    const joined = new Set<string>();
    for (const node of nodes.values()) {
      if (node.kind !== "process") continue;
      for (const step of this.graph.stepsOf.get(node.id) ?? []) this.stepLines(step, nodes, rowOf, add, joined);
      if (this.view.indirect) this.indirectLines(this.graph.processes.get(node.id)!, nodes, rowOf, add, joined);
    }
    for (const node of nodes.values()) {
      const process = this.graph.processes.get(node.id);
      for (const id of process?.inputs ?? []) {
        if (nodes.has(id) && !joined.has(`${id}\u0001${node.id}`)) add("flow", { node: id, row: null }, { node: node.id, row: null }, []);
      }
      for (const id of process?.outputs ?? []) {
        if (nodes.has(id) && !joined.has(`${node.id}\u0001${id}`)) add("flow", { node: node.id, row: null }, { node: id, row: null }, []);
      }
    }
    return [...made.values()];
  }

  private stepLines(
    step: Step,
    nodes: Map<string, Node>,
    rowOf: (node: string, key: string) => string | null,
    add: (kind: Line["kind"], from: Line["from"], to: Line["to"], steps: string[], column?: string) => void,
    joined: Set<string>,
  ): void {
    if (this.view.onlyTraced && this.trace && !this.trace.steps.has(step.key)) return;
    const { process, derivation } = step;
    const here = { node: process.id, row: rowOf(process.id, step.key) };
    for (const source of derivation.sources) {
      if (!nodes.has(source.dataset)) continue;
      const key = columnKey(source);
      add("value", { node: source.dataset, row: rowOf(source.dataset, key) }, here, [step.key], key);
      joined.add(`${source.dataset}\u0001${process.id}`);
    }
    if (nodes.has(derivation.dataset)) {
      const key = columnKey(derivation);
      add("value", here, { node: derivation.dataset, row: rowOf(derivation.dataset, key) }, [step.key], key);
      joined.add(`${process.id}\u0001${derivation.dataset}`);
    }
  }

  /** With a selection, only what decides about the columns on its way. */
  private indirectLines(
    process: Process,
    nodes: Map<string, Node>,
    rowOf: (node: string, key: string) => string | null,
    add: (kind: Line["kind"], from: Line["from"], to: Line["to"], steps: string[], column?: string) => void,
    joined: Set<string>,
  ): void {
    const steps = (this.graph.stepsOf.get(process.id) ?? []).filter((step) => !this.trace || this.trace.steps.has(step.key));
    const join = (dataset: string, row: string | null, to: string | null, through: Step[], column?: string) => {
      if (!nodes.has(dataset)) return;
      add("indirect", { node: dataset, row }, { node: process.id, row: to }, through.map((step) => step.key), column);
      joined.add(`${dataset}\u0001${process.id}`);
    };
    for (const step of steps) {
      for (const use of step.derivation.influences) {
        join(use.dataset, rowOf(use.dataset, columnKey(use)), rowOf(process.id, step.key), [step], columnKey(use));
      }
    }
    if (this.trace && !steps.length) return;
    for (const use of process.rows) join(use.dataset, rowOf(use.dataset, columnKey(use)), null, steps, columnKey(use));
    for (const id of mayDecide(process)) join(id, null, null, steps);
  }
}

/** The formula of a step in a line; "" for a column that only takes over a value of the same name. */
export function formula(step: Step): string {
  const { derivation } = step;
  if (step.copy) {
    const source = derivation.sources[0]!;
    return source.column === derivation.column ? "" : `= ${source.column}`;
  }
  if (derivation.expression) return `= ${derivation.expression.replace(/\s+/g, " ")}`;
  if (derivation.constant) return "= a constant";
  return derivation.sources.length ? `from ${derivation.sources.map((each) => each.column).join(", ")}` : "";
}

