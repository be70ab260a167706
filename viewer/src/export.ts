// Saves the whole picture, as it is shown, as SVG or PNG.

import type { Layout } from "./layout";

/** A PNG is drawn at twice its size, but no side gets longer than this. */
const MOST_PIXELS = 8000;

const VARIABLE = /var\((--[\w-]+)\)/g;

/** The rules for the picture with the colours of the present theme. */
function styles(): string {
  const values = getComputedStyle(document.documentElement);
  const resolved = (text: string) => text.replace(VARIABLE, (_, name: string) => values.getPropertyValue(name).trim());
  return [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule): rule is CSSStyleRule => rule instanceof CSSStyleRule && rule.selectorText.includes(".picture"))
    .map((rule) => resolved(rule.cssText))
    .join("\n");
}

export function svgText(picture: SVGSVGElement, layout: Layout, title: string): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const [width, height] = [Math.ceil(layout.width), Math.ceil(layout.height)];
  for (const each of copy.querySelectorAll(".handle, .hit, .reach, .sign")) each.remove();
  const internal = ["tabindex", "data-node", "data-from", "data-to"];
  for (const name of internal) for (const each of copy.querySelectorAll(`[${name}]`)) each.removeAttribute(name);
  copy.classList.remove("far", "farther");
  copy.firstElementChild!.removeAttribute("transform");
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": title, role: "img" })) {
    copy.setAttribute(name, String(value));
  }
  const made = <T extends keyof SVGElementTagNameMap>(name: T, values: Record<string, string>, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  copy.prepend(made("title", {}, title), made("style", {}, styles()), made("rect", { class: "ground", width: "100%", height: "100%" }));
  return new XMLSerializer().serializeToString(copy);
}

export function saveSvg(picture: SVGSVGElement, layout: Layout, title: string): void {
  save(new Blob([svgText(picture, layout, title)], { type: "image/svg+xml" }), `${fileName(title)}.svg`);
}

export async function savePng(picture: SVGSVGElement, layout: Layout, title: string): Promise<void> {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svgText(picture, layout, title)], { type: "image/svg+xml" }));
  await image.decode();
  const scale = Math.min(2, MOST_PIXELS / layout.width, MOST_PIXELS / layout.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(layout.width * scale));
  canvas.height = Math.max(1, Math.round(layout.height * scale));
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((blob) => blob && save(blob, `${fileName(title)}.png`), "image/png");
}

const fileName = (title: string): string => title.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 80) || "lineage";

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
