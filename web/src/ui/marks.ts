/** Beats, rhythm episodes and the clock above and below the trace, as tiles that are drawn anew only where one of them changed. */
import { RATE_HZ } from "../generated/tables";
import type { MarkedBeat, Trace } from "../signal/trace";
import { Layer, TILE, tileCanvas, tileWidth, type Look } from "./tiles";

/** Pixels of CSS that a letter or a time may reach beyond its place. */
const REACH_PX = 30;

/** How marks are told and coloured. */
export interface Words {
  readonly classes: readonly string[];
  readonly colours: Readonly<Record<string, string>>;
  readonly rhythmName: (kind: number) => string;
  /** Pixels of CSS from the chart's bottom to the episodes' bar. */
  readonly episodeUp: number;
}

interface Bar {
  /** Pixels of CSS in the tile. */
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

interface Tile {
  readonly canvas: HTMLCanvasElement;
  /** What is drawn there. */
  drawn: string;
}

export class Marks {
  readonly layer = new Layer();
  private tiles = new Map<number, Tile>();
  private height = 0;
  private width = 0;

  /** Shows tiles `first` to `last`, so that sample 0 is at `x0` (the screen's pixels). */
  show(trace: Trace, look: Look, words: Words, x0: number, first: number, last: number): void {
    const wide = tileWidth(look);
    if (look.height !== this.height || wide !== this.width) this.tiles.clear();
    [this.height, this.width] = [look.height, wide];
    for (const k of this.tiles.keys()) if (k < first || k > last) this.tiles.delete(k);
    const seen = [];
    for (let k = first; k <= last; k++) {
      const tile = this.tiles.get(k) ?? { canvas: tileCanvas(look, look.height), drawn: "" };
      this.tiles.set(k, tile);
      draw(tile, k, trace, look, words);
      seen.push(tile.canvas);
    }
    this.layer.show(seen, x0 + first * wide, 0, look.dpr);
  }
}

function draw(tile: Tile, k: number, trace: Trace, look: Look, words: Words): void {
  const { dpr } = look;
  const width = tile.canvas.width / dpr;
  const height = tile.canvas.height / dpr;
  const x = (at: number) => ((at - k * TILE) * width) / TILE;
  const reach = (REACH_PX * TILE) / width;
  const beats = between(trace.beats, k * TILE - reach, (k + 1) * TILE + reach);
  const bars: Bar[] = [];
  for (const { begin, end, kind } of trace.episodes) {
    const from = Math.max(x(begin), 0);
    const to = Math.min(Math.round(x(end ?? trace.end)), width);
    if (to > from) bars.push({ from, to, name: words.rhythmName(kind) });
  }
  const what = JSON.stringify([beats, bars, words.classes, words.colours, words.episodeUp]);
  if (tile.drawn === what) return;
  tile.drawn = what;
  const c = tile.canvas.getContext("2d")!;
  c.setTransform(dpr, 0, 0, dpr, 0, 0);
  c.clearRect(0, 0, width, height);
  drawClock(c, k, x, height, words);
  drawBars(c, bars, height - words.episodeUp, words);
  for (const beat of beats) drawBeat(c, beat, x(beat.at), words);
}

function between(beats: readonly MarkedBeat[], from: number, to: number): MarkedBeat[] {
  const found = [];
  for (let i = beats.length - 1; i >= 0 && beats[i]!.at >= from; i--) if (beats[i]!.at < to) found.push(beats[i]!);
  return found;
}

function drawClock(c: CanvasRenderingContext2D, k: number, x: (at: number) => number, height: number, { colours }: Words): void {
  c.fillStyle = colours.muted!;
  c.font = "11px system-ui, sans-serif";
  c.textAlign = "center";
  const second = (k * TILE) / RATE_HZ;
  for (let s = Math.max(second - 1, 0); s <= second + TILE / RATE_HZ + 1; s++) {
    const at = x(s * RATE_HZ);
    c.fillRect(at - 0.5, height - 5, 1, 5);
    c.fillText(`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`, at, height - 8);
  }
}

function drawBars(c: CanvasRenderingContext2D, bars: readonly Bar[], y: number, { colours }: Words): void {
  c.font = "600 11px system-ui, sans-serif";
  c.textAlign = "left";
  c.fillStyle = colours["class-S"]!;
  for (const { from, to, name } of bars) {
    c.fillRect(from, y, to - from, 3);
    c.fillText(name, from + 3, y - 4);
  }
}

function drawBeat(c: CanvasRenderingContext2D, beat: MarkedBeat, x: number, { classes, colours }: Words): void {
  const name = classes[beat.label] ?? "?";
  c.textAlign = "center";
  c.globalAlpha = beat.unsure ? 0.6 : 1;
  c.fillStyle = colours[`class-${name}`] ?? colours.ink!;
  c.font = `${name === "N" ? 500 : 750} 13px system-ui, sans-serif`;
  c.fillText(beat.unsure ? `${name}?` : name, x, 15);
  // Told by shape, too: a tick for a normal beat, a wedge for any other.
  c.beginPath();
  if (name === "N") c.rect(x - 0.75, 20, 1.5, 5);
  else {
    c.moveTo(x - 4.5, 19);
    c.lineTo(x + 4.5, 19);
    c.lineTo(x, 26);
  }
  c.fill();
  c.globalAlpha = 1;
}
