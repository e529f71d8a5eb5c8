/**
 * The strip on millimetre paper: 25 mm a second and 10 mm a millivolt, drawn only when something has
 * changed. Drag, pinch, wheel and keys scroll and enlarge; calipers measure.
 */
import { RATE_HZ } from "../generated/tables";
import { MISSING, type Trace } from "../signal/trace";
import { h } from "./dom";
import { Calipers } from "./calipers";
import { Curve } from "./curve";
import { Grid } from "./grid";
import { type Scale, sharp } from "./layer";
import { Marks } from "./marks";

export const MM_PER_S = 25;
export const MM_PER_MV = 10;
const TOP_MM = 6;
const BOTTOM_MM = 5;
const EASE = 0.06;
const ZOOMS = { least: 2, most: 12 };
const BEHIND = RATE_HZ * 0.4;

/** What a caliper measures: samples apart, and millivolts from the first to the second. */
export interface Measured {
  readonly samples: number;
  readonly mv: number;
}

interface Point {
  at: number;
  mv: number;
}

export class Chart {
  readonly element: HTMLElement;
  gain = 200;
  classes: string[] = [];
  rhythmName: (kind: number) => string = String;
  /** Last sample at the right edge; null: the newest. */
  private right: number | null = null;
  private head = 0;
  private baseline: number | null = null;
  private zoom = innerWidth < 700 ? 3.78 : 5;
  private calipers: [Point, Point] | null = null;
  private active: 0 | 1 = 1;
  private width = 0;
  private height = 0;
  private dpr = 1;
  private readonly grid = new Grid();
  private readonly curve = new Curve();
  private readonly marks = new Marks();
  private readonly crosses = new Calipers();
  private readonly calm = matchMedia("(prefers-reduced-motion: reduce)");
  private dirty = true;
  private running = false;
  private last = 0;
  private pointers = new Map<number, PointerEvent>();
  private pinch: { distance: number; zoom: number } | null = null;

  constructor(
    private trace: Trace,
    label: string,
    private readonly changed: () => void,
  ) {
    const layers = [this.grid, this.curve, this.marks, this.crosses].map(({ layer }) => layer.element);
    this.element = h("div", { class: "chart", tabIndex: 0, role: "application", aria: { label } }, ...layers);
    const on = this.element.addEventListener.bind(this.element);
    on("pointerdown", (e) => this.down(e));
    on("pointermove", (e) => this.move(e));
    for (const name of ["pointerup", "pointercancel"] as const) on(name, (e) => this.up(e));
    on("wheel", (e) => this.wheel(e), { passive: false });
    on("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** Another recording, from its newest sample on. */
  show(trace: Trace): void {
    this.trace = trace;
    this.right = null;
    this.head = trace.end;
    this.baseline = null;
    this.calipers = null;
    this.touch();
  }

  get isLive(): boolean {
    return this.right === null;
  }

  get measured(): Measured | null {
    if (!this.calipers) return null;
    const [a, b] = this.calipers;
    return { samples: Math.abs(b.at - a.at), mv: b.mv - a.mv };
  }

  get secondsBack(): number {
    return this.right === null ? 0 : (this.trace.end - this.right) / RATE_HZ;
  }

  freeze(on: boolean): void {
    this.right = on ? Math.min(this.head || this.trace.end, this.trace.end) : null;
    if (!on) this.calipers = null;
    this.touch();
  }

  /** So many seconds before the newest sample; 0: live. */
  goBack(seconds: number): void {
    this.scrollTo(this.trace.end - seconds * RATE_HZ);
    if (seconds === 0) this.right = null;
    this.touch();
  }

  /** Calipers at the last two beats that are seen, which is their RR. */
  measure(on: boolean): void {
    if (!on) this.calipers = null;
    else {
      this.freeze(true);
      const left = this.right! - this.span;
      const seen = this.trace.beats.filter((b) => b.at > left && b.at <= this.right!).slice(-2);
      const at = (i: number, share: number) => seen[i]?.at ?? Math.round(left + this.span * share);
      const top = this.mv(at(1, 0.6));
      this.calipers = [
        { at: at(0, 0.4), mv: seen.length === 2 ? this.baselineMv() : top - 1 },
        { at: at(1, 0.6), mv: top },
      ];
    }
    this.touch();
  }

  /** Draws in the next frame. */
  touch(): void {
    this.dirty = true;
    this.changed();
    if (!this.running) {
      this.running = true;
      this.last = performance.now();
      requestAnimationFrame((now) => this.frame(now));
    }
  }

  // ---- what is seen ----

  private get pxPerMm(): number {
    // 5 mm are a whole number of the screen's pixels, so that the lines stay sharp.
    return sharp(5 * this.zoom, this.dpr) / 5;
  }

  private get pxPerSample(): number {
    return (this.pxPerMm * MM_PER_S) / RATE_HZ;
  }

  private get span(): number {
    return this.width / this.pxPerSample;
  }

  private get rightEdge(): number {
    return this.right ?? this.head;
  }

  private x(at: number): number {
    return this.width - (this.rightEdge - at) * this.pxPerSample;
  }

  private baselineMv(): number {
    return (this.baseline ?? 0) / this.gain;
  }

  private mv(at: number): number {
    const value = this.trace.at(at);
    return value === MISSING ? this.baselineMv() : value / this.gain;
  }

  private y(mv: number): number {
    const p = this.pxPerMm;
    const middle = TOP_MM * p + (this.height - (TOP_MM + BOTTOM_MM) * p) * 0.62;
    return middle - (mv - this.baselineMv()) * MM_PER_MV * p;
  }

  private resize(): void {
    const box = this.element.getBoundingClientRect();
    this.dpr = devicePixelRatio || 1;
    this.width = box.width;
    this.height = box.height;
    this.touch();
  }

  private frame(now: number): void {
    const passed = Math.min(now - this.last, 100) / 1000;
    this.last = now;
    const moving = this.follow(passed);
    if (this.dirty || moving) {
      this.dirty = false;
      this.draw();
    }
    if (moving) requestAnimationFrame((next) => this.frame(next));
    else this.running = false;
  }

  /** The right edge runs evenly, a little behind what comes in pieces. */
  private follow(passed: number): boolean {
    const end = this.trace.end;
    this.follows();
    const behind = end - this.head;
    if (behind <= 0) return false;
    if (this.calm.matches || behind > 4 * RATE_HZ) this.head = end;
    else this.head = Math.min(end, this.head + RATE_HZ * passed * (1 + (behind - BEHIND) / RATE_HZ));
    return true;
  }

  private follows(): void {
    const last = this.rightEdge;
    const seen: number[] = [];
    for (let at = Math.floor(Math.max(this.trace.first, last - Math.min(this.span, 5 * RATE_HZ))); at < last; at += 7) {
      const value = this.trace.at(at);
      if (value !== MISSING) seen.push(value);
    }
    if (!seen.length) return;
    seen.sort((a, b) => a - b);
    const middle = seen[seen.length >> 1]!;
    this.baseline = this.baseline === null || this.right !== null ? (this.baseline ?? middle) : this.baseline + EASE * (middle - this.baseline);
  }

  // ---- drawing ----

  private draw(): void {
    if (!this.width) return;
    const { width, height, pxPerSample, pxPerMm, dpr, classes, rhythmName } = this;
    const scale: Scale = {
      left: this.rightEdge - this.span,
      width,
      height,
      pxPerSample,
      pxPerMm,
      pxPerCount: (MM_PER_MV * pxPerMm) / this.gain,
      zero: this.y(0),
      dpr,
    };
    this.grid.show(scale);
    this.curve.show(this.trace, scale);
    this.marks.show(this.trace, scale, { classes, rhythmName, episodeUp: BOTTOM_MM * pxPerMm + 4 });
    const place = ({ at, mv }: Point) => ({ x: this.x(at), y: this.y(mv) });
    this.crosses.show(this.calipers && [place(this.calipers[0]), place(this.calipers[1])], this.active, height);
  }

  // ---- hands ----

  private scrollTo(right: number): void {
    const least = Math.min(this.trace.first + this.span, this.trace.end);
    this.right = Math.min(Math.max(right, least), this.trace.end);
  }

  private enlarge(factor: number): void {
    this.zoom = Math.min(Math.max(this.zoom * factor, ZOOMS.least), ZOOMS.most);
    this.touch();
  }

  private point(event: PointerEvent): Point {
    const box = this.element.getBoundingClientRect();
    const at = this.rightEdge - (this.width - (event.clientX - box.left)) / this.pxPerSample;
    const mv = this.baselineMv() + (this.y(this.baselineMv()) - (event.clientY - box.top)) / (MM_PER_MV * this.pxPerMm);
    return { at: Math.round(at), mv };
  }

  private down(event: PointerEvent): void {
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) this.pinch = { distance: this.distance(), zoom: this.zoom };
    if (this.calipers && this.pointers.size === 1) {
      const p = this.point(event);
      this.active = Math.abs(p.at - this.calipers[0].at) < Math.abs(p.at - this.calipers[1].at) ? 0 : 1;
      this.put(p);
    }
  }

  private distance(): number {
    const [a, b] = [...this.pointers.values()];
    return a && b ? Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1) : 1;
  }

