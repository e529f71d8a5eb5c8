/**
 * A board's own signal as it comes: samples, what is missing of them, events (docs/SPEC.md, 5). What
 * the link loses is asked for again; what the ADC lost, or nobody fetched in time, is said.
 */
import * as wire from "../generated/wire";
import type { Fields } from "../wire/codec";
import { decodeSamples } from "../wire/samples";
import { Refusal, type Channel, type Unasked } from "./channel";

export type Beat = Fields<typeof wire.beat>;
export type Signal = Fields<typeof wire.signal>;
export type Rhythm = Fields<typeof wire.rhythm>;
type Trace = Fields<typeof wire.trace>;
type NumberedEvent = Exclude<Unasked, { type: "trace" }>;

/** Told in order. Indices count from the begin of a session. */
export interface Sink {
  began(session: number, at: number): void;
  samples(start: number, values: Int16Array): void;
  missing(start: number, count: number, by: "board" | "link"): void;
  beat(beat: Beat): void;
  signal(signal: Signal): void;
  rhythm(rhythm: Rhythm): void;
}

export const ACK_MS = 500;
const ACK_BLOCKS = 8;
const TRIES = 8;

export class Watcher {
  /** 0 while none has begun. */
  session = 0;
  /** Samples before it were told. */
  upcoming = 0;
  /** More will come, as far as the board has said. */
  running = false;
  private own = 0;
  private nextEvent = 0;
  private sinceAck = 0;
  private ackedAt = 0;
  private blocks = new Map<number, Trace>();
  private events = new Map<number, NumberedEvent>();

  constructor(
    private readonly channel: Channel,
    private readonly who: Fields<typeof wire.helloReply>,
    private readonly sink: Sink,
  ) {}

  /** Begins, or goes on after the link was lost. */
  async start(): Promise<void> {
    const reply = await this.request(false);
    if (!reply.runs && !(reply.session && reply.session === this.own)) await this.open();
    await this.acknowledge();
  }

  /** To be called often; asks when it is due. */
  async step(now: number): Promise<void> {
    if (this.blocks.size || this.events.size || this.sinceAck >= ACK_BLOCKS || now - this.ackedAt >= ACK_MS)
      await this.acknowledge();
  }

  /** A new session of the page's own, from its first sample on; what there is of an old one is ended. */
  async restart(): Promise<void> {
    await this.finish();
    await this.open();
    await this.acknowledge();
  }

  /** Ends the page's own session; its last events are told. Returns its number; 0: it was not ours. */
  async finish(): Promise<number> {
    if (!this.own || this.own !== this.session) return 0;
    await this.channel.request(wire.finish, wire.status, { samples: 0, events_acked: this.nextEvent });
    const ended = this.own;
    await this.acknowledge(ended);
    this.own = 0;
    return ended;
  }

  take(message: Unasked): void {
    if (message.type === "trace") {
      const block = message.fields;
      const begin = block.start - block.lost;
      if (block.session !== this.session) {
        if (begin < 0) return;
        this.begin(block.session, begin);
      }
      this.blocks.set(begin, block);
      this.sinceAck++;
    } else this.events.set(message.fields.number, message);
    this.sort();
  }

  private async open(): Promise<void> {
    this.own = 1 + Math.floor(Math.random() * (2 ** 32 - 2));
    this.blocks.clear();
    const { gain_lsb_per_mv, rail_lo, rail_hi } = this.who;
    const fields = { session: this.own, mode: wire.MODE.stream, gain_lsb_per_mv, rail_lo, rail_hi };
    await this.channel.request(wire.start, wire.status, fields);
    this.running = true;
    this.begin(this.own, 0);
  }

  private async request(on: boolean): Promise<Fields<typeof wire.watchReply>> {
    const { session, upcoming, nextEvent } = this;
    const fields = { on: Number(on), session, samples_acked: upcoming, events_acked: nextEvent };
    const reply = await this.channel.request(wire.watch, wire.watchReply, fields);
    this.ackedAt = performance.now();
    this.sinceAck = 0;
    this.running = reply.runs !== 0;
    return reply;
  }

  private async acknowledge(ending = 0): Promise<void> {
    for (let i = 0; i < TRIES; i++) {
      const acked = this.upcoming;
      const reply = await this.request(true);
      if (this.own && this.own !== ending && !reply.runs && reply.session !== this.own) {
        await this.open(); // the board was reset
        continue;
      }
      if (!reply.session) return; // of nothing yet
      // Not less than what has come by now: samples behind the reply may have been taken before it was looked at.
      if (reply.session !== this.session || reply.next_sample < acked) this.begin(reply.session, reply.first_sample);
      this.sort();
      this.skip(reply);
      if (this.upcoming >= reply.next_sample && !this.events.size) return;
    }
    throw new Refusal(0, "lossy");
  }

  private begin(session: number, at: number): void {
    this.session = session;
    this.upcoming = at;
    this.nextEvent = 0;
    this.events.clear();
    for (const [begin, block] of this.blocks) if (block.session !== session) this.blocks.delete(begin);
    this.sink.began(session, at);
  }

  /** Over what the board does not have any more. */
  private skip(reply: Fields<typeof wire.watchReply>): void {
    if (reply.first_sample > this.upcoming) {
      this.sink.missing(this.upcoming, reply.first_sample - this.upcoming, "link");
      this.upcoming = reply.first_sample;
    }
    this.nextEvent = Math.max(this.nextEvent, reply.first_event);
    this.sort();
  }

  private sort(): void {
    for (let block; (block = this.blocks.get(this.upcoming)); ) {
      this.blocks.delete(this.upcoming);
      if (block.lost) this.sink.missing(this.upcoming, block.lost, "board");
      if (block.count) this.sink.samples(block.start, decodeSamples(block.code, block.count));
      this.upcoming = block.start + block.count;
      if (!block.count && !block.lost) break;
    }
    for (const begin of this.blocks.keys()) if (begin <= this.upcoming) this.blocks.delete(begin);
    for (let event; this.session && (event = this.events.get(this.nextEvent)); this.nextEvent++) {
      this.events.delete(this.nextEvent);
      if (event.type === "beat") this.sink.beat(event.fields);
      else if (event.type === "signal") this.sink.signal(event.fields);
      else this.sink.rhythm(event.fields);
    }
    for (const number of this.events.keys()) if (number < this.nextEvent) this.events.delete(number);
  }
}
