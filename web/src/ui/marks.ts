/** Beats and the clock above and below the trace, rhythm episodes as bars: anew only where one of them changed. */
import { RATE_HZ } from "../generated/tables";
import type { MarkedBeat, Trace } from "../signal/trace";
import { Layer, part, Pieces, type Scale } from "./layer";

const PIECE = 4 * RATE_HZ;

/** How marks are told. */
export interface Words {
  readonly classes: readonly string[];
  readonly rhythmName: (kind: number) => string;
  /** Pixels from the chart's bottom to the episodes' bar. */
  readonly episodeUp: number;
}

interface Bar {
  /** Pixels from the piece's begin. */
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

interface Piece {
  readonly element: SVGElement;
  readonly told: SVGElement;
  /** What is told there. */
  what: string;
}

export class Marks {
  readonly layer = new Layer("marks");
  private readonly pieces = new Pieces<Piece>(this.layer, PIECE, newPiece);

  show(trace: Trace, scale: Scale, words: Words): void {
    for (const [k, piece] of this.pieces.show(scale, 0)) tell(piece, k, trace, scale, words);
  }
}

function newPiece(k: number, base: number, { pxPerSample, height }: Scale): Piece {
  const element = part("g", { transform: `translate(${(k * PIECE - base) * pxPerSample} 0)` });
  for (let i = 0; i * RATE_HZ < PIECE; i++) {
    const s = (k * PIECE) / RATE_HZ + i;
    if (s < 0) continue;
    const x = i * RATE_HZ * pxPerSample;
    const time = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    element.append(part("rect", { x: x - 0.5, y: height - 5, width: 1, height: 5 }), part("text", { class: "clock", x, y: height - 8 }, time));
  }
  const told = part("g", {});
  element.append(told);
  return { element, told, what: "" };
}

function tell(piece: Piece, k: number, trace: Trace, { pxPerSample, height }: Scale, { classes, rhythmName, episodeUp }: Words): void {
  const x = (at: number) => (at - k * PIECE) * pxPerSample;
  const width = PIECE * pxPerSample;
  const beats = between(trace.beats, k * PIECE, (k + 1) * PIECE);
  const bars: Bar[] = [];
  for (const { begin, end, kind } of trace.episodes) {
    const from = Math.max(x(begin), 0);
    const to = Math.min(Math.round(x(end ?? trace.end)), width);
    if (to > from) bars.push({ from, to, name: rhythmName(kind) });
  }
  const what = JSON.stringify([beats.map(({ at, label, unsure }) => [at, label, unsure]), bars, classes]);
  if (piece.what === what) return;
  piece.what = what;
  const y = height - episodeUp;
  piece.told.replaceChildren(
    ...bars.flatMap(({ from, to, name }) => [
      part("rect", { class: "episode", x: from, y, width: to - from, height: 3 }),
      part("text", { class: "episode", x: from + 3, y: y - 4 }, name),
    ]),
    ...beats.flatMap((beat) => beatMark(x(beat.at), classes[beat.label] ?? "?", beat.unsure)),
  );
}

function between(beats: readonly MarkedBeat[], from: number, to: number): MarkedBeat[] {
  const found = [];
  for (let i = beats.length - 1; i >= 0 && beats[i]!.at >= from; i--) if (beats[i]!.at < to) found.push(beats[i]!);
  return found;
}

function beatMark(x: number, name: string, unsure: boolean): SVGElement[] {
  const style = `beat${/^[A-Z]$/.test(name) ? ` c${name}` : ""}${unsure ? " unsure" : ""}`;
  // Told by shape, too: a tick for a normal beat, a wedge for any other.
  const shape = name === "N" ? `M${x - 0.75} 20h1.5v5h-1.5z` : `M${x - 4.5} 19h9l-4.5 7z`;
  return [part("text", { class: style, x, y: 15 }, unsure ? `${name}?` : name), part("path", { class: style, d: shape })];
}
