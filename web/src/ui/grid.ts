/** Millimetre paper: drawn once for a size, and moved by less than a square. */
import { Layer, part, sharp, type Scale } from "./layer";

export class Grid {
  readonly layer = new Layer("grid");
  private drawn = "";

  show(scale: Scale): void {
    const { width, height, pxPerMm, pxPerSample, left, dpr } = scale;
    const square = sharp(5 * pxPerMm, dpr);
    const what = [width, height, square, dpr].join();
    if (what !== this.drawn) {
      this.drawn = what;
      const lines = (from: number, to: number, wide: number) => {
        let d = "";
        for (let x = 0; x <= width + 2 * square; x += square)
          for (let i = from; i < to; i++) d += `M${sharp(x + (i * square) / 5, dpr)} 0h${wide}v${height}h${-wide}z`;
        for (let y = 0; y <= height; y += square)
          for (let i = from; i < to; i++) d += `M0 ${sharp(y + (i * square) / 5, dpr)}h${width + 3 * square}v${wide}h${-width - 3 * square}z`;
        return d;
      };
      const fine = Math.max(1, Math.round(0.6 * dpr)) / dpr;
      this.layer.element.replaceChildren(
        part("path", { class: "fine", d: lines(1, 5, fine) }),
        part("path", { class: "bold", d: lines(0, 1, Math.max(1, Math.round(dpr)) / dpr) }),
      );
    }
    // A bold line at each fifth of a second.
    const across = (left * pxPerSample) % square;
    this.layer.move(-sharp(across < 0 ? across + square : across, dpr), 0);
  }
}
