// What the parts of the panel have in common: names that can be followed, formulas, and what decides about rows.

import type { ComponentChildren } from "preact";
import { columnKey, type Derivation, type Graph, type Note, type Process, type Reference, type Step, type Use } from "./graph";
import { byKind, kindName, runText } from "./text";
import type { Selection } from "./view";

export interface Props {
  graph: Graph;
  select(selection: Selection | null): void;
  /** The address of the page of an asset, where there is one. */
  link(guid: string | undefined): string | null;
}

/** Lists are cut here; the table has everything. */
export const MOST_LISTED = 200;

export function Title({ kind, name, children, close }: { kind: string; name: string; children?: ComponentChildren; close(): void }) {
  return (
    <header class="about">
      <p class={`kind ${kind.toLowerCase()}`}>{kind}</p>
      <button type="button" class="close" aria-label="Close the details" onClick={close}>×</button>
      <h2 tabindex={-1}>{name}</h2>
      {children}
    </header>
  );
}

export function Part({ of, graph, select, whole = true }: { of: Reference; graph: Graph; select: Props["select"]; whole?: boolean }) {
  return (
    <>
      <button type="button" class="part" onClick={() => select({ kind: "column", key: columnKey(of) })}>
        {whole && <span class="of">{graph.name(of.dataset)}.</span>}
        {of.column}
      </button>{" "}
    </>
  );
}

export function NodeLink({ id, graph, select }: { id: string; graph: Graph; select: Props["select"] }) {
  return <><button type="button" class="part plain" onClick={() => select({ kind: "node", id })}>{graph.name(id)}</button>{" "}</>;
}

export function Computation({ step, graph, select }: { step: Step; graph: Graph; select: Props["select"] }) {
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

export function Formula({ derivation, copy }: { derivation: Derivation; copy: boolean }) {
  if (copy) return <p class="formula"><b>{derivation.column}</b> = {derivation.sources[0]!.column} <i>copied unchanged</i></p>;
  if (derivation.expression) return <pre class="formula"><b>{derivation.column}</b> = {derivation.expression}</pre>;
  return <p class="formula"><b>{derivation.column}</b> <i>{derivation.constant ? "is a constant" : "its expression is not known"}</i></p>;
}

export function Uses({ uses, graph, select }: { uses: Use[]; graph: Graph; select: Props["select"] }) {
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
export function Rows({ process, graph, select }: Omit<Props, "link"> & { process: Process }) {
  if (!process.rows.length && !process.conditions.length) return null;
  return (
    <div class="rows">
      <h4>What decides about its rows</h4>
      <Decides conditions={process.conditions} uses={process.rows} graph={graph} select={select} />
    </div>
  );
}

/** Conditions, and the columns that are used without giving a value. */
export function Decides({ conditions, uses, graph, select }: Omit<Props, "link"> & { conditions: string[]; uses: Use[] }) {
  return (
    <>
      {conditions.map((condition) => <pre key={condition} class="condition">{condition}</pre>)}
      {!!uses.length && <dl><Uses uses={uses} graph={graph} select={select} /></dl>}
    </>
  );
}

/** What the graph does not show, and why; of a process or of all. */
export function Notes({ graph, select, notes, of }: { graph: Graph; select: Props["select"]; notes: Note[]; of?: string }) {
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
