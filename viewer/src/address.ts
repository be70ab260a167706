// The address holds what is selected and how it is shown: in the query on a server, after # in a file.

import { columnKey, reference, stepKey, type Direction, type Graph } from "./graph";
import type { Selection } from "./view";

export interface Place {
  selection: Selection | null;
  direction: Direction;
  onlyTraced: boolean;
  indirect: boolean;
  table: boolean;
}

const inQuery = (): boolean => location.protocol.startsWith("http");

function parameters(): URLSearchParams {
  return new URLSearchParams(inQuery() ? location.search : location.hash.replace(/^#/, ""));
}

/** What the address asks for; where it names nothing, `first` is selected. */
export function read(graph: Graph, first: Selection | null): Place {
  const given = parameters();
  const direction = given.get("direction") ?? graph.document.focus?.direction;
  return {
    selection: selection(graph, given, first),
    direction: direction === "up" || direction === "down" ? direction : "both",
    onlyTraced: given.has("traced"),
    indirect: given.has("indirect"),
    table: given.get("view") === "table",
  };
}

function selection(graph: Graph, given: URLSearchParams, first: Selection | null): Selection | null {
  const focus = graph.document.focus;
  const byName = (name: string | null) => graph.document.datasets.find((each) => each.qualifiedName === name)?.id;
  const process = graph.document.processes.find((each) => each.qualifiedName === given.get("process"));
  const dataset = given.has("asset") ? byName(given.get("asset")) : focus?.dataset;
  const isAsked = given.has("asset") || given.has("process");
  const column = given.get("column") ?? (isAsked ? null : focus?.column);
  if (dataset && column) {
    const part = { dataset, column };
    if (process && graph.steps.has(stepKey(process.id, part))) return { kind: "step", key: stepKey(process.id, part) };
    if (graph.columnsOf(dataset).some(({ name }) => name === column)) return { kind: "column", key: columnKey(part) };
  }
  if (!dataset && column) return named(graph, column);
  if (process) return { kind: "node", id: process.id };
  if (!isAsked && first) return first;
  return dataset ? { kind: "node", id: dataset } : null;
}

/** The column that is written as `dataset.column`, if there is only one. */
function named(graph: Graph, text: string): Selection | null {
  const fitting = graph.document.datasets.flatMap(({ id, name }) =>
    [graph.name(id), name].filter((each) => text.startsWith(`${each}.`)).map((each) => ({ dataset: id, column: text.slice(each.length + 1) })),
  );
  const keys = new Set(fitting.filter(({ dataset, column }) => graph.columnsOf(dataset).some(({ name }) => name === column)).map(columnKey));
  return keys.size === 1 ? { kind: "column", key: [...keys][0]! } : null;
}

/** Writes the place into the address; another selection gets an entry of its own in the history. */
export function write(graph: Graph, place: Place): void {
  const kept = parameters();
  const before = kept.toString();
  for (const name of ["asset", "column", "process", "direction", "traced", "indirect", "view"]) kept.delete(name);
  for (const [name, value] of selected(graph, place.selection)) kept.set(name, value);
  if (place.direction !== (graph.document.focus?.direction ?? "both")) kept.set("direction", place.direction);
  if (place.onlyTraced) kept.set("traced", "1");
  if (place.indirect) kept.set("indirect", "1");
  if (place.table) kept.set("view", "table");
  const after = kept.toString();
  if (after === before) return;
  const text = inQuery() ? `${location.pathname}${after && `?${after}`}${location.hash}` : `#${after}`;
  const names = ["asset", "column", "process"];
  const old = new URLSearchParams(before);
  const same = names.every((name) => old.get(name) === kept.get(name));
  history[same ? "replaceState" : "pushState"](null, "", text);
}

function selected(graph: Graph, chosen: Selection | null): [string, string][] {
  const asset = (id: string): [string, string] => ["asset", graph.datasets.get(id)?.qualifiedName ?? id];
  if (chosen?.kind === "column") {
    const { dataset, column } = reference(chosen.key);
    return [asset(dataset), ["column", column]];
  }
  if (chosen?.kind === "step") {
    const { process, derivation } = graph.steps.get(chosen.key)!;
    return [["process", process.qualifiedName], asset(derivation.dataset), ["column", derivation.column]];
  }
  if (chosen?.kind === "node") {
    const process = graph.processes.get(chosen.id);
    return [process ? ["process", process.qualifiedName] : asset(chosen.id)];
  }
  return [];
}