  private move(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    this.pointers.set(event.pointerId, event);
    if (this.pinch && this.pointers.size === 2) this.enlarge((this.pinch.zoom * this.distance()) / this.pinch.distance / this.zoom);
    else if (this.calipers) this.put(this.point(event));
    else if (event.clientX !== before.clientX) {
      this.scrollTo(this.rightEdge - (event.clientX - before.clientX) / this.pxPerSample);
      this.touch();
    }
  }

  private put(point: Point): void {
    this.calipers![this.active] = point;
    this.touch();
  }

  private up(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size < 2) this.pinch = null;
    if (!this.calipers && this.right !== null && this.trace.end - this.right < RATE_HZ / 4) this.right = null;
    this.touch();
  }

  private wheel(event: WheelEvent): void {
    if (event.ctrlKey) this.enlarge(Math.exp(-event.deltaY / 300));
    else {
      const delta = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
      if (!delta) return; // the page scrolls
      this.scrollTo(this.rightEdge + delta / this.pxPerSample);
      this.touch();
    }
    event.preventDefault();
  }

  private key(event: KeyboardEvent): void {
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const upwards = { ArrowUp: 1, ArrowDown: -1 }[event.key] ?? 0;
    const point = this.calipers?.[this.active];
    if (point && (sideways || upwards)) {
      const fast = event.shiftKey ? 10 : 1;
      this.put({ at: point.at + sideways * fast, mv: point.mv + upwards * 0.02 * fast });
    } else if (this.calipers && event.key === " ") this.active = this.active ? 0 : 1;
    else if (sideways) this.scrollTo(this.rightEdge + sideways * RATE_HZ * (event.shiftKey ? 5 : 0.5));
    else if (event.key === "PageUp" || event.key === "PageDown") this.scrollTo(this.rightEdge + (event.key === "PageUp" ? -1 : 1) * this.span);
    else if (event.key === "Home") this.scrollTo(0);
    else if (event.key === "End") this.freeze(false);
    else if (event.key === "+" || event.key === "=") this.enlarge(1.15);
    else if (event.key === "-") this.enlarge(1 / 1.15);
    else return;
    event.preventDefault();
    this.touch();
  }
}
