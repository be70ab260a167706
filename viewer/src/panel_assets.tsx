// The panel of a process and of a dataset.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { columnKey, type Graph, type Process } from "./graph";
import { Decides, Formula, MOST_LISTED, NodeLink, Notes, Part, Rows, Title, type Props } from "./panel_parts";
import { count, moment, runText } from "./text";

export function ProcessPanel({ graph, select, link, process }: Props & { process: Process }) {
  const steps = graph.stepsOf.get(process.id) ?? [];
  const computed = steps.filter((step) => !step.copy);
  const copied = steps.filter((step) => step.copy);
  return (
    <>
      <Title kind="Process" name={process.name} close={() => select(null)}>
        <p class="facts">{[process.operation, process.application].filter(Boolean).join(" · ")}</p>
        <p class="qualified">{process.qualifiedName}</p>
        <Links guid={process.guid} link={link}>{process.link && <a href={process.link} rel="noreferrer">Open the notebook or job</a>}</Links>
      </Title>
      <section>
        <h3>How each column is computed <small>{steps.length}</small></h3>
        {!steps.length && <p class="note">Columns are not known for this process.</p>}
        {computed.slice(0, MOST_LISTED).map((step) => (
          <div class="computation" key={step.key}>
            <Formula derivation={step.derivation} copy={false} />
            <p class="sources">
              {!!step.derivation.sources.length && "from "}
              {step.derivation.sources.map((source) => <Part key={columnKey(source)} of={source} graph={graph} select={select} />)}
              <button type="button" class="action" onClick={() => select({ kind: "column", key: columnKey(step.derivation) })} aria-label={`Follow ${graph.label(step.derivation)}`}>Follow</button>
            </p>
            <Decides conditions={[]} uses={step.derivation.influences} graph={graph} select={select} />
          </div>
        ))}
        {computed.length > MOST_LISTED && <p class="note">{count(computed.length - MOST_LISTED, "more column")} in the table.</p>}
        {!!copied.length && (
          <>
            <h4>Copied unchanged <small>{copied.length}</small></h4>
            <p class="sources">{copied.slice(0, MOST_LISTED).map((step) => <Part key={step.key} of={step.derivation} graph={graph} select={select} whole={false} />)}</p>
          </>
        )}
      </section>
      <section><Rows process={process} graph={graph} select={select} /></section>
      <Notes graph={graph} select={select} notes={graph.document.notes.filter((note) => note.process === process.id)} of={process.id} />
      <section>
        <h3>Reads and writes</h3>
        <dl>
          <dt>Inputs</dt>
          <dd>{process.inputs.length ? process.inputs.map((id) => <NodeLink key={id} id={id} graph={graph} select={select} />) : "none"}</dd>
          <dt>Outputs</dt>
          <dd>{process.outputs.map((id) => <NodeLink key={id} id={id} graph={graph} select={select} />)}</dd>
        </dl>
      </section>
      {!!process.runs.length && (
        <section>
          <h3>Runs</h3>
          <ul class="runs">{process.runs.map((run) => <li key={run.run}>{runText(run) || moment(run.started)} <code>{run.run}</code></li>)}</ul>
        </section>
      )}
    </>
  );
}

export function DatasetPanel({ graph, select, link, id }: Props & { id: string }) {
  const dataset = graph.datasets.get(id)!;
  const [filter, setFilter] = useState("");
  const columns = graph.columnsOf(id).filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
  const key = (column: string) => columnKey({ dataset: id, column });
  return (
    <>
      <Title kind="Dataset" name={graph.name(id)} close={() => select(null)}>
        <p class="facts">{dataset.type}</p>
        <p class="qualified">{dataset.qualifiedName}</p>
        <Links guid={dataset.guid} link={link} />
      </Title>
      <section>
        <h3>Columns <small>{graph.columnsOf(id).length}</small></h3>
        {graph.columnsOf(id).length > 12 && (
          <input type="search" class="filter" aria-label="Filter the columns" placeholder="Filter the columns" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        )}
        {!graph.columnsOf(id).length && <p class="note">Its columns are not known.</p>}
        <ul class="columns">
          {columns.slice(0, MOST_LISTED).map((column) => (
            <li key={column.name}>
              <Part of={{ dataset: id, column: column.name }} graph={graph} select={select} whole={false} />
              {column.type && <code>{column.type}</code>}
              <small>{mark(graph, key(column.name))}</small>
            </li>
          ))}
        </ul>
        {columns.length > MOST_LISTED && <p class="note">{count(columns.length - MOST_LISTED, "more column")}: filter to see them.</p>}
      </section>
      <section>
        <h3>Reads and writes</h3>
        <dl>
          <dt>Written by</dt>
          <dd>{(graph.writers.get(id) ?? []).map((each) => <NodeLink key={each.id} id={each.id} graph={graph} select={select} />)}{more(dataset.moreUpstream, graph.writers.has(id))}</dd>
          <dt>Read by</dt>
          <dd>{(graph.readers.get(id) ?? []).map((each) => <NodeLink key={each.id} id={each.id} graph={graph} select={select} />)}{more(dataset.moreDownstream, graph.readers.has(id))}</dd>
        </dl>
      </section>
    </>
  );
}

const more = (number: number | undefined, others: boolean): string =>
  number ? `${others ? "and " : ""}${count(number, "process", "processes")} not in this graph` : others ? "" : "none";

function mark(graph: Graph, key: string): string {
  const steps = graph.computing.get(key) ?? [];
  if (steps.some((step) => !step.copy)) return "computed";
  if (steps.length) return "copied";
  return graph.using.has(key) ? "used" : "";
}

function Links({ guid, link, children }: { guid: string | undefined; link: Props["link"]; children?: ComponentChildren }) {
  const address = link(guid) === location.pathname ? null : link(guid);
  return address || children ? <p class="links">{address && <a href={address}>Open its page</a>} {children}</p> : null;
}
