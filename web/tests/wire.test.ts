/** The case table of codegen/spec/wire.toml, whole and byte by byte, and any bytes at all. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import * as wire from "../src/generated/wire";
import { decode, encode, encodePayload, FrameDecoder, fromHex, hex, type Fields, type MessageType } from "../src/wire/codec";
import { decodeSamples } from "../src/wire/samples";
import { CASES, MESSAGES, SAMPLE_CASES } from "./generated/wire_cases";

function fieldsOf(message: MessageType, told: Record<string, unknown>): Fields<MessageType> {
  const rest = message.fields.find(([, kind]) => kind === "rest")?.[0];
  return (rest ? { ...told, [rest]: fromHex(told[rest] as string) } : told) as Fields<MessageType>;
}

describe.each(CASES)("$name", (one) => {
  it.each([1, 7, 4096])("comes out the same in pieces of %i", (size) => {
    const decoder = new FrameDecoder();
    const bytes = fromHex(one.bytes);
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) frames.push(...decoder.feed(bytes.subarray(at, at + size)));
    expect(frames.map((f) => [f.code, f.sequence, hex(f.payload)])).toEqual(
      one.frames.map((f) => [f.code, f.sequence, f.payload]),
    );
    expect([decoder.rejectedFrames, decoder.rejectedBytes]).toEqual([one.rejectedFrames, one.rejectedBytes]);
  });

  it("is read, and written to the same bytes", () => {
    for (const frame of one.frames) {
      const message = MESSAGES.find((m) => m.code === frame.code);
      if (!message || !frame.fields) {
        if (message) expect(() => decode(message, fromHex(frame.payload))).toThrow();
        continue;
      }
      const fields = fieldsOf(message, frame.fields);
      expect(decode(message as MessageType, fromHex(frame.payload))).toEqual(fields);
      expect(hex(encodePayload(message as MessageType, fields))).toBe(frame.payload);
      const line = encode(message as MessageType, frame.sequence, fields);
      expect(one.bytes).toContain(hex(line));
    }
  });
});

it("has a case for every message", () => {
  const told = new Set(CASES.flatMap((one) => one.frames.map((f) => f.code)));
  expect(MESSAGES.filter((m) => !told.has(m.code)).map((m) => m.name)).toEqual([]);
});

const values = (kind: string): fc.Arbitrary<unknown> => {
  const array = /^(.+)\[(\d+)\]$/.exec(kind);
  if (array) return fc.array(values(array[1]!), { minLength: Number(array[2]), maxLength: Number(array[2]) });
  if (kind === "text") return fc.string({ unit: "grapheme-ascii", maxLength: wire.MAX_TEXT });
  if (kind === "rest") return fc.uint8Array({ maxLength: 40 });
  if (kind === "u64") return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const bits = Number(kind.slice(1));
  return kind.startsWith("u")
    ? fc.nat(2 ** Math.min(bits, 31) - 1).map((n) => (bits === 32 ? 2 * n + 1 : n))
    : fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
};
const messages = fc.constantFrom(...(MESSAGES as readonly MessageType[])).chain((message) =>
  fc.tuple(
    fc.constant(message),
    fc.nat(255),
    fc.record(Object.fromEntries(message.fields.map(([name, kind]) => [name, values(kind)]))) as fc.Arbitrary<Fields<MessageType>>,
  ),
);

describe("any messages", () => {
  it("come through noise, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 6 }), fc.uint8Array({ maxLength: 60 }), fc.nat(50), (sent, noise, cut) => {
        const good = sent.flatMap(([m, sequence, fields]) => [...encode(m, sequence, fields)]);
        const line = Uint8Array.from([...noise, 0, ...good]);
        const decoder = new FrameDecoder();
        const frames = [...decoder.feed(line.subarray(0, cut)), ...decoder.feed(line.subarray(cut))];
        const known = frames.slice(frames.length - sent.length);
        expect(known.map((f, i) => decode(sent[i]![0], f.payload))).toEqual(sent.map(([, , fields]) => fields));
      }),
    );
  });

  it("of any bytes are fields or a WireError", () => {
    fc.assert(
      fc.property(fc.constantFrom(...(MESSAGES as readonly MessageType[])), fc.uint8Array({ maxLength: 248 }), (message, payload) => {
        let fields;
        try {
          fields = decode(message, payload);
        } catch (error) {
          expect((error as Error).constructor.name).toBe("WireError");
          return;
        }
        expect(hex(encodePayload(message, fields))).toBe(hex(payload));
      }),
    );
  });

  it("that do not fit are refused", () => {
    expect(() => encode(wire.poll, 1, { events_acked: -1 })).toThrow("does not fit");
    expect(() => encode(wire.poll, 1, { events_acked: 2 ** 32 })).toThrow("does not fit");
    expect(() => encode(wire.authBegin, 1, { nonce: [1, 2] })).toThrow("does not fit");
    expect(() => encode(wire.samples, 1, { start: 0, events_acked: 0, count: 1, code: new Uint8Array(245) })).toThrow("too long");
  });
});

describe("samples", () => {
  it.each(SAMPLE_CASES)("$name", ({ code, samples, valid }) => {
    if (valid) expect([...decodeSamples(fromHex(code), samples.length)]).toEqual(samples);
    else expect(() => decodeSamples(fromHex(code), samples.length)).toThrow();
  });

  it("of any bytes end, or are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: wire.MAX_SAMPLES }), (code, count) => {
        try {
          expect(decodeSamples(code, count)).toHaveLength(count);
        } catch (error) {
          expect((error as Error).constructor.name).toBe("WireError");
        }
      }),
    );
  });
});

it("keeps the printable text of a board", () => {
  const decoder = new FrameDecoder();
  decoder.feed(new TextEncoder().encode("Einthoven on host\r\nnot a medical device\r\n\0"));
  expect(decoder.text).toEqual(["Einthoven on host", "not a medical device"]);
  expect(decoder.rejectedFrames).toBe(0);
});
