/** A device's log, fetched piece by piece; its copy is a file that `einthoven log export` reads. */
import * as wire from "../generated/wire";
import type { Hello, Session } from "../session";
import { crc32 } from "../wire/codec";

const MAGIC = "einthoven log 1\n";
const MOST = 240;
const encoder = new TextEncoder();

/** What is known of a log: bytes by sector, as einthoven/device_log/copy.py keeps them. */
export class LogCopy {
  readonly sectors = new Map<number, Uint8Array>();
  readonly chunks: { sequence: number; offset: number; bytes: Uint8Array }[] = [];
  size = 0;

  constructor(readonly about: Record<string, unknown>) {}

  get gain(): number {
    return typeof this.about.lsb_per_mv === "number" ? this.about.lsb_per_mv : 200;
  }

  add(sequence: number, offset: number, bytes: Uint8Array): void {
    const before = this.sectors.get(sequence) ?? new Uint8Array();
    const sector = new Uint8Array(Math.max(before.length, offset + bytes.length)).fill(0xff);
    sector.set(before);
    sector.set(bytes, offset);
    this.sectors.set(sequence, sector);
    this.chunks.push({ sequence, offset, bytes });
    this.size += bytes.length;
  }

  /** The file's bytes. */
  file(): Uint8Array {
    const parts = [encoder.encode(MAGIC), encoder.encode(`${JSON.stringify(this.about)}\n`)];
    for (const { sequence, offset, bytes } of this.chunks) {
      const chunk = new Uint8Array(10 + bytes.length + 4);
      const view = new DataView(chunk.buffer);
      view.setUint32(0, sequence, true);
      view.setUint32(4, offset, true);
      view.setUint16(8, bytes.length, true);
      chunk.set(bytes, 10);
      view.setUint32(10 + bytes.length, crc32(chunk.subarray(0, -4)), true);
      parts.push(chunk);
    }
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  /** A copy of a file; null: it is none. What is torn at its end is left out. */
  static of(file: Uint8Array): LogCopy | null {
    const text = new TextDecoder("latin1").decode(file.subarray(0, 4096));
    const end = text.indexOf("\n", MAGIC.length);
    if (!text.startsWith(MAGIC) || end < 0) return null;
    let copy;
    try {
      const about: unknown = JSON.parse(text.slice(MAGIC.length, end));
      if (typeof about !== "object" || about === null) return null;
      copy = new LogCopy(about as Record<string, unknown>);
    } catch {
      return null;
    }
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    for (let at = end + 1; at + 14 <= file.length; ) {
      const offset = view.getUint32(at + 4, true);
      const behind = at + 10 + view.getUint16(at + 8, true);
      if (behind + 4 > file.length || offset > 1 << 26 || crc32(file.subarray(at, behind)) !== view.getUint32(behind, true)) break;
      copy.add(view.getUint32(at, true), offset, file.slice(at + 10, behind));
      at = behind + 4;
    }
    return copy;
  }
}

function about(hello: Hello): Record<string, unknown> {
  return {
    board: hello.board,
    serial: hello.serial,
    firmware: hello.build,
    model: hello.model,
    rails: [hello.rail_lo, hello.rail_hi],
    lsb_per_mv: hello.gain_lsb_per_mv,
  };
}

/** All that the log holds. `told`: bytes so far, after each piece. Refusal, LinkError. */
export async function fetchLog(session: Session, told: (bytes: number) => void): Promise<LogCopy> {
  const copy = new LogCopy(about(session.hello!));
  await tellTime(session);
  let at = { log_sequence: 0, offset: 0 };
  for (;;) {
    const piece = await session.keyed((c) => c.request(wire.logRead, wire.logBytes, { ...at, most: MOST }));
    if (!piece.bytes.length) return copy;
    copy.add(piece.log_sequence, piece.offset, piece.bytes);
    at = { log_sequence: piece.log_sequence, offset: piece.offset + piece.bytes.length };
    told(copy.size);
  }
}

/** So that the start under way gets its date. */
export async function tellTime(session: Session): Promise<void> {
  const now = Date.now();
  const fields = { unix_s: Math.floor(now / 1000), ms: now % 1000 };
  await session.keyed((c) => c.request(wire.deviceTime, wire.deviceTimeReply, fields));
}
