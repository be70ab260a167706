// What the pointer is at: the expression, its conditions and what decides about rows.

import { useLayoutEffect, useRef } from "preact/hooks";
import { columnKey, reference, type Graph, type Step } from "./graph";
import type { Hovered } from "./picture";
import { byKind, count, kindName } from "./text";

const MOST = 3;

function stepsAt(graph: Graph, { line, row }: Hovered): Step[] {
  if (line) return [...line.steps].map((key) => graph.steps.get(key)!);
  if (row?.kind === "step") return [graph.steps.get(row.key)!];
  return row ? (graph.computing.get(row.key) ?? []) : [];
}

export function Tooltip({ graph, hovered }: { graph: Graph; hovered: Hovered }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { width, height } = box.current!.getBoundingClientRect();
    const left = Math.min(hovered.x + 14, innerWidth - width - 8);
    const top = hovered.y + 18 + height > innerHeight ? hovered.y - height - 12 : hovered.y + 18;
    box.current!.style.transform = `translate(${Math.max(8, left)}px,${Math.max(8, top)}px)`;
  });
  const steps = stepsAt(graph, hovered);
  const { row, line, node } = hovered;
  if (line?.kind === "flow" || (!steps.length && !node)) return null;
  return (
    <div class="tooltip" role="tooltip" ref={box}>
      {!row && node && <p class="name"><b>{node.title}</b><br />{graph.datasets.get(node.id)?.qualifiedName ?? node.subtitle}</p>}
      {row?.kind === "column" && <p class="name"><b>{node!.title}.{row.text}</b> {row.detail}</p>}
      {line?.kind === "indirect" && <p class="name">{line.columns.size ? `Decides without giving a value: ${[...line.columns].map((key) => reference(key).column).join(", ")}` : "May decide about rows: the conditions are known as text only"}</p>}
      {steps.slice(0, MOST).map((step) => <StepText key={step.key} graph={graph} step={step} />)}
      {steps.length > MOST && <p class="note">and {count(steps.length - MOST, "more column")}</p>}
    </div>
  );
}

function StepText({ graph, step }: { graph: Graph; step: Step }) {
  const { derivation, process } = step;
  const text = step.copy ? graph.label(derivation.sources[0]!) : (derivation.expression ?? (derivation.constant ? "a constant" : derivation.sources.map((each) => graph.label(each)).join(", ")));
  return (
    <div class="step">
      <pre>{`${derivation.column} = ${text}`}</pre>
      {byKind([...derivation.influences, ...process.rows]).map(([kind, uses]) => (
        <p key={kind} class="use">{kindName(kind)}: {[...new Map(uses.map((use) => [columnKey(use), graph.label(use)])).values()].slice(0, 6).join(", ")}</p>
      ))}
      {process.conditions.slice(0, 4).map((condition) => <pre key={condition} class="condition">{condition}</pre>)}
      <p class="use">in {process.name}</p>
    </div>
  );
}
