/** Strips as WFDB records, EDF+ files and CSV, for programs of others. */
import { strToU8, zipSync, type Zippable } from "fflate";

import { CLASSES, RATE_HZ, VERDICTS } from "../generated/tables";
import type { Clock } from "./times";
import type { DeviceLog, Strip } from "./types";

export interface About {
  readonly device: string;
  readonly patient: string;
  readonly clock: Clock;
  readonly notice: string;
}

const INVALID = -32768;
/** WFDB's codes of annotations: https://physionet.org/physiotools/wpg/ecgcodes.h */
const WFDB_CODES: Record<string, number> = { N: 1, S: 9, V: 5, F: 6, Q: 13 };

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** One line of printable ASCII. */
function ascii(text: string, most = 200): string {
  return text.replace(/[^\x20-\x7e]/g, "_").slice(0, most);
}

/** With WFDB's value for what was lost. */
function samplesOf(strip: Strip): Int16Array {
  const samples = strip.samples.map((value) => Math.max(value, INVALID + 1));
  for (const [first, n] of strip.lost) samples.fill(INVALID, first, first + n);
  return samples;
}

function bytes(samples: Int16Array): Uint8Array {
  const out = new Uint8Array(2 * samples.length);
  const view = new DataView(out.buffer);
  samples.forEach((value, i) => view.setInt16(2 * i, value, true));
  return out;
}

function verdictLine(strip: Strip): string {
  return strip.verdict ? `${VERDICTS[strip.verdict.verdict] ?? "?"}, ${Math.round((100 * strip.verdict.probability) / 255)} % sure` : "none";
}

// ---- WFDB ----

export function wfdbFiles(strips: readonly Strip[], about: About): Zippable {
  const files: Zippable = { RECORDS: strToU8(strips.map((s) => `${s.name}\n`).join("")) };
  for (const strip of strips) {
    const samples = samplesOf(strip);
    files[`${strip.name}.hea`] = strToU8(wfdbHeader(strip, samples, about));
    files[`${strip.name}.dat`] = bytes(samples);
    if (strip.beats.length) files[`${strip.name}.ein`] = wfdbAnnotations(strip);
  }
  return files;
}

function wfdbHeader(strip: Strip, samples: Int16Array, about: About): string {
  const when = about.clock.at(strip.at);
  const time = when
    ? ` ${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())} ${two(when.getDate())}/${two(when.getMonth() + 1)}/${when.getFullYear()}`
    : "";
  const sum = samples.reduce((total, value) => (total + value) & 0xffff, 0);
  const comments = [
    `Device: ${about.device}`,
    `Start ${strip.at.boot}, ${strip.at.seconds.toFixed(3)} s after it was switched on`,
    `The device says: ${verdictLine(strip)}`,
    about.notice,
  ];
  return [
    `${strip.name} 1 ${RATE_HZ} ${samples.length}${time}`,
    `${strip.name}.dat 16 ${strip.gain}(0)/mV 16 0 ${samples[0] ?? 0} ${(sum << 16) >> 16} 0 ECG`,
    ...comments.map((line) => `# ${ascii(line)}`),
    "",
  ].join("\n");
}

/** MIT format: https://physionet.org/physiotools/wag/annot-5.htm */
function wfdbAnnotations(strip: Strip): Uint8Array {
  const words: number[] = [];
  let last = 0;
  let num = 0;
  let subtype = 0;
  for (const beat of strip.beats) {
    let step = beat.at - last;
    last = beat.at;
    if (step > 1023) {
      words.push(59 << 10, (step >> 16) & 0xffff, step & 0xffff); // SKIP
      step = 0;
    }
    words.push(((WFDB_CODES[CLASSES[beat.label] ?? "Q"] ?? 13) << 10) | step);
    const percent = Math.round(100 * beat.confidence);
    const unsure = Number(beat.unsure);
    if (percent !== num) words.push((60 << 10) | (num = percent)); // NUM
    if (unsure !== subtype) words.push((61 << 10) | (subtype = unsure)); // SUB
  }
  words.push(0);
  return bytes(Int16Array.from(words));
}

// ---- EDF+ (https://www.edfplus.info/specs/edfplus.html) ----

