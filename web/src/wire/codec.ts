/**
 * Frames and messages of the serial protocol, host side (docs/SPEC.md, section 5): the third end of
 * `codegen/spec/wire.toml`, beside the board's C and Python's `einthoven.wire`. Wire bytes are
 * never trusted: what is no good frame is counted and dropped.
 */
import { MAX_PAYLOAD, MAX_TEXT } from "../generated/wire";

export class WireError extends Error {}

/** A message as the generated table describes it. */
export interface MessageType {
  readonly name: string;
  readonly code: number;
  readonly fields: readonly (readonly [string, string])[];
}

type FieldValue<Kind extends string> = Kind extends `${string}[${string}]`
  ? readonly number[]
  : Kind extends "u64"
    ? bigint
    : Kind extends "text"
      ? string
      : Kind extends "rest"
        ? Uint8Array
        : number;

/** The fields of a message, typed by its table. */
export type Fields<M extends MessageType> = {
  readonly [F in M["fields"][number] as F[0]]: FieldValue<F[1]>;
};

/** A frame whose CRC-32 is right. */
export interface Frame {
  readonly code: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const MAX_BLOCK = 1 + 2 + MAX_PAYLOAD + 4;
const MAX_PENDING = 4096;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let i = 0; i < 8; i++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 of IEEE 802.3, as zlib has it; `crc`: of what came before. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let c = ~crc;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length >> 1 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** COBS in one block or more, without delimiter. */
function stuff(body: Uint8Array): Uint8Array {
  const out = [0];
  let code = 0;
  for (const [i, byte] of body.entries()) {
    if (byte !== 0) out.push(byte);
    if (byte === 0 || out.length - code === 0xff) {
      out[code] = out.length - code;
      if (byte === 0 || i + 1 < body.length) code = out.push(0) - 1;
      else return Uint8Array.from(out);
    }
  }
  out[code] = out.length - code;
  return Uint8Array.from(out);
}

/** The bytes behind COBS; null if they are none. */
function unstuff(block: Uint8Array): Uint8Array | null {
  const out: number[] = [];
  for (let at = 0; at < block.length; ) {
    const code = block[at]!;
    if (code === 0 || at + code > block.length) return null;
    for (let i = 1; i < code; i++) out.push(block[at + i]!);
    at += code;
    if (code < 0xff && at < block.length) out.push(0);
  }
  return Uint8Array.from(out);
}

/** The frame's bytes on the line, closing delimiter included. */
export function encodeFrame(frame: Frame): Uint8Array {
  if (frame.payload.length > MAX_PAYLOAD) throw new WireError(`a payload of ${frame.payload.length} bytes`);
  const body = new Uint8Array(2 + frame.payload.length + 4);
  body[0] = frame.code;
  body[1] = frame.sequence;
  body.set(frame.payload, 2);
  new DataView(body.buffer).setUint32(body.length - 4, crc32(body.subarray(0, body.length - 4)), true);
  const block = stuff(body);
  const line = new Uint8Array(block.length + 1);
  line.set(block);
  return line;
}

interface Scalar {
  readonly bytes: number;
  readonly least: number;
  readonly most: number;
}

function scalar(kind: string): Scalar {
  const bits = Number(kind.slice(1));
  const signed = kind.startsWith("i");
  return { bytes: bits / 8, least: signed ? -(2 ** (bits - 1)) : 0, most: 2 ** (signed ? bits - 1 : bits) - 1 };
}

function element(kind: string): [string, number] {
  const at = kind.indexOf("[");
  return at < 0 ? [kind, 0] : [kind.slice(0, at), Number(kind.slice(at + 1, -1))];
}

function putInteger(out: number[], kind: string, value: unknown, where: string): void {
  if (kind === "u64") {
    if (typeof value !== "bigint" || value < 0n || value >= 1n << 64n) throw new WireError(`${where} does not fit`);
    for (let i = 0n; i < 8n; i++) out.push(Number((value >> (8n * i)) & 0xffn));
    return;
  }
  const { bytes, least, most } = scalar(kind);
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw new WireError(`${where} does not fit`);
  for (let i = 0; i < bytes; i++) out.push(Math.floor(value / 2 ** (8 * i)) & 0xff);
}

/** The payload of a message. */
export function encodePayload<M extends MessageType>(message: M, fields: Fields<M>): Uint8Array {
  const out: number[] = [];
  for (const [name, kind] of message.fields) {
    const value: unknown = (fields as Record<string, unknown>)[name];
    const where = `${message.name}.${name}`;
    if (kind === "text") {
      if (typeof value !== "string" || value.length > MAX_TEXT || !/^[\0-\x7f]*$/.test(value))
        throw new WireError(`${where} does not fit`);
      out.push(value.length, ...Array.from(value, (c) => c.charCodeAt(0)));
    } else if (kind === "rest") {
      if (!(value instanceof Uint8Array)) throw new WireError(`${where} does not fit`);
      out.push(...value);
    } else {
      const [type, count] = element(kind);
      if (!count) putInteger(out, type, value, where);
      else if (!Array.isArray(value) || value.length !== count) throw new WireError(`${where} does not fit`);
      else for (const one of value) putInteger(out, type, one, where);
    }
  }
  if (out.length > MAX_PAYLOAD) throw new WireError(`${message.name} is too long`);
  return Uint8Array.from(out);
}

/** A message's bytes on the line. */
export function encode<M extends MessageType>(message: M, sequence: number, fields: Fields<M>): Uint8Array {
  return encodeFrame({ code: message.code, sequence, payload: encodePayload(message, fields) });
}

function getInteger(view: DataView, at: number, kind: string): number | bigint {
  switch (kind) {
    case "u8":
      return view.getUint8(at);
    case "i8":
      return view.getInt8(at);
    case "u16":
      return view.getUint16(at, true);
    case "i16":
      return view.getInt16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "u64":
      return view.getBigUint64(at, true);
    default:
      throw new WireError(`no type ${kind}`);
  }
}

/** A frame's payload as `message`; WireError if its size is wrong or a text is none. */
export function decode<M extends MessageType>(message: M, payload: Uint8Array): Fields<M> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const fields: Record<string, unknown> = {};
  let at = 0;
  const take = (bytes: number) => {
    if (at + bytes > payload.length) throw new WireError(`${message.name} has ${payload.length} bytes, too few`);
    at += bytes;
    return at - bytes;
  };
  for (const [name, kind] of message.fields) {
    if (kind === "text") {
      const size = payload[take(1)]!;
      const from = take(size);
      const bytes = payload.subarray(from, from + size);
      if (size > MAX_TEXT || bytes.some((b) => b > 0x7f)) throw new WireError(`${message.name}: ${name} is no text`);
      fields[name] = String.fromCharCode(...bytes);
    } else if (kind === "rest") {
      fields[name] = payload.slice(at);
      at = payload.length;
    } else {
      const [type, count] = element(kind);
      const { bytes } = scalar(type);
      if (!count) fields[name] = getInteger(view, take(bytes), type);
      else fields[name] = Array.from({ length: count }, () => getInteger(view, take(bytes), type));
    }
  }
  if (at !== payload.length) throw new WireError(`${message.name} has ${payload.length - at} bytes too many`);
  return fields as Fields<M>;
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Cuts a stream of bytes into frames, the same ones however the stream is cut. */
export class FrameDecoder {
  rejectedFrames = 0;
  rejectedBytes = 0;
  /** Printable lines between frames: a banner, a fault report. The newest ones. */
  readonly text: string[] = [];
  private pending: number[] = [];
  private overflow = 0;

