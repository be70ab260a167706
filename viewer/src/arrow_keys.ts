// Moves the focus through the picture with the arrow keys.

import type { Layout } from "./layout";
import { WIDTH } from "./view";

/** Up and down within a node and to the next one, left and right along a line. */
export function moveFocus(event: KeyboardEvent, layout: Layout, svg: SVGSVGElement): void {
  const current = document.activeElement;
  const card = current?.closest("[data-node]");
  if (!current || !card || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const buttons = [...card.querySelectorAll<SVGElement>(".hit, .handle[role], .handle a")];
  let target: Element | null | undefined;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const step = event.key === "ArrowUp" ? -1 : 1;
    target = buttons[buttons.indexOf(current as SVGElement) + step] ?? sibling(card, step, layout, svg);
  } else target = across(current, card, event.key === "ArrowLeft", layout, svg);
  (target as SVGElement | null | undefined)?.focus();
}

/** The element below another one that has a value in an attribute; keys contain what no selector may contain. */
function marked(inside: Element, attribute: string, value: string): Element | undefined {
  return [...inside.querySelectorAll(`[${attribute}]`)].find((each) => each.getAttribute(attribute) === value);
}

/** The next node below or above. */
function sibling(card: Element, step: number, layout: Layout, svg: SVGSVGElement): Element | null {
  const id = card.getAttribute("data-node")!;
  const here = layout.boxes.get(id)!;
  const near = [...layout.boxes]
    .filter(([other, box]) => other !== id && Math.abs(box.x - here.x) < WIDTH && Math.sign(box.y - here.y) === step)
    .sort(([, one], [, other]) => Math.abs(one.y - here.y) - Math.abs(other.y - here.y))[0];
  const found = near && marked(svg, "data-node", near[0]);
  return found?.querySelector(".hit") ?? null;
}

/** What the row or the node is joined with on one side. */
function across(current: Element, card: Element, left: boolean, layout: Layout, svg: SVGSVGElement): Element | null {
  const id = card.getAttribute("data-node")!;
  const row = current.getAttribute("data-row");
  const [near, far] = left ? (["to", "from"] as const) : (["from", "to"] as const);
  const joined = layout.picture.lines.filter((line) => line[near].node === id);
  const line = joined.find((each) => row && each[near].row === row) ?? joined[0];
  const other = line && marked(svg, "data-node", line[far].node);
  const wantedRow = line?.[far].row;
  return (row && wantedRow && other ? marked(other, "data-row", wantedRow) : null) ?? other?.querySelector(".hit") ?? null;
}
