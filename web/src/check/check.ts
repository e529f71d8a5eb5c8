/**
 * Is this board good? What a page can tell of `einthoven check` (docs/check.md): what the board says,
 * its flash and RAM, its model on golden tensors, its front end, and a stretch of its own signal.
 */
import { CHECKS, GOLDEN_LOGITS, LIMITS, MODEL_SHA256, PIPELINE_SHA256, RATE_HZ } from "../generated/tables";
import * as wire from "../generated/wire";
import { Refusal, type Channel } from "../link/channel";
import { LinkError, wait } from "../link/port";
import type { Hello, Session } from "../session";
import { MISSING } from "../signal/trace";
import { crc32, hex } from "../wire/codec";

export type Name = "model" | "flash" | "ram" | "engine" | "frontEnd" | "ownCheck" | "battery" | "signal";

/** `passed` null: the board cannot have it, or nobody can judge it. `values`: for the item's words. */
export interface Item {
  readonly name: Name;
  readonly passed: boolean | null;
  /** Not there: this board has no such part. */
  readonly values: Readonly<Record<string, string | number>> | null;
}

/** The plain image that a board should hold. */
export interface Expected {
  readonly bytes: number;
  readonly crc32: number;
}

const TRIES = 4;
const TEST_S = 30;
const POLL_MS = 200;
/** Without a sample for so long there is no converter. */
const SILENT_S = 10;

/** All items, one after another. `told`: seconds of signal so far. Refusal, LinkError. */
export async function check(session: Session, expected: Expected | null, told: (seconds: number) => void): Promise<Item[]> {
  const { hello, channel } = session;
  if (!hello || !channel) throw new LinkError("lost");
  const items = [model(hello)];
  if (session.device) {
    const { faults, battery_mv } = session.device;
    const bad = Object.entries(CHECKS).filter(([, bit]) => faults & bit);
    items.push({ name: "ownCheck", passed: faults === 0, values: { bad: bad.map(([name]) => name.replaceAll("_", " ")).join(", ") || "–" } });
    items.push({ name: "battery", passed: battery_mv ? battery_mv > LIMITS.low_mv : null, values: battery_mv ? { mv: battery_mv, low: LIMITS.low_mv } : null });
  }
  await session.interrupted(async () => {
    items.push(...(await memory(channel, expected)), await engine(channel, hello), await frontEnd(channel));
  });
  items.push(await signal(session, hello, told));
  return items;
}

function model({ model, model_sha256, pipeline_sha256 }: Hello): Item {
  const passed = hex(Uint8Array.from(model_sha256)) === MODEL_SHA256 && hex(Uint8Array.from(pipeline_sha256)) === PIPELINE_SHA256;
  return { name: "model", passed, values: { model, sha: hex(Uint8Array.from(model_sha256)).slice(0, 12), wanted: MODEL_SHA256.slice(0, 12) } };
}

/** What `ask` gives; null where the board does not know the question. */
async function known<T>(ask: Promise<T>): Promise<T | null> {
  try {
    return await ask;
  } catch (error) {
    if (error instanceof Refusal && error.code === wire.ERROR.unknown_message) return null;
    throw error;
  }
}

async function memory(channel: Channel, expected: Expected | null): Promise<Item[]> {
  const found = await known(channel.request(wire.memory, wire.memoryReply, {}));
  if (!found) return [{ name: "flash", passed: null, values: null }, { name: "ram", passed: null, values: null }];
  const same = expected === null ? null : found.image_bytes === expected.bytes && found.image_crc === expected.crc32;
  const crc = (value: number) => value.toString(16).padStart(8, "0");
  return [
    { name: "flash", passed: same, values: { bytes: found.image_bytes, crc: crc(found.image_crc), wanted: expected ? crc(expected.crc32) : "–" } },
    { name: "ram", passed: found.ram_bad === 0, values: { kb: found.ram_bytes >> 10, bad: found.ram_bad ? `0x${crc(found.ram_bad)}` : "–" } },
  ];
}

/** Golden tensor `number`, as codegen/golden.py and the device's own check make it. */
export function golden(number: number, size: number): Uint8Array {
  let x = number;
  return Uint8Array.from({ length: size }, () => (x = (Math.imul(1664525, x) + 1013904223) >>> 0) >>> 24);
}

async function engine(channel: Channel, hello: Hello): Promise<Item> {
  const size = hello.window_samples * hello.channels + hello.features;
  let right = 0;
  for (const [number, wanted] of GOLDEN_LOGITS.entries()) {
    const found = await bench(channel, golden(number, size));
    if (wanted.every((value, i) => value === found[i])) right++;
  }
  const all = GOLDEN_LOGITS.length;
  return { name: "engine", passed: right === all, values: { right, all } };
}

/** The model's logits for a tensor, whose pieces are not answered: it is sent again if one was lost. */
async function bench(channel: Channel, tensor: Uint8Array): Promise<readonly number[]> {
  const piece = wire.MAX_PAYLOAD - 2;
  for (let i = 0; ; i++) {
    for (let offset = 0; offset < tensor.length; offset += piece) await channel.post(wire.tensor, { offset, bytes: tensor.slice(offset, offset + piece) });
    try {
      return (await channel.request(wire.bench, wire.benchReply, { tensor_crc: crc32(tensor) })).unadapted;
    } catch (error) {
      if (!(error instanceof Refusal && error.code === wire.ERROR.bad_tensor) || i === TRIES) throw error;
    }
  }
}

async function frontEnd(channel: Channel): Promise<Item> {
  for (let waited = 0; ; waited += POLL_MS) {
    const found = await known(channel.request(wire.frontEnd, wire.frontEndReply, {}));
    if (!found || found.state === wire.FRONT_END_STATE.none) return { name: "frontEnd", passed: null, values: null };
    const done = found.state === wire.FRONT_END_STATE.done;
    if (done || waited > 1000 * TEST_S) {
      const verdict = Object.entries(wire.SELF_TEST).find(([, code]) => code === found.verdict)?.[0] ?? "";
      const good = done && (verdict === "good" || verdict === "untested");
      return { name: "frontEnd", passed: good, values: { part: found.part, verdict, uv: found.noise_uv, percent: found.gain_permille / 10 } };
    }
    await wait(POLL_MS);
  }
}

/** A stretch of its own signal: samples come, and move; whether there is contact is told, not judged. */
async function signal(session: Session, hello: Hello, told: (seconds: number) => void): Promise<Item> {
  const { trace } = session;
  const begin = trace.end;
  let before = begin;
  for (let quiet = 0; trace.end - begin < LIMITS.seconds * RATE_HZ && quiet < 1000 * SILENT_S; ) {
    await wait(POLL_MS);
    if (session.state !== "open") throw new LinkError("lost");
    quiet = trace.end === before ? quiet + POLL_MS : 0;
    before = trace.end;
    told((before - begin) / RATE_HZ);
  }
  const values = Array.from({ length: before - begin }, (_, i) => trace.at(begin + i));
  const there = values.filter((value) => value !== MISSING);
  if (!there.length) return { name: "signal", passed: null, values: null };
  const lost = values.length - there.length;
  const off = there.filter((value) => value <= hello.rail_lo || value >= hello.rail_hi).length / there.length;
  const moves = off > 0 || there.some((value) => value !== there[0]);
  return { name: "signal", passed: moves && 1000 * lost <= LIMITS.lost_permille * values.length, values: { n: there.length, lost, off: Math.round(100 * off) } };
}
