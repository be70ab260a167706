// The explorer: its state, and how its parts work together.

import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { read, write, type Place, type Problem } from "./address";
import type { Goal } from "./camera";
import { savePng, saveSvg } from "./export";
import { Graph, reference, type Direction, type Document } from "./graph";
import { layOut, type Layout } from "./layout";
import { Panel } from "./panel";
import { Picture, selectedNode, type Actions, type Hovered, type PictureHandle } from "./picture";
import { Search } from "./search";
import { Table } from "./table";
import { count } from "./text";
import { switchTheme } from "./theme";
import { Tooltip } from "./tooltip";
import { traceColumn, traceStep, type Trace } from "./trace";
import { Drawing, type Picture as Drawn, type Selection } from "./view";
import { beginning, collapsed, expanded, start, visibleNodes, wayOf } from "./visible";

export interface Options {
  title: string;
  /** The address of an asset's page, with {guid} in it; "" where there are no pages. */
  page: string;
  /** The process that is selected first; "" for the focus of the graph. */
  process: string;
}

function traced(graph: Graph, selection: Selection | null, direction: Direction): Trace | null {
  if (selection?.kind === "column") return traceColumn(graph, selection.key, direction);
  if (selection?.kind === "step") return traceStep(graph, graph.steps.get(selection.key)!, direction);
  return null;
}

/** Two pictures with the same shape need one layout. */
const shape = (drawn: Drawn): string =>
  JSON.stringify([drawn.nodes.map((node) => [node.id, node.rows.map((row) => row.key), node.hiddenBefore, node.hiddenAfter]), drawn.lines.map((line) => line.key)]);

/** The layout of what is drawn; the previous one until it is ready. */
function useLayout(drawn: Drawn): { layout: Layout | null; isCurrent: boolean; failure: string } {
  const [layout, setLayout] = useState<Layout | null>(null);
  const [done, setDone] = useState("");
  const [failure, setFailure] = useState("");
  const wanted = shape(drawn);
  useEffect(() => {
    let isCurrent = true;
    layOut(drawn).then(
      (made) => {
        if (!isCurrent) return;
        setLayout(made);
        setDone(wanted);
      },
      (error: unknown) => isCurrent && setFailure(String(error)),
    );
    return () => { isCurrent = false; };
  }, [wanted]);
  return { layout, isCurrent: done === wanted, failure };
}

