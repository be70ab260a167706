// The whole picture in small, with the part that is in view.

import type { Layout } from "./layout";
import { WIDTH } from "./view";

const MAP_WIDTH = 220;
const MAP_HEIGHT = 130;
const MAP_MARGIN = 6;

interface MinimapProps {
  layout: Layout;
  view: { x: number; y: number; k: number };
  size: { width: number; height: number };
  way: ReadonlySet<string> | null;
  center(x: number, y: number): void;
}

export function Minimap({ layout, view, size, way, center }: MinimapProps) {
  const k = Math.min(MAP_WIDTH / layout.width, MAP_HEIGHT / layout.height);
  // Where all is in view, it would only cover some of it.
  const right = view.x + layout.width * view.k;
  const bottom = view.y + layout.height * view.k;
  if (view.x >= -1 && view.y >= -1 && right <= size.width + 1 && bottom <= size.height + 1) return null;
  const drag = (event: PointerEvent) => {
    if (!event.buttons) return;
    const place = (event.currentTarget as Element).getBoundingClientRect();
    center((event.clientX - place.left - MAP_MARGIN) / k, (event.clientY - place.top - MAP_MARGIN) / k);
  };
  return (
    <svg class="minimap" width={layout.width * k + 2 * MAP_MARGIN} height={layout.height * k + 2 * MAP_MARGIN} aria-hidden="true" onPointerDown={drag} onPointerMove={drag}>
      <g transform={`translate(${MAP_MARGIN},${MAP_MARGIN}) scale(${k})`}>
        {layout.picture.nodes.map((node) => {
          const box = layout.boxes.get(node.id)!;
          const on = way ? (way.has(node.id) ? " on" : " off") : "";
          return <rect key={node.id} class={`${node.kind}${on}`} x={box.x} y={box.y} width={WIDTH} height={node.height} rx="12" />;
        })}
        <rect class="window" x={-view.x / view.k} y={-view.y / view.k} width={size.width / view.k} height={size.height / view.k} style={`stroke-width:${1.5 / k}px`} />
      </g>
    </svg>
  );
}
