// The facts of the picture as a table.

import { useState } from "preact/hooks";
import { columnKey, type Graph, type Reference, type Step } from "./graph";
import { byKind, count, kindName } from "./text";
import type { Trace } from "./trace";
import type { Selection } from "./view";

interface Props {
  graph: Graph;
  trace: Trace | null;
  onlyTraced: boolean;
  nodes: ReadonlySet<string>;
  selection: Selection | null;
  select(selection: Selection | null): void;
}

/** The table grows by so many rows. */
const PAGE = 200;

export function Table({ graph, trace, onlyTraced, nodes, selection, select }: Props) {
  const [most, setMost] = useState(PAGE);
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const all = [...graph.steps.values()].filter(
    (step) => nodes.has(step.process.id) && (!onlyTraced || !trace || trace.steps.has(step.key)) && fits(graph, step, words),
  );
  const part = (of: Reference) => (
    <>
      <button type="button" class="part" onClick={() => select({ kind: "column", key: columnKey(of) })}>
        <span class="of">{graph.name(of.dataset)}.</span>{of.column}
      </button>{" "}
    </>
  );
  const isSelected = (step: Step) => selection !== null && selection.kind !== "node" && [step.key, columnKey(step.derivation)].includes(selection.key);
  return (
    <div class="tableview">
      <p class="tools">
        <input type="search" class="filter" aria-label="Filter the table" placeholder="Filter the table" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        <span role="status">{count(all.length, "computed column")}{trace && onlyTraced ? " on the way of the selected one" : ""}</span>
      </p>
      <div class="scroll" tabindex={0} role="region" aria-label="Table of columns">
        <table>
          <thead>
            <tr><th scope="col">Column</th><th scope="col">How it is computed</th><th scope="col">From</th><th scope="col">What decides</th><th scope="col">Process</th></tr>
          </thead>
          <tbody>
            {all.slice(0, most).map((step) => (
              <tr key={step.key} class={[trace?.steps.has(step.key) && "traced", isSelected(step) && "selected"].filter(Boolean).join(" ")}>
                <th scope="row">{part(step.derivation)}</th>
                <td><code>{step.copy ? step.derivation.sources[0]!.column : (step.derivation.expression ?? (step.derivation.constant ? "a constant" : "not known"))}</code></td>
                <td>{step.derivation.sources.map(part)}</td>
                <td class="decides">{decides(graph, step)}</td>
                <td><button type="button" class="part plain" onClick={() => select({ kind: "node", id: step.process.id })}>{step.process.name}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {all.length > most && <p class="tools"><button type="button" class="action" onClick={() => setMost(most + PAGE)}>Show {Math.min(PAGE, all.length - most)} more</button></p>}
    </div>
  );
}

function decides(graph: Graph, step: Step) {
  const uses = byKind([...step.derivation.influences, ...step.process.rows]);
  return (
    <>
      {step.process.conditions.map((condition) => <p key={condition}><code>{condition}</code></p>)}
      {uses.map(([kind, found]) => (
        <p key={kind}>{kindName(kind)}: {[...new Set(found.map((use) => graph.label(use)))].join(", ")}</p>
      ))}
    </>
  );
}

function fits(graph: Graph, step: Step, words: string[]): boolean {
  if (!words.length) return true;
  const parts = [step.derivation, ...step.derivation.sources].map((each) => graph.label(each));
  const text = [...parts, step.derivation.expression ?? "", step.process.name].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}
