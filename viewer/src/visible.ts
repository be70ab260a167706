// Which datasets and processes the picture shows.

import { reference, type Graph } from "./graph";
import type { Trace } from "./trace";
import type { View } from "./view";

/** Around an asset, so many nodes are shown first. */
const MOST_NODES = 60;
/** A graph of so many nodes is shown as a whole if nothing was asked for. */
const MOST_WHOLE = 120;

/** Where to begin if nothing was asked for: nowhere in a small graph, else at the end of the longest way. */
export function start(graph: Graph): string | undefined {
  if (graph.datasets.size + graph.processes.size <= MOST_WHOLE) return undefined;
  const lengths = new Map<string, number>();
  const length = (id: string): number => {
    const known = lengths.get(id);
    if (known !== undefined) return known;
    lengths.set(id, 0); // Ends circles.
    const made = 1 + Math.max(0, ...graph.before(id).map(length));
    lengths.set(id, made);
    return made;
  };
  const [first, ...others] = graph.datasets.keys();
  return others.reduce((best, id) => (length(id) > length(best!) ? id : best), first);
}

/** The nodes to begin with: everything without a root, else the surroundings of the focus hop by hop. */
export function beginning(graph: Graph, root: string | undefined): Set<string> {
  const everything = [...graph.datasets.keys(), ...graph.processes.keys()];
  if (!root) return new Set(everything);
  const shown = new Set([root]);
  let fronts = { up: [root], down: [root] };
  for (let hop = 0; fronts.up.length || fronts.down.length; hop++) {
    const up = behind(fronts.up, (id) => graph.before(id), graph);
    const down = behind(fronts.down, (id) => graph.after(id), graph);
    const next = [...up, ...down].filter((id) => !shown.has(id));
    if (hop > 0 && shown.size + next.length > MOST_NODES) break;
    for (const id of next) shown.add(id);
    fronts = { up: up.filter((id) => next.includes(id)), down: down.filter((id) => next.includes(id)) };
  }
  return shown;
}

/** The neighbours on one side; of a process that is one, what lies behind it too, as it says little alone. */
function behind(ids: string[], next: (id: string) => string[], graph: Graph): string[] {
  const near = ids.flatMap(next);
  return [...new Set([...near, ...near.filter((id) => graph.processes.has(id)).flatMap(next)])];
}

function closure(start: string, next: (id: string) => string[]): Set<string> {
  const found = new Set([start]);
  const front = [start];
  for (let id = front.pop(); id !== undefined; id = front.pop()) {
    for (const each of next(id)) {
      if (!found.has(each)) {
        found.add(each);
        front.push(each);
      }
    }
  }
  return found;
}

/** What a trace leads through; with `indirect`, also the datasets whose columns decide about it. */
export function wayOf(graph: Graph, trace: Trace, indirect: boolean): string[] {
  const deciding = indirect ? [...[...trace.deciding].map((key) => reference(key).dataset), ...trace.mayDecide] : [];
  return [...trace.nodes, ...deciding].filter((id) => graph.datasets.has(id) || graph.processes.has(id));
}

/** The nodes of the picture. */
export function visibleNodes(graph: Graph, view: View, root: string | undefined, trace: Trace | null): Set<string> {
  const way = trace ? wayOf(graph, trace, view.indirect) : [];
  if (view.onlyTraced && trace) return new Set(way);
  const shown = new Set([...view.shown, ...way]);
  if (view.direction === "both" || !root) return shown;
  const side = closure(root, (id) => (view.direction === "up" ? graph.before(id) : graph.after(id)));
  return new Set([...shown].filter((id) => side.has(id)));
}

/** Shows the neighbours of a node on one side. */
export function expanded(graph: Graph, shown: ReadonlySet<string>, id: string, up: boolean): Set<string> {
  return new Set([...shown, ...behind([id], (each) => (up ? graph.before(each) : graph.after(each)), graph)]);
}

/** Hides what is connected with the rest only through one side of a node. */
export function collapsed(graph: Graph, shown: ReadonlySet<string>, id: string, up: boolean, root: string): Set<string> {
  const cut = new Set(up ? graph.before(id) : graph.after(id));
  const next = (each: string): string[] => {
    const neighbours = [...graph.before(each), ...graph.after(each)].filter((other) => shown.has(other));
    if (each === id) return neighbours.filter((other) => !cut.has(other));
    return cut.has(each) ? neighbours.filter((other) => other !== id) : neighbours;
  };
  const kept = closure(id, next);
  for (const each of shown.has(root) ? closure(root, next) : []) kept.add(each);
  return kept;
}
