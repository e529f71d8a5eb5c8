/** A strip in rows on millimetre paper, as SVG: true to scale when printed (25 mm/s, 10 mm/mV). */
import { RATE_HZ } from "../generated/tables";

const ROW_S = 7.5;
const MM_PER_S = 25;
const MM_PER_MV = 10;
const LETTERS_MM = 5;
const CLOCK_MM = 4;
const LEAST_MV = 2;
const MOST_MV = 4;

export interface Drawn {
  readonly samples: Int16Array;
  readonly gain: number;
  readonly beats: readonly { at: number; label: number; unsure: boolean }[];
  readonly lost?: readonly (readonly [number, number])[];
}

/** Millivolts at the lower and the upper edge, multiples of 0.5. */
function range(strip: Drawn): [number, number] {
  const mv = Float64Array.from(strip.samples, (value) => value / strip.gain).sort();
  const at = (share: number) => mv[Math.floor(share * (mv.length - 1))] ?? 0;
  let low = Math.min(at(0), at(0.5) - 0.5) - 0.1;
  let high = Math.max(at(1), at(0.5) + 1) + 0.1;
  if (high - low > MOST_MV) {
    const centre = (at(0.005) + at(0.995)) / 2;
    [low, high] = [centre - MOST_MV / 2, centre + MOST_MV / 2];
  }
  low = Math.floor(2 * low) / 2;
  return [low, Math.max(Math.ceil(2 * high) / 2, low + LEAST_MV)];
}

/** An `<svg>` a row. `classes`: names by label. All that goes in is numbers and class names. */
export function rows(strip: Drawn, classes: readonly string[]): SVGSVGElement[] {
  const [low, high] = range(strip);
  const perRow = ROW_S * RATE_HZ;
  const found = [];
  for (let first = 0; first < strip.samples.length; first += perRow)
    found.push(row(strip, classes, first, Math.min(first + perRow, strip.samples.length), low, high));
  return found;
}

function row(strip: Drawn, classes: readonly string[], first: number, end: number, low: number, high: number): SVGSVGElement {
  const width = ROW_S * MM_PER_S;
  const trace = (high - low) * MM_PER_MV;
  const height = LETTERS_MM + trace + CLOCK_MM;
  const x = (at: number) => (((at - first) / RATE_HZ) * MM_PER_S).toFixed(2);
  const parts = [`<rect y="${LETTERS_MM}" width="${x(end)}" height="${trace}" class="ground"/>`, grid(Number(x(end)), trace)];
  for (let s = Math.ceil(first / RATE_HZ); s <= end / RATE_HZ; s++) {
    const anchor = s * RATE_HZ === first ? "start" : s * RATE_HZ - first >= ROW_S * RATE_HZ ? "end" : "middle";
    parts.push(`<text class="clock" x="${x(s * RATE_HZ)}" y="${height - 0.8}" text-anchor="${anchor}">${s} s</text>`);
  }
  for (const beat of strip.beats) {
    if (beat.at < first || beat.at >= end) continue;
    const name = /^[A-Za-z]$/.test(classes[beat.label] ?? "") ? classes[beat.label]! : "Q";
    parts.push(`<text class="beat c${name}" x="${x(beat.at)}" y="${LETTERS_MM - 1.2}" text-anchor="middle">${name}${beat.unsure ? "?" : ""}</text>`);
  }
  parts.push(`<path class="trace" d="${path(strip, first, end, low, high)}"/>`);
  const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  element.setAttribute("class", "row");
  element.setAttribute("viewBox", `0 0 ${width} ${height}`);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", `ECG ${(first / RATE_HZ).toFixed(1)}–${(end / RATE_HZ).toFixed(1)} s`);
  element.setAttribute("width", `${width}mm`);
  element.setAttribute("height", `${height}mm`);
  element.innerHTML = parts.join("");
  return element;
}

function grid(width: number, height: number): string {
  const lines = (step: number, skip: number) => {
    let d = "";
    for (let i = 0; i * step <= width + 1e-6; i++) if (!skip || i % skip) d += `M${i * step} ${LETTERS_MM}v${height}`;
    for (let i = 0; i * step <= height + 1e-6; i++) if (!skip || i % skip) d += `M0 ${LETTERS_MM + i * step}h${width}`;
    return d;
  };
  return `<path class="fine" d="${lines(1, 5)}"/><path class="bold" d="${lines(5, 0)}"/>`;
}

function path(strip: Drawn, first: number, end: number, low: number, high: number): string {
  const gone = new Set<number>();
  for (const [at, n] of strip.lost ?? []) for (let i = at; i < at + n; i++) gone.add(i);
  let d = "";
  let pen = false;
  for (let i = first; i <= end && i < strip.samples.length; i++) {
    if (gone.has(i)) {
      pen = false;
      continue;
    }
    const mv = Math.min(Math.max(strip.samples[i]! / strip.gain, low), high);
    d += `${pen ? "L" : "M"}${(((i - first) / RATE_HZ) * MM_PER_S).toFixed(2)} ${(LETTERS_MM + (high - mv) * MM_PER_MV).toFixed(2)}`;
    pen = true;
  }
  return d;
}
