// Texts that fit into a place, and names of things for people.

import type { Run, Use } from "./graph";

export const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
export const MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace';

const fitted = new Map<string, string>();
let context: CanvasRenderingContext2D | null = null;

/** The text, or as much of it as fits into a width in pixels, with an ellipsis. */
export function fit(text: string, width: number, font: string): string {
  const key = `${width}|${font}|${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement("canvas").getContext("2d")!;
  context.font = font;
  let made = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  if (context.measureText(made).width > width) {
    let [low, high] = [0, made.length];
    while (low < high) {
      const half = (low + high + 1) >> 1;
      if (context.measureText(`${made.slice(0, half).trimEnd()}…`).width <= width) low = half;
      else high = half - 1;
    }
    made = `${made.slice(0, low).trimEnd()}…`;
  }
  fitted.set(key, made);
  return made;
}

/** A name in at most so many lines of a width in pixels, broken between its words; the last one may be cut. */
export function wrapped(text: string, width: number, font: string, most: number): string[] {
  const lines: string[] = [];
  const words = text.match(/[^\s._/#-]*[\s._/#-]*/g)!.filter(Boolean);
  while (words.length && lines.length < most - 1) {
    let line = words.shift()!;
    while (words.length && widthOf((line + words[0]!).trimEnd(), font) <= width) line += words.shift()!;
    lines.push(fit(line.trimEnd(), width, font));
  }
  if (words.length) lines.push(fit(words.join(""), width, font));
  return lines;
}

export function widthOf(text: string, font: string): number {
  context ??= document.createElement("canvas").getContext("2d")!;
  context.font = font;
  return context.measureText(text).width;
}

export const count = (number: number, word: string, plural = `${word}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? word : plural}`;

const KINDS: Record<string, string> = {
  JOIN: "Join",
  FILTER: "Filter",
  GROUP_BY: "Grouping",
  SORT: "Sort order",
  WINDOW: "Window",
  CONDITIONAL: "Condition",
};

export const kindName = (kind: string): string => KINDS[kind] ?? kind.toLowerCase().replaceAll("_", " ");

/** Uses by their kind, in the order in which the kinds occur. */
export function byKind(uses: Use[]): [string, Use[]][] {
  return [...Map.groupBy(uses, (use) => use.kind)];
}

export function moment(text: string | undefined): string {
  return text ? text.replace("T", " ").replace(/(\.\d+)?(Z|\+00:00)$/, " UTC") : "";
}

export function runText(run: Run): string {
  const facts = [run.state, moment(run.ended ?? run.started)];
  if (run.rowsWritten !== undefined) facts.push(count(run.rowsWritten, "row"));
  if (run.bytesWritten !== undefined) facts.push(bytes(run.bytesWritten));
  return facts.filter(Boolean).join(" · ");
}

function bytes(number: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let [value, unit] = [number, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}
