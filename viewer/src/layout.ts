// Where nodes are and how lines run. ELK works in a Web Worker, so that a large graph does not block the page.

import ELK, { type ElkNode, type ELK as Elk } from "elkjs/lib/elk-api.js";
import { HEAD, WIDTH, type Line, type Node, type Picture } from "./view";

declare const require: (name: string) => { Worker: new () => Worker };

export interface Box {
  x: number;
  y: number;
}

export interface Layout {
  picture: Picture;
  boxes: Map<string, Box>;
  /** The path of each line by its key. */
  paths: Map<string, string>;
  width: number;
  height: number;
}

type Point = { x: number; y: number };

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.edgeRouting": "POLYLINE",
  "elk.padding": "[top=24,left=40,bottom=24,right=40]",
  "elk.spacing.nodeNode": "28",
  "elk.spacing.componentComponent": "56",
  "elk.layered.spacing.nodeNodeBetweenLayers": "80",
  "elk.layered.spacing.edgeNodeBetweenLayers": "32",
  "elk.spacing.edgeNode": "20",
  "elk.spacing.edgeEdge": "14",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.crossingMinimization.forceNodeModelOrder": "false",
  "elk.layered.thoroughness": "7",
};

const script = typeof document === "undefined" ? null : (document.currentScript as HTMLScriptElement | null);
let elk: Elk | null = null;

/** This very script is the worker as well: main.tsx starts ELK where there is no document. */
function makeWorker(): Worker {
  try {
    if (script?.src) return new Worker(script.src);
    return new Worker(URL.createObjectURL(new Blob([script?.textContent ?? ""], { type: "text/javascript" })));
  } catch {
    return new (require("elkjs/lib/elk-worker.min.js").Worker)();
  }
}

const middle = (node: Node, row: string | null): number => {
  const found = row === null ? undefined : node.rows.find((each) => each.key === row);
  return found ? found.top + found.height / 2 : HEAD / 2;
};

/** One edge for all lines between two nodes: ELK's work depends on the number of nodes, not of columns. */
function bundles(lines: Line[]): Map<string, Line[]> {
  const found = new Map<string, Line[]>();
  for (const line of lines) {
    const key = `${line.from.node}\u0001${line.to.node}`;
    const bundle = found.get(key);
    if (bundle) bundle.push(line);
    else found.set(key, [line]);
  }
  return found;
}

export async function layOut(picture: Picture): Promise<Layout> {
  elk ??= new ELK({ workerFactory: makeWorker });
  const nodes = new Map(picture.nodes.map((node) => [node.id, node]));
  const bundled = [...bundles(picture.lines).values()];
  const ports = new Map<string, { id: string; x: number; y: number; width: number; height: number; layoutOptions: Record<string, string> }[]>(
    picture.nodes.map((node) => [node.id, []]),
  );
  const numbers = new Map(picture.nodes.map((node, at) => [node.id, `n${at}`]));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const edges = bundled.map((lines, at) => {
    const { from, to } = lines[0]!;
    const port = (id: string, x: number, side: string, y: number) => {
      const made = { id: `e${at}${side}`, x, y, width: 0, height: 0, layoutOptions: { "elk.port.side": side } };
      ports.get(id)!.push(made);
      return made.id;
    };
    const source = port(from.node, WIDTH, "EAST", mean(lines.map((line) => middle(nodes.get(line.from.node)!, line.from.row))));
    const target = port(to.node, 0, "WEST", mean(lines.map((line) => middle(nodes.get(line.to.node)!, line.to.row))));
    return { id: `e${at}`, sources: [source], targets: [target] };
  });
  const root: ElkNode = {
    id: "root",
    layoutOptions: OPTIONS,
    children: picture.nodes.map((node) => ({
      id: numbers.get(node.id)!,
      width: WIDTH,
      height: node.height,
      ports: ports.get(node.id)!,
      layoutOptions: { "elk.portConstraints": "FIXED_POS" },
    })),
    edges,
  };
  const done = await elk.layout(root);
  const boxes = new Map(picture.nodes.map((node, at) => [node.id, { x: done.children![at]!.x ?? 0, y: done.children![at]!.y ?? 0 }]));
  const paths = new Map<string, string>();
  bundled.forEach((lines, at) => {
    const bends = done.edges![at]!.sections?.[0]?.bendPoints ?? [];
    for (const line of lines) paths.set(line.key, path(line, nodes, boxes, bends));
  });
  return { picture, boxes, paths, width: done.width ?? 0, height: done.height ?? 0 };
}

function path(line: Line, nodes: Map<string, Node>, boxes: Map<string, Box>, bends: Point[]): string {
  const from = boxes.get(line.from.node)!;
  const to = boxes.get(line.to.node)!;
  const start = { x: from.x + WIDTH, y: from.y + middle(nodes.get(line.from.node)!, line.from.row) };
  const end = { x: to.x, y: to.y + middle(nodes.get(line.to.node)!, line.to.row) };
  const points = [start, ...bends, end];
  let drawn = `M${at(start)}`;
  for (let index = 1; index < points.length; index++) {
    const [one, other] = [points[index - 1]!, points[index]!];
    // Lines leave and arrive level; those that run back, as a MERGE reads what it writes, swing round.
    const bend = other.x >= one.x ? Math.max((other.x - one.x) / 2, 8) : 60;
    const sign = other.x >= one.x || index === 1 || index === points.length - 1 ? 1 : -1;
    drawn += ` C${at({ x: one.x + sign * bend, y: one.y })} ${at({ x: other.x - sign * bend, y: other.y })} ${at(other)}`;
  }
  return drawn;
}

const at = ({ x, y }: Point): string => `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`;
