// The panel beside the picture: what is selected, in words. Everything that the picture shows can be reached here.

import { useLayoutEffect, useRef } from "preact/hooks";
import { columnKey, reference, type Step } from "./graph";
import { DatasetPanel, ProcessPanel } from "./panel_assets";
import { Computation, MOST_LISTED, NodeLink, Notes, Part, Title, type Props } from "./panel_parts";
import { count } from "./text";
import { explain } from "./trace";
import type { Selection } from "./view";
import { Way } from "./way";

interface PanelProps extends Props {
  selection: Selection | null;
}

/** Each selection begins at the top. If what had the focus is gone with the selection before, its heading gets it. */
export function Panel({ selection, ...props }: PanelProps) {
  const { graph } = props;
  const panel = useRef<HTMLElement>(null);
  const key = keyOf(selection);
  const hadFocus = panel.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    panel.current!.scrollTop = 0;
    if (hadFocus && !panel.current!.contains(document.activeElement)) panel.current!.querySelector("h2")?.focus({ preventScroll: true });
  }, [key]);
  return (
    <aside class="panel" aria-label="Details" tabindex={0} ref={panel}>
      {selection?.kind === "column" && <ColumnPanel {...props} key={key} column={selection.key} />}
      {selection?.kind === "step" && <StepPanel {...props} key={key} step={graph.steps.get(selection.key)!} />}
      {selection?.kind === "node" && graph.processes.has(selection.id) && <ProcessPanel {...props} key={key} process={graph.processes.get(selection.id)!} />}
      {selection?.kind === "node" && graph.datasets.has(selection.id) && <DatasetPanel {...props} key={key} id={selection.id} />}
      {!selection && <Overview {...props} key={key} />}
    </aside>
  );
}

const keyOf = (selection: Selection | null): string =>
  selection ? `${selection.kind} ${selection.kind === "node" ? selection.id : selection.key}` : "";

function ColumnPanel({ graph, select, column }: Omit<Props, "link"> & { column: string }) {
  const part = reference(column);
  const dataset = graph.datasets.get(part.dataset);
  const type = graph.columnsOf(part.dataset).find(({ name }) => name === part.column)?.type;
  const steps = graph.computing.get(column) ?? [];
  const [before, after] = [explain(graph, column, true), explain(graph, column, false)];
  return (
    <>
      <Title kind="Column" name={part.column} close={() => select(null)}>
        <p class="facts">of <NodeLink id={part.dataset} graph={graph} select={select} />{type && <> · <code>{type}</code></>}</p>
      </Title>
      <section>
        <h3>How it is computed</h3>
        {steps.map((step) => <Computation key={step.key} step={step} graph={graph} select={select} />)}
        {!steps.length && (
          <p class="note">
            {dataset?.moreUpstream
              ? `${count(dataset.moreUpstream, "process writes", "processes write")} this dataset, but not in this graph.`
              : graph.writers.has(part.dataset)
                ? "No process in this graph computes this column."
                : "This is a source: no process in this graph writes the dataset."}
          </p>
        )}
      </section>
      <Way title="Where it comes from" hop={before} graph={graph} select={select} up />
      <Way title="What depends on it" hop={after} graph={graph} select={select} up={false}>
        <Decided graph={graph} select={select} column={column} />
      </Way>
    </>
  );
}

/** What changes with the column although it gets no value from it. */
function Decided({ graph, select, column }: Omit<Props, "link"> & { column: string }) {
  const processes = graph.selecting.get(column) ?? [];
  const steps = graph.influenced.get(column) ?? [];
  if (!processes.length && !steps.length) return null;
  return (
    <dl>
      {!!processes.length && (
        <>
          <dt>Rows of</dt>
          <dd>{[...new Set(processes)].slice(0, MOST_LISTED).map(({ id }) => <NodeLink key={id} id={id} graph={graph} select={select} />)}</dd>
        </>
      )}
      {!!steps.length && (
        <>
          <dt>Values of</dt>
          <dd>{steps.slice(0, MOST_LISTED).map((step) => <Part key={step.key} of={step.derivation} graph={graph} select={select} />)}</dd>
        </>
      )}
    </dl>
  );
}

function StepPanel({ graph, select, step }: Omit<Props, "link"> & { step: Step }) {
  return (
    <>
      <Title kind="Computation" name={step.derivation.column} close={() => select(null)}>
        <p class="facts">written to <NodeLink id={step.derivation.dataset} graph={graph} select={select} /></p>
      </Title>
      <section>
        <Computation step={step} graph={graph} select={select} />
        <p><button type="button" class="action" onClick={() => select({ kind: "column", key: columnKey(step.derivation) })}>Follow {graph.label(step.derivation)}</button></p>
      </section>
    </>
  );
}

function Overview({ graph, select }: Omit<Props, "link">) {
  const { document } = graph;
  const ends = document.datasets.filter((each) => !graph.readers.has(each.id) && graph.writers.has(each.id));
  const listed = ends.length ? ends : document.datasets;
  return (
    <>
      <header class="about">
        <h2 tabindex={-1}>{count(document.datasets.length, "dataset")}, {count(document.processes.length, "process", "processes")}</h2>
        <p class="note">Select a column to follow it over all hops and to see how it is computed. Press <kbd>/</kbd> to search.</p>
      </header>
      <section>
        <h3>{ends.length ? "Where data ends up" : "Datasets"}</h3>
        <ul class="columns">{listed.slice(0, MOST_LISTED).map((each) => <li key={each.id}><NodeLink id={each.id} graph={graph} select={select} /></li>)}</ul>
      </section>
      <section>
        <h3>Processes</h3>
        <ul class="columns">{document.processes.slice(0, MOST_LISTED).map((each) => <li key={each.id}><NodeLink id={each.id} graph={graph} select={select} /></li>)}</ul>
      </section>
      <Notes graph={graph} select={select} notes={document.notes} />
    </>
  );
}
