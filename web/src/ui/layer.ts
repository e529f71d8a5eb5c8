/**
 * What scrolls is SVG in layers of its own: the browser's compositor moves them, and fills in what
 * was added, beside the page's thread, which only says what has come. Canvases, one or many, are
 * copied by that thread in each frame (docs/page.md).
 */
const NS = "http://www.w3.org/2000/svg";

type Attributes = Readonly<Record<string, string | number>>;

/** An element of a drawing. Texts and attributes only: what came over the wire is never markup. */
export function part(tag: string, attributes: Attributes, text = ""): SVGElement {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text) element.textContent = text;
  return element;
}

/** Pixels of CSS; a layer's 0 is the chart's upper left corner until it is moved. */
export class Layer {
  readonly element: SVGElement;
  private place = "";

  constructor(name: string) {
    this.element = part("svg", { class: `layer ${name}`, "aria-hidden": "true", width: 1, height: 1 });
  }

  move(x: number, y: number): void {
    const place = `translate(${x}px, ${y}px)`;
    if (place !== this.place) this.element.style.transform = this.place = place;
  }
}

/** Where a chart's samples are, in pixels of CSS. */
export interface Scale {
  /** Of the sample at the left edge of what is seen, which may be between two. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly pxPerSample: number;
  readonly pxPerMm: number;
  /** Of one count of the converter. */
  readonly pxPerCount: number;
  /** Of value 0. */
  readonly zero: number;
  /** Of the screen's own pixels, which all is moved by. */
  readonly dpr: number;
}

/** To the screen's own pixels. */
export function sharp(px: number, dpr: number): number {
  return Math.round(px * dpr) / dpr;
}

/**
 * Parts by their place in time, such as 4 s: those that are seen are in the layer. `base`: the
 * sample that is the layer's x = 0, renewed before coordinates grow so large that they get coarse.
 */
export class Pieces<T extends { readonly element: SVGElement }> {
  private pieces = new Map<number, T>();
  private scale: Scale | null = null;
  base = 0;

  constructor(
    readonly layer: Layer,
    /** In samples. */
    private readonly length: number,
    private readonly make: (k: number, base: number, scale: Scale) => T,
  ) {}

  clear(): void {
    this.pieces.clear();
    this.layer.element.replaceChildren();
    this.scale = null;
  }

  /** Moves the layer so that its y = 0 is at `y`; returns the pieces that are seen, by their place. */
  show(scale: Scale, y: number): ReadonlyMap<number, T> {
    const x = () => (this.base - scale.left) * scale.pxPerSample;
    if (!this.scale || !sameSize(scale, this.scale) || Math.abs(x()) > FARTHEST_PX) {
      this.clear();
      this.base = Math.floor(scale.left / this.length) * this.length;
    }
    this.scale = scale;
    const first = Math.floor(scale.left / this.length);
    const last = Math.floor((scale.left + scale.width / scale.pxPerSample) / this.length);
    for (const [k, piece] of this.pieces)
      if (k < first || k > last) {
        piece.element.remove();
        this.pieces.delete(k);
      }
    for (let k = first; k <= last; k++)
      if (!this.pieces.has(k)) {
        const piece = this.make(k, this.base, scale);
        this.pieces.set(k, piece);
        this.layer.element.append(piece.element);
      }
    this.layer.move(sharp(x(), scale.dpr), sharp(y, scale.dpr));
    return this.pieces;
  }
}

const FARTHEST_PX = 30_000;

function sameSize(a: Scale, b: Scale): boolean {
  return a.pxPerSample === b.pxPerSample && a.pxPerCount === b.pxPerCount && a.height === b.height && a.dpr === b.dpr;
}
