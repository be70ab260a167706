// The picture: nodes with rows, lines between rows, zoom and pan, and the minimap.

import { memo } from "preact/compat";
import { useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { moveFocus } from "./arrow_keys";
import { Camera, type Goal } from "./camera";
import { Card } from "./card";
import type { Graph } from "./graph";
import type { Layout } from "./layout";
import { Minimap } from "./minimap";
import type { Trace } from "./trace";
import type { Line, Node, Row, Selection } from "./view";

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
}

interface Props {
  graph: Graph;
  layout: Layout;
  /** False while another layout is made. */
  isCurrent: boolean;
  trace: Trace | null;
  /** The nodes that are lit: what the trace leads through, and with `indirect` what decides about it. */
  way: ReadonlySet<string> | null;
  indirect: boolean;
  selection: Selection | null;
  root: string | undefined;
  /** What to move to; each object once. */
  goal: Goal | null;
  /** Told whether the picture stands still. */
  settled(isSettled: boolean): void;
  actions: Actions;
  handle: RefObject<PictureHandle | null>;
}

export function Picture({ graph, layout, isCurrent, trace, way, indirect, selection, root, goal, settled, actions, handle }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const content = useRef<SVGGElement>(null);
  const [view, setView] = useState({ x: 0, y: 0, k: 1 });
  const camera = useRef<Camera | null>(null);
  const anchor = selectedNode(graph, selection) ?? root;

  // Before the first layout is placed.
  useLayoutEffect(() => {
    camera.current = new Camera(
      svg.current!,
      (to) => {
        content.current!.setAttribute("transform", to.toString());
        setView({ x: to.x, y: to.y, k: to.k });
      },
      settled,
    );
  }, []);
  useLayoutEffect(() => { camera.current!.awaitsLayout = !isCurrent; }, [isCurrent]);
  useLayoutEffect(() => camera.current!.place(layout, anchor, way ?? undefined), [layout]);
  const asked = useRef(goal);
  useLayoutEffect(() => {
    if (goal && goal !== asked.current) camera.current!.pursue(goal);
    asked.current = goal;
  }, [goal]);
  useLayoutEffect(() => camera.current!.rest(), [isCurrent]);

  useImperativeHandle(handle, () => ({
    fit: () => camera.current!.pursue({ kind: "all" }),
    zoomBy: (factor) => camera.current!.zoomBy(factor),
  }));

  const lit = (line: Line) => !!trace && isLit(line, trace);
  const lines = trace ? [...layout.picture.lines].sort((one, other) => Number(lit(one)) - Number(lit(other))) : layout.picture.lines;
  return (
    // The svg itself would get the focus if it had these.
    <div
      class="stage"
      onKeyDown={(event) => moveFocus(event, layout, svg.current!)}
      onFocusIn={(event) => camera.current!.include(event.target as Element)}
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
                on={way ? way.has(node.id) : null}
                trace={trace}
                indirect={indirect}
                selection={selection}
                actions={actions}
              />
            </g>
          ))}
        </g>
      </svg>
      <Minimap layout={layout} view={view} size={camera.current?.size ?? { width: 1, height: 1 }} way={way} center={(x, y) => camera.current!.center(x, y)} />
    </div>
  );
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
