// What is meant by a name that a person wrote, and which names are like one that nothing has.

import { columnKey, type Dataset, type Graph, type Reference } from "./graph";
import type { Selection } from "./view";

const PLACEHOLDER = "{sparkpartitions}";
const MOST_NEAR = 5;
/** Names are near from this share of common pairs of letters. */
const LIKE = 0.4;

/** The parts of a qualified name, in lower case; Fabric's names are percent-encoded twice. */
function parts(name: string): string[] {
  return decoded(decoded(name)).toLowerCase().split(/[/.#:\\]+/).filter((part) => part && part !== PLACEHOLDER);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The datasets that fit best: by qualified name, by label, by short name, or by the end of the qualified name. */
export function datasetsNamed(graph: Graph, text: string): Dataset[] {
  const all = graph.document.datasets;
  const wanted = parts(text);
  const fits: ((each: Dataset) => boolean)[] = [
    (each) => each.id === text || each.qualifiedName === text,
    (each) => graph.name(each.id).toLowerCase() === text.toLowerCase(),
    (each) => each.name.toLowerCase() === text.toLowerCase(),
    (each) => wanted.length > 0 && parts(each.qualifiedName).slice(-wanted.length).join("/") === wanted.join("/"),
  ];
  return fits.map((fit) => all.filter(fit)).find((found) => found.length) ?? [];
}

/** The column of a dataset, in the case that it is written in or else in any. */
export function columnNamed(graph: Graph, dataset: string, text: string): string | undefined {
  const names = graph.columnsOf(dataset).map(({ name }) => name);
  const same = names.filter((name) => name.toLowerCase() === text.toLowerCase());
  return names.find((name) => name === text) ?? (same.length === 1 ? same[0] : undefined);
}

/** The columns that `dataset.column` may mean. */
export function columnsNamed(graph: Graph, text: string): Reference[] {
  for (let at = text.indexOf("."); at > 0; at = text.indexOf(".", at + 1)) {
    const found = datasetsNamed(graph, text.slice(0, at)).flatMap(({ id }) => {
      const column = columnNamed(graph, id, text.slice(at + 1));
      return column === undefined ? [] : [{ dataset: id, column }];
    });
    if (found.length) return found;
  }
  return [];
}

/** The things whose names are most like a text: columns of one dataset, or else of all, datasets or processes. */
export function near(graph: Graph, text: string, of: "dataset" | "process" | "column", dataset?: string): Selection[] {
  const datasets = graph.document.datasets;
  const columns = (id: string, whole: boolean): [string, Selection][] =>
    graph.columnsOf(id).map(({ name }) => [whole ? graph.label({ dataset: id, column: name }) : name, { kind: "column", key: columnKey({ dataset: id, column: name }) }]);
  const named: [string, Selection][] =
    of === "process"
      ? graph.document.processes.map(({ id, name }) => [name, { kind: "node", id }])
      : of === "dataset"
        ? datasets.map(({ id }) => [graph.name(id), { kind: "node", id }])
        : dataset === undefined
          ? datasets.flatMap(({ id }) => columns(id, true))
          : columns(dataset, false);
  const end = parts(text).slice(of === "column" && dataset === undefined ? -2 : -1).join(".");
  const rated = named.map(([name, selection]) => ({ selection, like: Math.max(likeness(name, text), likeness(name, end)) }));
  return rated.filter(({ like }) => like >= LIKE).sort((one, other) => other.like - one.like).slice(0, MOST_NEAR).map(({ selection }) => selection);
}

/** The share of pairs of letters that two texts have in common, from 0 to 1 (Dice's coefficient). */
function likeness(one: string, other: string): number {
  const [left, right] = [pairs(one), pairs(other)];
  const common = [...left].filter((pair) => right.has(pair)).length;
  return left.size + right.size ? (2 * common) / (left.size + right.size) : 0;
}

function pairs(text: string): Set<string> {
  const padded = ` ${text.toLowerCase()} `;
  return new Set(Array.from({ length: padded.length - 1 }, (_, at) => padded.slice(at, at + 2)));
}
