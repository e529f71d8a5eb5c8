/**
 * The records of a sector, as firmware/log/ein_log_scan.c reads them, over whatever a cut of the power
 * left in it: what does not check is looked over, unit by unit (docs/log.md, "The format").
 */
import { LOG_FORMAT, LOG_KINDS } from "../generated/tables";
import { crc32 } from "../wire/codec";

export interface LogRecord {
  readonly offset: number;
  readonly kind: number;
  /** Modulo 65536. */
  readonly boot: number;
  /** Monotonic seconds of that boot. */
  readonly t_s: number;
  readonly payload: Uint8Array;
}

export interface Sector {
  readonly sequence: number;
  readonly unit: number;
  readonly records: readonly LogRecord[];
  /** [offset, bytes] of what is neither a record nor erased. */
  readonly damaged: readonly (readonly [number, number])[];
}

type Kinds = typeof LOG_KINDS;
export type KindName = keyof Kinds;
/** A record's fields by its table. */
export type FieldsOf<K extends KindName> = Readonly<Record<Kinds[K]["fields"][number][0], number>>;

const HEAD = 4;
const TAIL = 4;

/** The sector's records from its first byte on; null: it is none of a log. It may be cut off. */
export function scan(sector: Uint8Array): Sector | null {
  const size = sector.length + (-sector.length & 7) + 8;
  const bytes = new Uint8Array(size).fill(0xff);
  bytes.set(sector);
  const view = new DataView(bytes.buffer);
  const header = LOG_FORMAT.header_bytes;
  const u32 = (at: number) => view.getUint32(at, true);
  if (size < header || u32(0) !== LOG_FORMAT.magic || check(0, 0, bytes.subarray(0, header - 4)) !== u32(header - 4)) return null;
  const sequence = u32(4);
  const unit = bytes[26]!;
  if (sequence === 0 || sequence > 0x7fffffff || (unit !== 4 && unit !== 8)) return null;
  let anchor = u32(20);
  let boot = view.getUint16(24, true);
  const records: LogRecord[] = [];
  for (let offset: number = header; offset + 8 <= size; ) {
    const kind = bytes[offset]!;
    const words = bytes[offset + 1]! & 0x3f;
    const end = offset + HEAD + 4 * words + TAIL;
    const whole = offset + roundUp(HEAD + 4 * words + TAIL, unit);
    const good =
      kind !== 0 && kind !== 0xff && bytes[offset + 1]! >> 6 !== 0 && whole <= size &&
      check(sequence, offset, bytes.subarray(offset, end - TAIL)) === u32(end - TAIL);
    if (!good) {
      offset += unit;
      continue;
    }
    const payload = bytes.slice(offset + HEAD, end - TAIL);
    if (kind === LOG_KINDS.anchor.code) {
      const told = unpack("anchor", payload);
      anchor = told.t_s;
      boot = told.boot;
    }
    const since = (view.getUint16(offset + 2, true) - anchor) & 0xffff;
    records.push({ offset, kind, boot, t_s: anchor + since, payload });
    offset = whole;
  }
  return { sequence, unit, records, damaged: damaged(bytes, records, unit) };
}

/** The last record of a kind in a piece of a sector that begins at `from`; null: there is none. */
export function lastOf<K extends KindName>(kind: K, sequence: number, from: number, bytes: Uint8Array): FieldsOf<K> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = (bytes.length - HEAD - TAIL) & ~3; at >= 0; at -= 4) {
    const end = at + HEAD + 4 * (bytes[at + 1]! & 0x3f);
    if (bytes[at] !== LOG_KINDS[kind].code || end + TAIL > bytes.length) continue;
    if (check(sequence, from + at, bytes.subarray(at, end)) === view.getUint32(end, true)) return unpack(kind, bytes.subarray(at + HEAD, end));
  }
  return null;
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** Over the record's place, too; never what an erased word reads as. */
function check(sequence: number, offset: number, bytes: Uint8Array): number {
  const place = new Uint8Array(8);
  const view = new DataView(place.buffer);
  view.setUint32(0, sequence, true);
  view.setUint32(4, offset, true);
  const crc = crc32(bytes, crc32(place));
  return crc === 0xffffffff ? 0 : crc;
}

function damaged(bytes: Uint8Array, records: readonly LogRecord[], unit: number): [number, number][] {
  const found: [number, number][] = [];
  let at: number = LOG_FORMAT.header_bytes;
  const ends = records.map((r): [number, number] => [r.offset, r.offset + roundUp(HEAD + r.payload.length + TAIL, unit)]);
  for (const [begin, end] of [...ends, [bytes.length, bytes.length] as [number, number]]) {
    let last = begin;
    while (last > at && bytes[last - 1] === 0xff) last--;
    if (last > at) found.push([at, last - at]);
    at = end;
  }
  return found;
}

/** The fields of a payload: what is not stored reads as zeros. */
export function unpack<K extends KindName>(kind: K, payload: Uint8Array): FieldsOf<K> {
  const values: Record<string, number> = {};
  let at = 0;
  const bit = (n: number) => ((payload[n >> 3] ?? 0) >> (n & 7)) & 1;
  for (const [name, width] of LOG_KINDS[kind].fields) {
    const bits = Math.abs(width);
    let value = 0;
    for (let i = 0; i < bits; i++) value += bit(at + i) * 2 ** i;
    if (width < 0 && value >= 2 ** (bits - 1)) value -= 2 ** bits;
    values[name] = value;
    at += bits;
  }
  return values as FieldsOf<K>;
}

/** The bytes behind the fields. */
export function rest(kind: KindName, payload: Uint8Array): Uint8Array {
  const bits = LOG_KINDS[kind].fields.reduce((sum, [, width]) => sum + Math.abs(width), 0);
  return payload.slice(bits / 8);
}
