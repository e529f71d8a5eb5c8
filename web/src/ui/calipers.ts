/** Two crosses that are put on the trace, and the time between them. */
import { Layer, part } from "./layer";

/** Pixels of CSS on the chart. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export class Calipers {
  readonly layer = new Layer("calipers");

  show(points: readonly [Place, Place] | null, active: 0 | 1, height: number): void {
    if (!points) {
      this.layer.element.replaceChildren();
      return;
    }
    const [a, b] = points;
    const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
    this.layer.element.replaceChildren(
      part("rect", { x: left, y: 0, width: right - left, height }),
      ...points.flatMap(({ x, y }, i) => [
        part("path", { "stroke-width": i === active ? 2 : 1.2, d: `M${x} 0V${height}M${left - 14} ${y}H${right + 14}` }),
        part("circle", { cx: x, cy: y, r: i === active ? 7 : 5 }),
      ]),
    );
  }
}
