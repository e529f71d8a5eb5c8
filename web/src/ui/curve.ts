/** The trace, as pieces of half a second: what has come changes the newest one only. */
import { RATE_HZ } from "../generated/tables";
import { MISSING, type Trace } from "../signal/trace";
import { Layer, part, Pieces, type Scale } from "./layer";

const PIECE = RATE_HZ / 2;

interface Piece {
  readonly element: SVGElement;
  /** Samples before it are drawn. */
  drawn: number;
  path: string;
  line: boolean;
}

export class Curve {
  readonly layer = new Layer("curve");
  private readonly pieces = new Pieces<Piece>(this.layer, PIECE, (k) => ({
    element: part("path", {}),
    drawn: k * PIECE - 1, // with a sample of each neighbour, so that lines go on
    path: "",
    line: false,
  }));
  private trace: Trace | null = null;

  show(trace: Trace, scale: Scale): void {
    if (trace !== this.trace) this.pieces.clear();
    this.trace = trace;
    this.layer.element.style.strokeWidth = `${Math.max(1.4, scale.pxPerMm * 0.34)}px`;
    for (const [k, piece] of this.pieces.show(scale, scale.zero)) this.add(piece, (k + 1) * PIECE + 1, trace, scale);
  }

  private add(piece: Piece, before: number, trace: Trace, { pxPerSample, pxPerCount }: Scale): void {
    const end = Math.min(trace.end, before);
    if (piece.drawn >= end) return;
    for (let at = piece.drawn; at < end; at++) {
      const value = trace.at(at);
      if (value !== MISSING)
        piece.path += `${piece.line ? "L" : "M"}${((at - this.pieces.base) * pxPerSample).toFixed(2)} ${(-value * pxPerCount).toFixed(2)}`;
      piece.line = value !== MISSING;
    }
    piece.drawn = end;
    piece.element.setAttribute("d", piece.path);
  }
}
