// Which part of the picture is in view, and the way there: zoom, pan and movements to something.

import { select } from "d3-selection";
import "d3-transition";
import { zoom, zoomIdentity, zoomTransform, type D3ZoomEvent, type ZoomTransform } from "d3-zoom";
import type { Layout } from "./layout";
import { WIDTH } from "./view";

/** What is to be in view: everything, a node with one of its rows, or what is in the middle at another scale. */
export type Goal = { kind: "all" } | { kind: "node"; id: string; row: string | null } | { kind: "scale"; k: number };

const SMALLEST = 0.08;
const LARGEST = 2.5;
/** Text is readable at this scale. */
const READABLE = 0.62;
/** Down to this scale the titles are, as signs. */
const OVERVIEW = 0.2;
/** Below these scales rows give way to signs, and those to larger ones. */
const FAR = 0.5;
const FARTHER = 0.34;
const NARROW = 720;
const MARGIN = 12;
const MILLISECONDS = 250;

interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * A goal stands until it is reached in the layout that was asked for last: a layout that arrives on the way changes
 * the way, not the goal. Whoever drags or zooms ends it.
 */
export class Camera {
  /** True until the layout is there that belongs to what was chosen last. */
  awaitsLayout = false;
  private layout: Layout | null = null;
  private goal: Goal | null = null;
  private isMoving = false;
  private readonly zooming = zoom<SVGSVGElement, unknown>().scaleExtent([SMALLEST, LARGEST]).clickDistance(4).filter(isWanted);

