// Where a column comes from or what depends on it, hop by hop, in words.

import type { ComponentChildren } from "preact";
import { reference, type Step } from "./graph";
import { Decides, NodeLink, Part, type Props } from "./panel_parts";
import { count } from "./text";
import { hops, type Hop } from "./trace";

/** The explanation names so many columns; the table has them all. */
const MOST_HOPS = 150;

interface WayProps extends Omit<Props, "link"> {
  title: string;
  hop: Hop;
  up: boolean;
  children?: ComponentChildren;
}

/** What one explanation has room for, and the processes of which it said already what decides about their rows. */
interface Told {
  left: number;
  processes: Set<string>;
}

export function Way({ title, hop, graph, select, up, children }: WayProps) {
  const far = hops(hop);
  // Made at once, not as components of their own, because each hop depends on what was said before it.
  const told: Told = { left: MOST_HOPS, processes: new Set() };
  const list = listOf(hop, { graph, select }, told);
  return (
    <section>
      <h3>{title} {far > 0 && <small>{count(far, "hop")}</small>}</h3>
      {hop.hops.length ? list : <p class="note">{up ? "Nothing in this graph feeds it." : "Nothing in this graph takes its values."}</p>}
      {told.left < 0 && <p class="note">There is more: the table shows the whole way.</p>}
      {children}
    </section>
  );
}

type Shared = Omit<Props, "link">;

function listOf(hop: Hop, shared: Shared, told: Told): ComponentChildren {
  const items = hop.hops.map((next) => {
    if (--told.left < 0) return null;
    return (
      <li key={next.key}>
        <Part of={reference(next.key)} {...shared} />
        {next.steps.map((step) => stepOf(step, shared, told))}
        {next.seen ? <p class="note">see above</p> : !!next.hops.length && listOf(next, shared, told)}
      </li>
    );
  });
  return <ul class="way">{items}</ul>;
}

/** How a hop is computed; what decides about its rows is said once for each process. */
function stepOf({ key, process, derivation, copy }: Step, shared: Shared, told: Told): ComponentChildren {
  const text = copy ? `= ${derivation.sources[0]!.column}` : derivation.expression ? `= ${derivation.expression}` : derivation.constant ? "a constant" : "expression not known";
  const isNew = !told.processes.has(process.id);
  told.processes.add(process.id);
  const uses = [...derivation.influences, ...(isNew ? process.rows : [])];
  return (
    <div key={key}>
      <p class="hop"><code>{text}</code> <span>in <NodeLink id={process.id} {...shared} /></span></p>
      <Decides conditions={isNew ? process.conditions : []} uses={uses} {...shared} />
    </div>
  );
}
