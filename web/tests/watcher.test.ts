/** What a watcher makes of replies and samples that come in one piece, as they do when a page is slow. */
import { expect, test } from "vitest";

import * as wire from "../src/generated/wire";
import { Channel } from "../src/link/channel";
import type { Place } from "../src/link/port";
import { Watcher, type Sink } from "../src/link/watcher";
import { decode, encode, FrameDecoder } from "../src/wire/codec";

const HELLO = { gain_lsb_per_mv: 200, rail_lo: -2048, rail_hi: 2047 } as never;
const STEP = 10;

/** A board whose ADC loses all that it takes; `STEP` samples lie right behind each reply to `watch`. */
class Board implements Place {
  session = 0;
  next = 0;

  open(take: (bytes: Uint8Array) => void) {
    const decoder = new FrameDecoder();
    const send = (bytes: Uint8Array): Promise<void> => {
      for (const { code, sequence, payload } of decoder.feed(bytes)) take(this.answer(code, sequence, payload));
      return Promise.resolve();
    };
    return Promise.resolve({ closed: new Promise<void>(() => undefined), send, close: () => Promise.resolve() });
  }

  back(): Promise<void> {
    return Promise.resolve();
  }

  private answer(code: number, sequence: number, payload: Uint8Array): Uint8Array {
    if (code === wire.start.code) {
      this.session = decode(wire.start, payload).session;
      this.next = 0;
      const none = { next_sample: 0, next_event: 0, credit_bytes: 0, waiting_events: 0, flags: 0 };
      return encode(wire.status, sequence, { session: this.session, ...none });
    }
    const events = { first_event: 0, next_event: 0 };
    const reply = { session: this.session, runs: Number(this.session !== 0), first_sample: 0, next_sample: this.next, ...events };
    const told = encode(wire.watchReply, sequence, reply);
    if (!this.session) return told;
    this.next += STEP;
    const trace = encode(wire.trace, 0, { session: this.session, start: this.next, lost: STEP, count: 0, code: new Uint8Array() });
    return Uint8Array.of(...told, ...trace);
  }
}

test("samples behind a reply do not begin the session again; a board that was reset does", async () => {
  const told: string[] = [];
  const nothing = () => undefined;
  const sink: Sink = {
    began: (_, at) => told.push(`begin ${at}`),
    missing: (start, count) => told.push(`${start} + ${count}`),
    ...{ samples: nothing, beat: nothing, signal: nothing, rhythm: nothing },
  };
  const board = new Board();
  let watcher: Watcher | null = null;
  const channel = new Channel(board, (message) => watcher?.take(message));
  await channel.open(nothing);
  watcher = new Watcher(channel, HELLO, sink);
  await watcher.start();
  for (let i = 1; i <= 3; i++) await watcher.step(1000 * i + performance.now());
  expect(told).toEqual(["begin 0", "0 + 10", "10 + 10", "20 + 10", "30 + 10"]);
  board.next = 0; // the same number, from the first sample on
  await watcher.step(10_000 + performance.now());
  expect(told.slice(5)).toEqual(["begin 0"]);
});