  constructor(
    private readonly svg: SVGSVGElement,
    moved: (to: ZoomTransform) => void,
    private readonly settled: (isSettled: boolean) => void,
  ) {
    this.zooming.on("start", (event: D3ZoomEvent<SVGSVGElement, unknown>) => event.sourceEvent && this.drop());
    this.zooming.on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
      const { k } = event.transform;
      svg.classList.toggle("far", k < FAR && k >= FARTHER);
      svg.classList.toggle("farther", k < FARTHER);
      moved(event.transform);
    });
    select(svg).call(this.zooming).on("dblclick.zoom", null);
  }

  get size(): { width: number; height: number } {
    return this.svg.getBoundingClientRect();
  }

  get at(): ZoomTransform {
    return zoomTransform(this.svg);
  }

  /** Takes over a layout. The first one is shown as a whole, or from `anchor`; later ones leave `anchor` where it is. */
  place(layout: Layout, anchor: string | undefined, way: ReadonlySet<string> | undefined): void {
    const before = this.layout;
    this.layout = layout;
    if (!before) return this.jump(this.opening(layout, anchor, way));
    const [from, to] = [before.boxes.get(anchor ?? ""), layout.boxes.get(anchor ?? "")];
    const { x, y, k } = this.at;
    if (from && to) this.jump(zoomIdentity.translate(x + (from.x - to.x) * k, y + (from.y - to.y) * k).scale(k));
    else if (!this.goal) this.jump(this.destination(to ? { kind: "node", id: anchor!, row: null } : { kind: "all" }));
    if (this.goal) this.pursue(this.goal);
  }

  /** Moves until a goal is reached. */
  pursue(goal: Goal): void {
    if (!this.layout) return;
    this.goal = goal;
    this.settled(false);
    const to = this.destination(goal);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.jump(to);
      this.rest();
      return;
    }
    this.isMoving = true;
    const movement = select(this.svg).transition().duration(MILLISECONDS);
    movement.on("end", () => {
      this.isMoving = false;
      this.rest();
    });
    this.zooming.transform(movement, to);
  }

  zoomBy(factor: number): void {
    const from = this.goal?.kind === "scale" ? this.goal.k : this.at.k;
    this.pursue({ kind: "scale", k: Math.max(SMALLEST, Math.min(LARGEST, from * factor)) });
  }

  /** Puts a point of the picture into the middle. */
  center(x: number, y: number): void {
    const { width, height } = this.size;
    const { k } = this.at;
    this.drop();
    this.jump(zoomIdentity.translate(width / 2 - x * k, height / 2 - y * k).scale(k));
  }

  /** Pans as far as needed to have an element in view; a row has to be readable too. */
  include(element: Element): void {
    if (this.goal) return;
    const [id, row] = [element.closest("[data-node]")?.getAttribute("data-node"), element.getAttribute("data-row")];
    if (id && row && this.at.k < FAR) return this.pursue({ kind: "node", id, row });
    const outer = this.svg.getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    const [dx, dy] = [into(inner.left, inner.right, outer.left, outer.right), into(inner.top, inner.bottom, outer.top, outer.bottom)];
    const { x, y, k } = this.at;
    if (dx || dy) this.jump(zoomIdentity.translate(x + dx, y + dy).scale(k));
  }

  /** Ends a goal that is reached. */
  rest(): void {
    if (!this.isMoving && !this.awaitsLayout) this.drop();
  }

  private drop(): void {
    this.goal = null;
    this.isMoving = false;
    this.settled(true);
  }

  /** At once; ends a movement. */
  private jump(to: ZoomTransform): void {
    this.isMoving = false;
    select(this.svg).interrupt();
    this.zooming.transform(select(this.svg), to);
  }

  private destination(goal: Goal): ZoomTransform {
    const { width, height } = this.size;
    const { x, y, k } = this.at;
    if (goal.kind === "scale") {
      const factor = goal.k / k;
      return zoomIdentity.translate(width / 2 - (width / 2 - x) * factor, height / 2 - (height / 2 - y) * factor).scale(goal.k);
    }
    const box = goal.kind === "node" ? this.rectangle(goal.id, goal.row) : null;
    if (!box) return this.whole(SMALLEST);
    const isInView =
      box.left * k + x >= MARGIN && box.right * k + x <= width - MARGIN && box.top * k + y >= MARGIN && box.bottom * k + y <= height - MARGIN;
    return isInView && k >= READABLE ? this.at : this.around(box, Math.max(k, READABLE));
  }

  /** A row with as much of its node as there is room for, else the head of the node. */
  private rectangle(id: string, key: string | null): Rectangle | null {
    const box = this.layout!.boxes.get(id);
    const node = this.layout!.picture.nodes.find((each) => each.id === id);
    if (!box || !node) return null;
    const row = node.rows.find((each) => each.key === key);
    const [top, bottom] = row ? [row.top, row.top + row.height] : [0, Math.min(node.height, 200)];
    return { left: box.x, right: box.x + WIDTH, top: box.y + top, bottom: box.y + bottom };
  }

  private whole(smallest: number): ZoomTransform {
    const { width, height } = this.layout!;
    return this.fitted({ left: 0, top: 0, right: width, bottom: height }, smallest, 1);
  }

  private fitted(box: Rectangle, smallest: number, largest: number): ZoomTransform {
    return this.around(box, Math.min(largest, Math.max(smallest, scaleOf(box, this.size))));
  }

  /** With a rectangle in the middle, but no room left empty beside the picture. */
  private around(box: Rectangle, k: number): ZoomTransform {
    const { width, height } = this.size;
    const x = within(width / 2 - ((box.left + box.right) / 2) * k, width, this.layout!.width * k);
    const y = within(height / 2 - ((box.top + box.bottom) / 2) * k, height, this.layout!.height * k);
    return zoomIdentity.translate(x, y).scale(k);
  }

  /** Everything if it is readable, else the way that is followed or else everything as an overview, else the anchor. */
  private opening(layout: Layout, anchor: string | undefined, way: ReadonlySet<string> | undefined): ZoomTransform {
    const size = this.size;
    const all = { left: 0, top: 0, right: layout.width, bottom: layout.height };
    const at = anchor === undefined ? null : this.rectangle(anchor, null);
    if (scaleOf(all, size) >= READABLE) return this.fitted(all, READABLE, 1);
    if (at && size.width < NARROW) return this.around(at, Math.min(1, (size.width - 2 * MARGIN) / WIDTH));
    const followed = way ? this.surrounding(layout, way) : all;
    if (scaleOf(followed, size) >= OVERVIEW) return this.fitted(followed, OVERVIEW, 0.8);
    return at ? this.around(at, 0.8) : this.whole(SMALLEST);
  }

  private surrounding(layout: Layout, ids: ReadonlySet<string>): Rectangle {
    const boxes = layout.picture.nodes.filter((node) => ids.has(node.id)).map((node) => ({ ...layout.boxes.get(node.id)!, height: node.height }));
    return {
      left: Math.min(...boxes.map((box) => box.x)) - MARGIN,
      top: Math.min(...boxes.map((box) => box.y)) - MARGIN,
      right: Math.max(...boxes.map((box) => box.x)) + WIDTH + MARGIN,
      bottom: Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN,
    };
  }
}

const scaleOf = (box: Rectangle, { width, height }: { width: number; height: number }): number =>
  Math.min(width / (box.right - box.left), height / (box.bottom - box.top));

/** How far something has to move to be inside. */
function into(start: number, end: number, from: number, to: number): number {
  if (start < from + 8) return from + 24 - start;
  return end > to - 8 ? to - 24 - end : 0;
}

/** A place of the picture that leaves no room empty beside it; what is smaller than the room is put in its middle. */
function within(place: number, room: number, length: number): number {
  return length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, place));
}

/** Within a page that scrolls, the wheel scrolls it; with Ctrl, as with two fingers, it zooms. */
function isWanted(event: Event): boolean {
  if (event.type === "wheel") return !document.querySelector("#explorer[data-scrolls]") || (event as WheelEvent).ctrlKey;
  return !(event as MouseEvent).button;
}
