// The whole way of a column over all hops.

import { columnKey, reference, type Direction, type Graph, type Process, type Step } from "./graph";

export interface Trace {
  /** Columns and steps that the way leads through, by key; the selected column is among them. */
  columns: Set<string>;
  steps: Set<string>;
  /** Datasets and processes that the way leads through, by id. */
  nodes: Set<string>;
  /** Columns, by key, that decide about rows or values on the way without giving one. */
  deciding: Set<string>;
  /** Datasets, by id, that may decide about rows on the way: only the text of the conditions is known. */
  mayDecide: Set<string>;
}

/** What a process reads, if it has conditions of which no columns are known, as in a catalogue. */
export const mayDecide = (process: Process): string[] => (process.conditions.length && !process.rows.length ? process.inputs : []);

type Walk = { columns: Set<string>; steps: Set<string> };

function walk(graph: Graph, start: string, up: boolean): Walk {
  const columns = new Set([start]);
  const steps = new Set<string>();
  const front = [start];
  for (let key = front.pop(); key !== undefined; key = front.pop()) {
    for (const step of (up ? graph.computing : graph.using).get(key) ?? []) {
      steps.add(step.key);
      for (const next of up ? step.derivation.sources : [step.derivation]) {
        const found = columnKey(next);
        if (!columns.has(found)) {
          columns.add(found);
          front.push(found);
        }
      }
    }
  }
  return { columns, steps };
}

function merged(graph: Graph, walks: Walk[]): Trace {
  const columns = new Set(walks.flatMap((each) => [...each.columns]));
  const steps = new Set(walks.flatMap((each) => [...each.steps]));
  const nodes = new Set([...columns].map((key) => reference(key).dataset));
  const deciding = new Set<string>();
  const inputs = new Set<string>();
  for (const key of steps) {
    const { process, derivation } = graph.steps.get(key)!;
    nodes.add(process.id);
    for (const use of [...derivation.influences, ...process.rows]) deciding.add(columnKey(use));
    for (const id of mayDecide(process)) inputs.add(id);
  }
  return { columns, steps, nodes, deciding, mayDecide: inputs };
}

/** Everything that feeds the column, and everything that it feeds. */
export function traceColumn(graph: Graph, key: string, direction: Direction): Trace {
  const walks = [];
  if (direction !== "down") walks.push(walk(graph, key, true));
  if (direction !== "up") walks.push(walk(graph, key, false));
  return merged(graph, walks);
}

/** What one step computes from, and what becomes of it. */
export function traceStep(graph: Graph, step: Step, direction: Direction): Trace {
  const own = { columns: new Set([columnKey(step.derivation)]), steps: new Set([step.key]) };
  const walks: Walk[] = [own];
  if (direction !== "down") walks.push(...step.derivation.sources.map((each) => walk(graph, columnKey(each), true)));
  if (direction !== "up") walks.push(walk(graph, columnKey(step.derivation), false));
  return merged(graph, walks);
}

/** A hop of the explanation: a column, how it is computed, and the columns that come before or after it. */
export interface Hop {
  key: string;
  /** Against the flow of data: how the column is computed. With it: how it comes from the column before. */
  steps: Step[];
  hops: Hop[];
  /** True where the column was explained already. */
  seen: boolean;
}

/** Explains a column hop by hop, nearest first; each column once. */
export function explain(graph: Graph, key: string, up: boolean): Hop {
  const seen = new Set<string>();
  const hop = (found: string, via: Step[]): Hop => {
    if (seen.has(found)) return { key: found, steps: via, hops: [], seen: true };
    seen.add(found);
    if (up) {
      const steps = graph.computing.get(found) ?? [];
      const sources = new Set(steps.flatMap((step) => step.derivation.sources.map(columnKey)));
      return { key: found, steps, hops: [...sources].map((each) => hop(each, graph.computing.get(each) ?? [])), seen: false };
    }
    const derived = Map.groupBy(graph.using.get(found) ?? [], (step) => columnKey(step.derivation));
    return { key: found, steps: via, hops: [...derived].map(([each, steps]) => hop(each, steps)), seen: false };
  };
  return hop(key, []);
}

/** The number of processes on the longest way. */
export function hops(hop: Hop): number {
  return hop.hops.length ? 1 + Math.max(...hop.hops.map(hops)) : 0;
}
