/** Log and proofs on vectors that the device's C and Python made (hil_tests/page_vectors.py). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LOG_KINDS } from "../src/generated/tables";
import { Challenge, parseKey } from "../src/link/keys";
import { decodeEcg } from "../src/log/ecg";
import { readLog } from "../src/log/reader";
import { rest, scan, unpack, type FieldsOf, type KindName } from "../src/log/scan";
import { fromHex, hex } from "../src/wire/codec";
import vectors from "./vectors.json";

const NAMES = Object.fromEntries(Object.entries(LOG_KINDS).map(([name, kind]) => [kind.code, name])) as Record<number, KindName>;

describe("sectors", () => {
  it.each(vectors.sectors.map((sector, i) => [i, sector] as const))("%i", (_, sector) => {
    const found = scan(fromHex(sector.bytes));
    if (sector.records === null) return expect(found).toBeNull();
    expect(found?.sequence).toBe(sector.sequence);
    expect(found?.damaged).toEqual(sector.damaged);
    const told = found?.records.map(({ payload, ...record }) => {
      const kind = NAMES[record.kind]!;
      const behind = LOG_KINDS[kind].rest ? { [LOG_KINDS[kind].rest]: hex(rest(kind, payload)) } : {};
      return { ...record, payload: hex(payload), fields: { ...unpack(kind, payload), ...behind } };
    });
    expect(told).toEqual(sector.records);
  });

  it("of any bytes are read, or are none", () => {
    const good = fromHex(vectors.sectors[0]!.bytes);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 20 }), fc.nat(good.length), (flips, cut) => {
        const bytes = good.slice(0, cut);
        for (const [at, value] of flips) if (at < cut) bytes[at] = value;
        const found = scan(bytes);
        if (found) for (const record of found.records) expect(record.offset + 8).toBeLessThanOrEqual(cut + 16);
        readLog(new Map([[1, bytes]]), 200);
      }),
      { numRuns: 40 },
    );
  });
});

it.each(vectors.pieces.map((piece, i) => [i, piece] as const))("piece of ECG %i", (_, piece) => {
  expect([...decodeEcg(piece.fields as unknown as FieldsOf<"ecg">, fromHex(piece.code))]).toEqual(piece.samples);
});

it("a log tells what Python's reader tells", () => {
  const { log } = vectors;
  const read = readLog(new Map([[log.sequence, fromHex(log.bytes)]]), 200);
  const [strip] = read.strips;
  expect({
    ...{ name: strip!.name, seconds: strip!.at.seconds, gain: strip!.gain, complete: strip!.complete },
    ...{ verdict: strip!.verdict?.verdict, samples: [...strip!.samples] },
  }).toEqual(log.strip);
  expect(read.minutes.map((m) => [m.at.boot, m.at.seconds, m.seconds, m.beats, m.rrMeanMs, m.readable])).toEqual(log.minutes);
  expect(read.episodes.map((e) => [e.begin.boot, e.begin.seconds, e.end?.seconds ?? null])).toEqual(log.episodes);
  expect(read.times.map((t) => [t.at.boot, t.at.seconds, t.unix])).toEqual(log.times);
});

it.each(vectors.proofs)("proofs for '$serial'", (one) => {
  const asked = new Challenge(one.serial, fromHex(one.host), fromHex(one.device));
  expect(hex(asked.hostProof(fromHex(one.key)))).toBe(one.hostProof);
  expect(hex(asked.deviceProof(fromHex(one.key)))).toBe(one.deviceProof);
});

it("a key is 64 digits", () => {
  expect(parseKey(` ${"aB".repeat(32)}\n`)).toHaveLength(32);
  for (const wrong of ["", "ab", "g".repeat(64), "a".repeat(63), "a".repeat(65)]) expect(parseKey(wrong)).toBeNull();
});
