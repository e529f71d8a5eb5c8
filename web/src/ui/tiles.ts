/**
 * What scrolls, as tiles of four seconds in a layer of its own. A tile is drawn once; what a frame
 * costs is to move the layer, by whole pixels, which the browser's compositor does beside the page's
 * thread, and to draw what has come at the newest end. Copying all tiles into one canvas took that
 * thread five times as long (docs/page.md). Units are the screen's own pixels.
 */
import { RATE_HZ } from "../generated/tables";
import { MISSING, type Trace } from "../signal/trace";
import { h } from "./dom";

/** Samples of a tile: a whole number of squares of 5 mm (0.2 s), whose width is a whole number of pixels. */
export const TILE = 4 * RATE_HZ;
const SQUARES = 20;
/** How far the trace may move up or down before its tiles are drawn anew. */
const SLACK_PX = 40;
const MOST = 24;

/** How paper and trace look; another look makes all tiles anew. */
export interface Look {
  readonly trace: string;
  readonly paper: string;
  readonly fine: string;
  readonly bold: string;
  /** Side of a square of 5 mm. */
  readonly square: number;
  /** Of a screen's pixel of CSS. */
  readonly dpr: number;
  /** Of the trace. */
  readonly width: number;
  /** Of one count of the converter. */
  readonly pxPerCount: number;
  /** Of the chart. */
  readonly height: number;
}

export function tileWidth(look: Look): number {
  return SQUARES * look.square;
}

/** A tile's canvas, so high, whose top lies so far above the layer's 0. */
export function tileCanvas(look: Look, height: number, above = 0): HTMLCanvasElement {
  const canvas = h("canvas", { width: tileWidth(look), height });
  canvas.style.width = `${canvas.width / look.dpr}px`;
  canvas.style.height = `${height / look.dpr}px`;
  canvas.style.marginTop = `${-above / look.dpr}px`;
  return canvas;
}

/** Tiles side by side, moved as one. */
export class Layer {
  readonly element = h("div", { class: "layer" });
  private shown: readonly HTMLCanvasElement[] = [];
  private place = "";

  /** Shows `tiles` with the first one's left edge at `left` and the layer's 0 at `top`. */
  show(tiles: readonly HTMLCanvasElement[], left: number, top: number, dpr: number): void {
    if (tiles.length !== this.shown.length || tiles.some((tile, i) => tile !== this.shown[i])) {
      this.element.replaceChildren(...tiles);
      this.shown = tiles;
    }
    const place = `translate(${left / dpr}px, ${top / dpr}px)`;
    if (place !== this.place) this.element.style.transform = this.place = place;
  }
}

interface Tile {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** Where 0 is on the chart, as the tile was begun. */
  readonly zero: number;
  /** Samples before it are drawn. */
  drawn: number;
}

/** Millimetre paper with the trace on it. */
export class Paper {
  readonly layer = new Layer();
  private tiles = new Map<number, Tile>();
  private trace: Trace | null = null;
  private look: Look | null = null;
  private pattern: CanvasPattern | null = null;

  /** Shows tiles `first` to `last`: so that sample 0 is at `x0` and value 0 at `y0`. */
  show(trace: Trace, look: Look, x0: number, y0: number, first: number, last: number): void {
    if (trace !== this.trace || !alike(look, this.look)) {
      this.tiles.clear();
      this.pattern = null;
    }
    this.trace = trace;
    this.look = look;
    const seen = [];
    for (let k = first; k <= last; k++) {
      const tile = this.tile(k, y0, look);
      this.add(tile, k, trace, look);
      seen.push(tile.canvas);
    }
    this.layer.show(seen, x0 + first * tileWidth(look), y0, look.dpr);
    for (const k of this.tiles.keys()) if (this.tiles.size > MOST && k < first) this.tiles.delete(k);
    if (this.tiles.size > 2 * MOST) this.tiles.clear(); // who scrolls far back
  }

  private tile(k: number, zero: number, look: Look): Tile {
    const known = this.tiles.get(k);
    if (known && Math.abs(known.zero - zero) < SLACK_PX) return known;
    const canvas = tileCanvas(look, look.height + 2 * SLACK_PX, zero + SLACK_PX);
    const context = canvas.getContext("2d", { alpha: false })!;
    this.pattern ??= context.createPattern(square(look), "repeat");
    this.pattern?.setTransform(new DOMMatrix([1, 0, 0, 1, 0, (zero + SLACK_PX) % look.square]));
    context.fillStyle = this.pattern ?? look.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = look.trace;
    context.lineWidth = look.width;
    context.lineJoin = context.lineCap = "round";
    const tile = { canvas, context, zero, drawn: k * TILE };
    this.tiles.set(k, tile);
    return tile;
  }

  /** What has come since; with a sample of each neighbour, so that lines go on over the edges. */
  private add(tile: Tile, k: number, trace: Trace, look: Look): void {
    const end = Math.min(trace.end, (k + 1) * TILE + 1);
    if (tile.drawn >= end) return;
    const { context } = tile;
    const step = tileWidth(look) / TILE;
    context.beginPath();
    let line = false;
    for (let at = tile.drawn - 1; at < end; at++) {
      const value = trace.at(at);
      const x = (at - k * TILE) * step;
      const y = tile.zero + SLACK_PX - value * look.pxPerCount;
      if (value === MISSING) line = false;
      else if (line) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        line = true;
      }
    }
    context.stroke();
    tile.drawn = end;
  }
}

/** 5 by 5 mm of paper. */
function square({ square: side, paper, fine, bold, dpr }: Look): HTMLCanvasElement {
  const canvas = h("canvas", { width: side, height: side });
  const p = canvas.getContext("2d")!;
  p.fillStyle = paper;
  p.fillRect(0, 0, side, side);
  const line = (at: number, wide: number) => {
    p.fillRect(at, 0, wide, side);
    p.fillRect(0, at, side, wide);
  };
  p.fillStyle = fine;
  for (let i = 1; i < 5; i++) line(Math.round((i * side) / 5), Math.max(1, Math.round(dpr * 0.6)));
  p.fillStyle = bold;
  line(0, Math.max(1, Math.round(dpr)));
  return canvas;
}

function alike(a: Look, b: Look | null): boolean {
  return b !== null && (Object.keys(a) as (keyof Look)[]).every((name) => a[name] === b[name]);
}
