// The panel beside the picture: what is selected, in words. Everything that the picture shows can be reached here.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { columnKey, reference, type Derivation, type Graph, type Note, type Process, type Reference, type Step, type Use } from "./graph";
import { byKind, count, kindName, moment, runText } from "./text";
import { explain, hops, type Hop } from "./trace";
import type { Selection } from "./view";

interface Props {
  graph: Graph;
  selection: Selection | null;
  select(selection: Selection | null): void;
  /** Opens the page of an asset, where there is one. */
  link(guid: string | undefined): string | null;
}

/** The explanation names so many columns; the table has them all. */
const MOST_HOPS = 150;
const MOST_LISTED = 200;

export function Panel(props: Props) {
  const { graph, selection } = props;
  return (
    <aside class="panel" aria-label="Details" tabindex={0}>
      {selection?.kind === "column" && <ColumnPanel {...props} column={selection.key} />}
      {selection?.kind === "step" && <StepPanel {...props} step={graph.steps.get(selection.key)!} />}
      {selection?.kind === "node" && graph.processes.has(selection.id) && <ProcessPanel {...props} process={graph.processes.get(selection.id)!} />}
      {selection?.kind === "node" && graph.datasets.has(selection.id) && <DatasetPanel {...props} id={selection.id} />}
      {!selection && <Overview {...props} />}
    </aside>
  );
}

function Title({ kind, name, children, close }: { kind: string; name: string; children?: ComponentChildren; close(): void }) {
  return (
    <header class="about">
      <p class={`kind ${kind.toLowerCase()}`}>{kind}</p>
      <button type="button" class="close" aria-label="Close the details" onClick={close}>×</button>
      <h2>{name}</h2>
      {children}
    </header>
  );
}

function Part({ of, graph, select, whole = true }: { of: Reference; graph: Graph; select: Props["select"]; whole?: boolean }) {
  return (
    <>
      <button type="button" class="part" onClick={() => select({ kind: "column", key: columnKey(of) })}>
        {whole && <span class="of">{graph.name(of.dataset)}.</span>}
        {of.column}
      </button>{" "}
    </>
  );
}

function NodeLink({ id, graph, select }: { id: string; graph: Graph; select: Props["select"] }) {
  return <><button type="button" class="part plain" onClick={() => select({ kind: "node", id })}>{graph.name(id)}</button>{" "}</>;
}

function ColumnPanel({ graph, select, column }: Props & { column: string }) {
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
      <Way title="What depends on it" hop={after} graph={graph} select={select} up={false} />
    </>
  );
}

function Computation({ step, graph, select }: { step: Step; graph: Graph; select: Props["select"] }) {
  const { process, derivation } = step;
  const run = process.runs[0];
  return (
    <div class="computation">
      <Formula derivation={derivation} copy={step.copy} />
      <dl>
        {!!derivation.sources.length && (
          <>
            <dt>From</dt>
            <dd>{derivation.sources.map((source) => <Part key={columnKey(source)} of={source} graph={graph} select={select} />)}</dd>
          </>
        )}
        <Uses uses={derivation.influences} graph={graph} select={select} />
        <dt>Process</dt>
        <dd><NodeLink id={process.id} graph={graph} select={select} /></dd>
        {run && <><dt>Last run</dt><dd>{runText(run)}</dd></>}
      </dl>
      <Rows process={process} graph={graph} select={select} />
    </div>
  );
}

function Formula({ derivation, copy }: { derivation: Derivation; copy: boolean }) {
  if (copy) return <p class="formula"><b>{derivation.column}</b> = {derivation.sources[0]!.column} <i>copied unchanged</i></p>;
  if (derivation.expression) return <pre class="formula"><b>{derivation.column}</b> = {derivation.expression}</pre>;
  return <p class="formula"><b>{derivation.column}</b> <i>{derivation.constant ? "is a constant" : "its expression is not known"}</i></p>;
}

