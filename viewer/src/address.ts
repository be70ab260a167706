// The address holds what is selected and how it is shown: in the query on a server, after # in a file.

import { columnKey, reference, stepKey, type Direction, type Graph, type Process } from "./graph";
import { columnNamed, columnsNamed, datasetsNamed, near } from "./names";
import type { Selection } from "./view";

/** What the address names and the lineage does not have. */
export interface Problem {
  text: string;
  near: Selection[];
}

export interface Place {
  problem: Problem | null;
  selection: Selection | null;
  direction: Direction;
  onlyTraced: boolean;
  indirect: boolean;
  table: boolean;
}

const MOST_FITTING = 8;

const inQuery = (): boolean => location.protocol.startsWith("http");

function parameters(): URLSearchParams {
  return new URLSearchParams(inQuery() ? location.search : location.hash.replace(/^#/, ""));
}

/** What the address asks for; where it names nothing, `first` is selected. */
export function read(graph: Graph, first: Selection | null): Place {
  const given = parameters();
  const direction = given.get("direction") ?? graph.document.focus?.direction;
  return {
    ...asked(graph, given, usual(graph, first)),
    direction: direction === "up" || direction === "down" ? direction : "both",
    onlyTraced: given.has("traced"),
    indirect: given.has("indirect"),
    table: given.get("view") === "table",
  };
}

/** What is selected if the address does not say. */
function usual(graph: Graph, first: Selection | null): Selection | null {
  const focus = graph.document.focus;
  if (first || !focus) return first;
  const has = focus.column !== undefined && graph.columnsOf(focus.dataset).some(({ name }) => name === focus.column);
  return has ? { kind: "column", key: columnKey({ dataset: focus.dataset, column: focus.column! }) } : { kind: "node", id: focus.dataset };
}

function asked(graph: Graph, given: URLSearchParams, otherwise: Selection | null): Pick<Place, "selection" | "problem"> {
  const [asset, process, column] = ["asset", "process", "column"].map((name) => given.get(name));
  const failed = (problem: Problem, selection = otherwise) => ({ selection, problem });
  const done = (selection: Selection | null) => ({ selection, problem: null });
  if (asset == null && process == null && column == null) return done(otherwise);
  const owner = graph.document.processes.find((each) => each.qualifiedName === process);
  if (process && !owner) return failed({ text: `There is no process “${process}” in this lineage.`, near: near(graph, process, "process") });
  const fitting = asset ? datasetsNamed(graph, asset) : [];
  if (fitting.length > 1) return failed(several("dataset", asset!, fitting.map(({ id }) => ({ kind: "node", id }))));
  if (asset && !fitting.length) return failed({ text: `There is no dataset “${asset}” in this lineage.`, near: near(graph, asset, "dataset") });
  const dataset = fitting[0]?.id;
  if (!column) return done(owner ? { kind: "node", id: owner.id } : dataset === undefined ? null : { kind: "node", id: dataset });
  return ofColumn(graph, column, dataset, owner, otherwise);
}

/** A column of a dataset, or of the focus, or one that is written as `dataset.column`. */
function ofColumn(graph: Graph, text: string, dataset: string | undefined, owner: Process | undefined, otherwise: Selection | null): Pick<Place, "selection" | "problem"> {
  const home = dataset ?? graph.document.focus?.dataset;
  const column = home === undefined ? undefined : columnNamed(graph, home, text);
  const fitting = home !== undefined && column !== undefined ? [{ dataset: home, column }] : dataset === undefined ? columnsNamed(graph, text) : [];
  const [found, ...others] = fitting;
  const selections = fitting.map((each): Selection => ({ kind: "column", key: columnKey(each) }));
  if (others.length) return { selection: otherwise, problem: several("column", text, selections) };
  if (found) {
    const key = owner && stepKey(owner.id, found);
    return { selection: key && graph.steps.has(key) ? { kind: "step", key } : selections[0]!, problem: null };
  }
  const is = dataset === undefined ? `There is no column “${text}” in this lineage.` : `${graph.name(dataset)} has no column “${text}”.`;
  const selection: Selection | null = dataset === undefined ? otherwise : { kind: "node", id: dataset };
  return { selection, problem: { text: is, near: near(graph, text, "column", dataset) } };
}

const several = (kind: string, text: string, near: Selection[]): Problem => ({ text: `Several ${kind}s fit “${text}”.`, near: near.slice(0, MOST_FITTING) });

/**
 * Writes the place into the address; another selection gets an entry of its own in the history. What cannot be shown
 * stays there until something else is selected.
 */
export function write(graph: Graph, place: Place, first: Selection | null): void {
  if (place.problem) return;
  const kept = parameters();
  const before = kept.toString();
  for (const name of ["asset", "column", "process", "direction", "traced", "indirect", "view"]) kept.delete(name);
  for (const [name, value] of selected(graph, place.selection)) kept.set(name, value);
  if (!place.selection && usual(graph, first)) kept.set("asset", "");
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