const DURATIONS_S = [1, 0.5, 0.25, 0.2, 0.1, 0.05];
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** One strip, continuous. A data record is the longest that divides it; else the last value is repeated. */
export function edfFile(strip: Strip, about: About): Uint8Array {
  const duration = DURATIONS_S.find((d) => strip.samples.length % (d * RATE_HZ) === 0) ?? DURATIONS_S.at(-1)!;
  const per = Math.round(duration * RATE_HZ);
  const records = Math.ceil(strip.samples.length / per);
  const when = about.clock.at(strip.at);
  const known = when && when.getFullYear() >= 1985 && when.getFullYear() < 2085 ? when : null;
  const notes = annotations(strip, about.notice);
  const blocks = Array.from({ length: records }, (_, i) => {
    const mine = notes.filter((n) => Math.min(Math.floor(n.at / duration), records - 1) === i);
    return strToU8(`+${trim(i * duration)}\x14\x14\0${mine.map((n) => `+${trim(n.at)}${n.lasts ? `\x15${trim(n.lasts)}` : ""}\x14${n.text}\x14\0`).join("")}`);
  });
  const room = Math.ceil(Math.max(...blocks.map((b) => b.length)) / 2) * 2;
  const perLsb = 1000 / strip.gain;
  const text = (value: string | number, size: number) => String(value).slice(0, size).padEnd(size);
  const code = (value: string) => ascii(value, 30).trim().replace(/ +/g, "_") || "X";
  const date = known ? `${two(known.getDate())}-${MONTHS[known.getMonth()]!}-${known.getFullYear()}` : "X";
  const signal: [number, string | number, string | number][] = [
    [16, "ECG", "EDF Annotations"],
    [80, "", ""],
    [8, "uV", ""],
    [8, float8(-32768 * perLsb), -1],
    [8, float8(32767 * perLsb), 1],
    [8, -32768, -32768],
    [8, 32767, 32767],
    [80, "", ""],
    [8, per, room / 2],
    [32, "", ""],
  ];
  const header =
    text(0, 8) +
    text(`${code(about.patient)} X X X`, 80) +
    text(`Startdate ${date} X X ${code(about.device)}`, 80) +
    (known ? `${two(known.getDate())}.${two(known.getMonth() + 1)}.${two(known.getFullYear() % 100)}` : "01.01.85") +
    (known ? `${two(known.getHours())}.${two(known.getMinutes())}.${two(known.getSeconds())}` : "00.00.00") +
    text(768, 8) + text("EDF+C", 44) + text(records, 8) + text(duration, 8) + text(2, 4) +
    signal.map(([size, ecg, note]) => text(ecg, size) + text(note, size)).join("");
  const out = new Uint8Array(768 + records * (2 * per + room));
  out.set(strToU8(header, true));
  for (let i = 0; i < records; i++) {
    const piece = new Int16Array(per).fill(strip.samples.at(-1) ?? 0);
    piece.set(strip.samples.subarray(i * per, (i + 1) * per));
    out.set(bytes(piece), 768 + i * (2 * per + room));
    out.set(blocks[i]!, 768 + i * (2 * per + room) + 2 * per);
  }
  return out;
}

/** At most eight characters, as the header has room for. */
function float8(value: number): string {
  for (let digits = 6; digits >= 0; digits--) if (value.toFixed(digits).length <= 8) return value.toFixed(digits);
  return String(Math.round(value));
}

function trim(seconds: number): string {
  return String(Math.round(1e6 * seconds) / 1e6);
}

function annotations(strip: Strip, notice: string): { at: number; lasts?: number; text: string }[] {
  const all = strip.samples.length / RATE_HZ;
  return [
    { at: 0, text: notice },
    { at: 0, lasts: all, text: `Verdict: ${verdictLine(strip)}` },
    ...strip.lost.map(([first, n]) => ({ at: first / RATE_HZ, lasts: n / RATE_HZ, text: "Signal lost" })),
    ...strip.beats.map((b) => ({ at: b.at / RATE_HZ, text: `${CLASSES[b.label] ?? "Q"}${b.unsure ? " unsure" : ""}` })),
  ].sort((a, b) => a.at - b.at);
}

export function edfFiles(strips: readonly Strip[], about: About): Zippable {
  return Object.fromEntries(strips.filter((s) => s.samples.length).map((s) => [`${s.name}.edf`, edfFile(s, about)]));
}

// ---- CSV ----

function table(rows: readonly (readonly (string | number)[])[]): Uint8Array {
  const cell = (value: string | number) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return strToU8(rows.map((row) => `${row.map(cell).join(",")}\n`).join(""));
}

/** A table of strips, one a strip with its samples; of a log also its minutes and episodes. */
export function csvFiles(strips: readonly Strip[], about: About, log: DeviceLog | null, kindName: (kind: number) => string): Zippable {
  const at = (moment: { boot: number; seconds: number }) => [about.clock.at(moment)?.toISOString() ?? "", moment.boot, moment.seconds.toFixed(3)];
  const files: Zippable = {
    "strips.csv": table([
      ["time", "start", "seconds", "name", "duration_s", "rate_hz", "lsb_per_mv", "verdict", "probability", "lost_samples", "complete"],
      ...strips.map((s) => [
        ...at(s.at), s.name, s.samples.length / RATE_HZ, RATE_HZ, s.gain, s.verdict ? (VERDICTS[s.verdict.verdict] ?? "") : "",
        s.verdict ? (s.verdict.probability / 255).toFixed(3) : "", s.lost.reduce((sum, [, n]) => sum + n, 0), Number(s.complete),
      ]),
    ]),
  };
  for (const strip of strips) {
    const beats = new Map(strip.beats.map((b) => [b.at, b]));
    const samples = samplesOf(strip);
    files[`${strip.name}.csv`] = table([
      ["time_s", "mv", "beat", "confidence"],
      ...Array.from(samples, (value, i) => {
        const beat = beats.get(i);
        return [(i / RATE_HZ).toFixed(4), value === INVALID ? "" : (value / strip.gain).toFixed(4), beat ? (CLASSES[beat.label] ?? "Q") : "", beat ? Math.round(100 * beat.confidence) : ""];
      }),
    ]);
  }
  if (!log) return files;
  files["minutes.csv"] = table([
    ["time", "start", "seconds", "duration_s", ...CLASSES, "rr_mean_ms", "readable", "lead_off", "alarm"],
    ...log.minutes.map((m) => [
      ...at(m.at), m.seconds, ...m.beats, m.rrMeanMs ?? "", m.readable.toFixed(3), m.leadOff.toFixed(3), m.alarm === null ? "" : kindName(m.alarm),
    ]),
  ]);
  files["episodes.csv"] = table([
    ["time", "start", "seconds", "kind", "duration_s"],
    ...log.episodes.map((e) => [...at(e.begin), kindName(e.kind), e.end ? (e.end.seconds - e.begin.seconds).toFixed(3) : ""]),
  ]);
  return files;
}

export function zip(files: Zippable): Uint8Array {
  return zipSync(files, { level: 6, mtime: "1985-01-01T00:00:00" });
}