  /** Takes received bytes; the good frames that they complete, in order. */
  feed(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (const byte of bytes) {
      if (byte !== 0) {
        if (this.pending.length < MAX_PENDING) this.pending.push(byte);
        else this.overflow++;
        continue;
      }
      const frame = this.close();
      if (frame) frames.push(frame);
    }
    return frames;
  }

  private close(): Frame | null {
    const block = Uint8Array.from(this.pending);
    const overflow = this.overflow;
    this.pending = [];
    this.overflow = 0;
    if (!block.length) return null;
    const frame = overflow ? null : readBlock(block);
    if (frame) return frame;
    if (block.every(isText)) {
      this.text.push(...String.fromCharCode(...block).split(/[\r\n]+/).filter((line) => line.trim()));
      this.text.splice(0, this.text.length - 20);
    } else {
      this.rejectedFrames++;
      this.rejectedBytes += block.length + overflow;
    }
    return null;
  }
}

function readBlock(block: Uint8Array): Frame | null {
  const body = block.length > MAX_BLOCK ? null : unstuff(block);
  if (!body || body.length < 6) return null;
  const message = body.subarray(0, -4);
  const crc = new DataView(body.buffer, body.byteOffset).getUint32(body.length - 4, true);
  if (crc32(message) !== crc) return null;
  return { code: message[0]!, sequence: message[1]!, payload: message.slice(2) };
}