function App({ graph, options }: { graph: Graph; options: Options }) {
  const first: Selection | null = graph.processes.has(options.process) ? { kind: "node", id: options.process } : null;
  const [place, setPlace] = useState<Place>(() => read(graph, first));
  const [focus] = useState(() => first?.id ?? graph.document.focus?.dataset ?? (place.selection ? undefined : start(graph)));
  const [shown, setShown] = useState<ReadonlySet<string>>(() => beginning(graph, focus ?? selectedNode(graph, place.selection)));
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const [goal, setGoal] = useState<Goal | null>(null);
  const [isSettled, setSettled] = useState(true);
  const picture = useRef<PictureHandle>(null);
  const stage = useRef<HTMLDivElement>(null);
  const { problem, selection, direction, onlyTraced, indirect, table } = place;
  const root = selectedNode(graph, selection) ?? focus;

  const trace = useMemo(() => traced(graph, selection, direction), [graph, selection, direction]);
  const view = useMemo(() => ({ shown, unfolded, direction, onlyTraced, indirect }), [shown, unfolded, direction, onlyTraced, indirect]);
  const way = useMemo(() => (trace ? new Set(wayOf(graph, trace, indirect)) : null), [graph, trace, indirect]);
  const drawn = useMemo(() => new Drawing(graph, view, root, trace).picture(), [graph, view, root, trace]);
  const { layout, isCurrent, failure } = useLayout(drawn);

  const change = (changed: Partial<Place>) => setPlace((before) => ({ ...before, ...changed }));
  const reveal = (chosen: Selection | null) => {
    const node = selectedNode(graph, chosen);
    if (node) setShown((before) => (before.has(node) ? before : new Set([...before, ...beginning(graph, node)])));
  };
  const select = (chosen: Selection | null) => {
    setHovered(null);
    reveal(chosen);
    change({ problem: null, selection: chosen, onlyTraced: chosen && chosen.kind !== "node" ? onlyTraced : false });
  };
  const seek = (chosen: Selection | null) => {
    const id = selectedNode(graph, chosen);
    if (id) setGoal({ kind: "node", id, row: chosen!.kind === "node" ? null : chosen!.key });
  };
  /** Selects what was chosen outside the picture, and brings it into view. */
  const bring = (chosen: Selection | null) => {
    select(chosen);
    seek(chosen);
  };
  const link = (guid: string | undefined) => (options.page && guid ? options.page.replace("{guid}", encodeURIComponent(guid)) : null);
  const latest = useRef({ select, root, shown });
  latest.current = { select, root, shown };
  const actions = useMemo((): Actions => ({
    select: (chosen) => latest.current.select(chosen),
    expand: (id, up) => setShown((before) => expanded(graph, before, id, up)),
    collapse: (id, up) => setShown((before) => collapsed(graph, before, id, up, latest.current.root ?? id)),
    unfold: (id) => setUnfolded((before) => new Set([...before, id])),
    hover: setHovered,
    link: (id) => link((graph.datasets.get(id) ?? graph.processes.get(id))?.guid),
  }), [graph]);

  useEffect(() => write(graph, place, first), [place]);
  useEffect(() => {
    const reread = () => {
      const found = read(graph, first);
      setPlace(found);
      reveal(found.selection);
      seek(found.selection);
    };
    const keys = (event: KeyboardEvent) => { if (event.key === "Escape") latest.current.select(null); };
    for (const name of ["popstate", "hashchange"]) addEventListener(name, reread);
    addEventListener("keydown", keys);
    return () => {
      for (const name of ["popstate", "hashchange"]) removeEventListener(name, reread);
      removeEventListener("keydown", keys);
    };
  }, []);

  const svg = () => stage.current!.querySelector<SVGSVGElement>("svg.picture")!;
  return (
    <>
      <div class="bar" role="toolbar" aria-label="Lineage">
        <Search graph={graph} select={bring} />
        <Choice label="Direction" value={direction} choices={[["both", "Both"], ["up", "Upstream"], ["down", "Downstream"]]} choose={(chosen) => change({ direction: chosen as Direction })} />
        <Toggle on={onlyTraced} disabled={!trace} change={(on) => change({ onlyTraced: on })} title="Hide everything that the selected column does not come from or flow into">Only traced</Toggle>
        <Toggle on={indirect} change={(on) => change({ indirect: on })} title="Also show the columns that decide about rows or values without giving one">Indirect</Toggle>
        <Choice label="View" value={table ? "table" : "picture"} choices={[["picture", "Picture"], ["table", "Table"]]} choose={(chosen) => change({ table: chosen === "table" })} />
        {!table && (
          <div class="group" role="group" aria-label="Zoom and export">
            <button type="button" onClick={() => picture.current?.zoomBy(1 / 1.4)} aria-label="Zoom out">−</button>
            <button type="button" onClick={() => picture.current?.fit()}>Fit</button>
            <button type="button" onClick={() => picture.current?.zoomBy(1.4)} aria-label="Zoom in">+</button>
            <button type="button" disabled={!layout} onClick={() => saveSvg(svg(), layout!, options.title)} aria-label="Save as SVG">SVG</button>
            <button type="button" disabled={!layout} onClick={() => void savePng(svg(), layout!, options.title)} aria-label="Save as PNG">PNG</button>
          </div>
        )}
        <button type="button" class="theme" onClick={switchTheme} aria-label="Switch between light and dark">◐</button>
      </div>
      {problem && <Notice graph={graph} problem={problem} select={bring} close={() => change({ problem: null })} />}
      <div class="work">
        <div class="main" ref={stage} aria-busy={!table && !(isCurrent && isSettled)}>
          {table && <Table graph={graph} trace={trace} onlyTraced={onlyTraced} nodes={visibleNodes(graph, view, root, trace)} selection={selection} select={select} />}
          {!table && layout && <Picture graph={graph} layout={layout} isCurrent={isCurrent} trace={trace} way={way} indirect={indirect} selection={selection} root={root} goal={goal} settled={setSettled} actions={actions} handle={picture} />}
          {!table && !layout && <p class="waiting">{failure ? `The picture could not be laid out (${failure}). The table shows the same facts.` : "Laying out the picture …"}</p>}
        </div>
        <Panel graph={graph} selection={selection} select={bring} link={link} />
      </div>
      <p class="hidden" role="status">{announcement(graph, selection, trace)}</p>
      {hovered && !table && <Tooltip graph={graph} hovered={hovered} />}
    </>
  );
}

/** Says what the address asks for and is not there, with what may be meant instead. */
function Notice({ graph, problem, select, close }: { graph: Graph; problem: Problem; select(selection: Selection): void; close(): void }) {
  return (
    <div class="notice" role="status">
      <p>
        {problem.text} {!!problem.near.length && "Did you mean "}
        {problem.near.map((each) => (
          <><button type="button" class="part" onClick={() => select(each)}>{each.kind === "column" ? graph.label(reference(each.key)) : each.kind === "node" ? graph.name(each.id) : ""}</button> </>
        ))}
      </p>
      <button type="button" class="close" aria-label="Close the notice" onClick={close}>×</button>
    </div>
  );
}

function announcement(graph: Graph, selection: Selection | null, trace: Trace | null): string {
  if (!trace || selection?.kind !== "column") return "";
  const processes = [...trace.nodes].filter((id) => graph.processes.has(id)).length;
  return `Followed ${count(trace.columns.size - 1, "other column")} over ${count(processes, "process", "processes")}`;
}

function Choice({ label, value, choices, choose }: { label: string; value: string; choices: [string, string][]; choose(value: string): void }) {
  return (
    <div class="group" role="group" aria-label={label}>
      {choices.map(([each, text]) => (
        <button key={each} type="button" aria-pressed={each === value} onClick={() => choose(each)}>{text}</button>
      ))}
    </div>
  );
}

function Toggle({ on, disabled, change, title, children }: { on: boolean; disabled?: boolean; change(on: boolean): void; title: string; children: string }) {
  return <button type="button" class="toggle" aria-pressed={on} disabled={disabled} title={title} onClick={() => change(!on)}>{children}</button>;
}

export function run(): void {
  const place = document.getElementById("explorer")!;
  const content = JSON.parse(document.getElementById("lineage")!.textContent!) as Document;
  const options = { title: place.dataset.title ?? document.title, page: place.dataset.page ?? "", process: place.dataset.process ?? "" };
  render(<App graph={new Graph(content)} options={options} />, place);
}