function Uses({ uses, graph, select }: { uses: Use[]; graph: Graph; select: Props["select"] }) {
  return (
    <>
      {byKind(uses).map(([kind, found]) => (
        <>
          <dt>{kindName(kind)}</dt>
          <dd>{found.slice(0, MOST_LISTED).map((use) => <Part key={columnKey(use)} of={use} graph={graph} select={select} />)}</dd>
        </>
      ))}
    </>
  );
}

/** What decides which rows a process writes. */
function Rows({ process, graph, select }: { process: Process; graph: Graph; select: Props["select"] }) {
  if (!process.rows.length && !process.conditions.length) return null;
  return (
    <div class="rows">
      <h4>What decides about its rows</h4>
      {process.conditions.map((condition) => <pre key={condition} class="condition">{condition}</pre>)}
      <dl><Uses uses={process.rows} graph={graph} select={select} /></dl>
    </div>
  );
}

function Way({ title, hop, graph, select, up }: { title: string; hop: Hop; graph: Graph; select: Props["select"]; up: boolean }) {
  const left = { count: MOST_HOPS };
  const far = hops(hop);
  return (
    <section>
      <h3>{title} {far > 0 && <small>{count(far, "hop")}</small>}</h3>
      {hop.hops.length ? <Hops hop={hop} graph={graph} select={select} up={up} left={left} /> : <p class="note">{up ? "Nothing in this graph feeds it." : "Nothing in this graph uses it."}</p>}
      {left.count <= 0 && <p class="note">There is more: the table shows the whole way.</p>}
    </section>
  );
}

function Hops({ hop, graph, select, up, left }: { hop: Hop; graph: Graph; select: Props["select"]; up: boolean; left: { count: number } }) {
  return (
    <ul class="way">
      {hop.hops.map((next) => {
        if (left.count-- <= 0) return null;
        return (
          <li key={next.key}>
            <Part of={reference(next.key)} graph={graph} select={select} />
            {next.steps.map((step) => <HopStep key={step.key} step={step} graph={graph} select={select} />)}
            {next.seen ? <p class="note">see above</p> : !!next.hops.length && <Hops hop={next} graph={graph} select={select} up={up} left={left} />}
          </li>
        );
      })}
    </ul>
  );
}

function HopStep({ step, graph, select }: { step: Step; graph: Graph; select: Props["select"] }) {
  const { derivation } = step;
  const text = step.copy ? `= ${derivation.sources[0]!.column}` : derivation.expression ? `= ${derivation.expression}` : derivation.constant ? "a constant" : "expression not known";
  return <p class="hop"><code>{text}</code> <span>in <NodeLink id={step.process.id} graph={graph} select={select} /></span></p>;
}

function StepPanel({ graph, select, step }: Props & { step: Step }) {
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

function ProcessPanel({ graph, select, link, process }: Props & { process: Process }) {
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

function DatasetPanel({ graph, select, link, id }: Props & { id: string }) {
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

/** What the graph does not show, and why; of a process or of all. */
function Notes({ graph, select, notes, of }: { graph: Graph; select: Props["select"]; notes: Note[]; of?: string }) {
  if (!notes.length) return null;
  return (
    <section>
      <h3>What to know</h3>
      <ul class="notes">
        {notes.slice(0, MOST_LISTED).map((note) => (
          <li key={`${note.process} ${note.code} ${note.text}`}>
            {note.process && note.process !== of && <NodeLink id={note.process} graph={graph} select={select} />}
            {note.text}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Overview({ graph, select }: Props) {
  const { document } = graph;
  const ends = document.datasets.filter((each) => !graph.readers.has(each.id) && graph.writers.has(each.id));
  const listed = ends.length ? ends : document.datasets;
  return (
    <>
      <header class="about">
        <h2>{count(document.datasets.length, "dataset")}, {count(document.processes.length, "process", "processes")}</h2>
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
