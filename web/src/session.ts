/** A board that is spoken to: connects, watches, comes back after a pulled cable, makes strips. */
import * as wire from "./generated/wire";
import { FLAGS, RATE_HZ, STRIP_S } from "./generated/tables";
import { Channel, Refusal } from "./link/channel";
import { unlock, type Unlocked } from "./link/keys";
import { LinkError, wait, type Place } from "./link/port";
import { Watcher, type Beat, type Rhythm, type Signal, type Sink } from "./link/watcher";
import { lastOf } from "./log/scan";
import type { Verdict } from "./log/types";
import { MISSING, Trace } from "./signal/trace";
import type { Fields } from "./wire/codec";

export type Hello = Fields<typeof wire.helloReply>;
export type Info = Fields<typeof wire.infoReply>;
export type DeviceStatus = Fields<typeof wire.deviceStatusReply>;

/** What went wrong: a key of the strings, with the board's own words where it has some. */
export interface Problem {
  readonly what: "busy" | "silent" | "version" | "lossy" | "refused" | "unwatchable";
  readonly text: string;
}

/** A strip of 30 s, and what the board says of it. */
export interface StripResult {
  readonly samples: Int16Array;
  /** Samples of the strip, not of the time line. */
  readonly beats: readonly { at: number; label: number; confidence: number; unsure: boolean }[];
  /** null: it was cut off. */
  readonly verdict: Verdict | null;
  readonly gain: number;
  /** [first, number] of samples that never came. */
  readonly lost: readonly (readonly [number, number])[];
  readonly begun: Date;
}

const STEP_MS = 100;
const STATUS_MS = 1000;
const LOG_TAIL = 240;
const LOG_TRIES = 30;
const NOT_YOURS = new Set<number>([wire.ERROR.unknown_message]);

/** Events: "link" (state, board, problem), "live" (signal), "strip". */
export class Session extends EventTarget implements Sink {
  state: "none" | "opening" | "open" | "lost" = "none";
  problem: Problem | null = null;
  hello: Hello | null = null;
  info: Info | null = null;
  /** null: the board does nothing alone. */
  device: DeviceStatus | null = null;
  /** The signal belongs to a patient, and the device wants its key. */
  locked = false;
  key: Uint8Array | null = null;
  trace = new Trace();
  flags = 0;
  strip: { seconds: number; waiting: boolean } | null = null;
  result: StripResult | null = null;
  channel: Channel | null = null;
  private place: Place | null = null;
  private watcher: Watcher | null = null;
  private stripSession = -1;
  private stripSeen = false;
  private paused = false;
  /** What the loop is at: it may be just beginning a session. */
  private stepping: Promise<void> = Promise.resolve();
  private stripBegun = new Date();
  private turn = 0;

  get classes(): string[] {
    return this.hello ? this.hello.classes.split(",") : [];
  }

  /** Mean of the last eight RR intervals; null where there are none. */
  get rate(): number | null {
    const last = this.trace.beats.slice(-8).filter((beat) => beat.rr);
    const beat = last.at(-1);
    if (!beat || this.trace.end - beat.at > 5 * RATE_HZ) return null;
    return (60 * RATE_HZ * last.length) / last.reduce((sum, b) => sum + b.rr, 0);
  }

  async connect(place: Place): Promise<void> {
    await this.disconnect();
    this.place = place;
    this.trace = new Trace();
    this.key = null;
    this.result = null;
    await this.open(++this.turn);
  }

  async disconnect(): Promise<void> {
    this.turn++;
    const channel = this.channel;
    if (channel && this.state === "open" && !this.locked) await this.watcher?.finish().catch(() => undefined);
    this.place = this.channel = this.watcher = null;
    this.hello = this.info = this.device = this.problem = this.strip = null;
    this.locked = false;
    this.flags = 0;
    this.change("none");
    await channel?.close();
  }

  /** Opens the device with its key; what was locked goes on by itself. */
  async unlock(key: Uint8Array | null): Promise<Unlocked> {
    const { channel, hello } = this;
    if (!channel || !hello) throw new LinkError("lost");
    const done = await unlock(channel, hello.serial, key);
    if (done === "open") {
      this.key = key;
      this.locked = false;
      this.told("link");
    }
    return done;
  }

  /** Asks the board; a device that has closed itself meanwhile is opened again with the key in use. */
  async keyed<T>(ask: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = this.channel;
    if (!channel) throw new LinkError("lost");
    try {
      return await ask(channel);
    } catch (error) {
      if (!(error instanceof Refusal && error.code === wire.ERROR.locked)) throw error;
      if (!this.key || (await this.unlock(this.key)) !== "open") {
        this.locked = true;
        this.told("link");
        throw error;
      }
      return ask(channel);
    }
  }

  /** Begins a strip: the device's own, which its log keeps, or a session of the page's. */
  async makeStrip(): Promise<void> {
    if (this.strip || !this.watcher) return;
    this.result = null;
    this.stripSession = 0;
    this.stripSeen = false;
    this.strip = { seconds: 0, waiting: true };
    this.told("strip");
    try {
      if (this.device) {
        await this.watcher.finish();
        await this.setMode(wire.DEVICE_MODE.strip);
      } else await this.watcher.restart();
    } catch (error) {
      this.strip = null;
      this.fail(error);
    }
    this.told("strip");
  }

  async cancelStrip(): Promise<void> {
    if (!this.strip) return;
    this.strip = null;
    this.told("strip");
    if (this.device) await this.setMode(wire.DEVICE_MODE.ready);
  }

  async setMode(mode: number): Promise<void> {
    this.device = await this.keyed((c) => c.request(wire.deviceMode, wire.deviceStatusReply, { mode }));
    this.told("link");
  }

  /** Does what a board refuses while it records: the page's own session ends before. */
  async undisturbed<T>(act: () => Promise<T>): Promise<T> {
    this.paused = true;
    try {
      await this.stepping;
      await this.watcher?.finish();
      return await act();
    } finally {
      this.paused = false;
    }
  }

  /** The same, and the signal goes on afterwards. */
  async interrupted<T>(act: () => Promise<T>): Promise<T> {
    return this.undisturbed(async () => {
      const done = await act();
      await this.watcher?.start();
      return done;
    });
  }

  /** What it was told to start is started; the link may go meanwhile. */
  async restartBoard(): Promise<void> {
    // Not answered: what is asked for is the silence.
    await this.channel?.request(wire.reset, wire.status, {}, 1).catch(() => undefined);
  }

  // ---- what the watcher tells ----

  began(session: number, at: number): void {
    this.trace.begin(at);
    this.flags = 0;
    if (this.strip && this.stripSession === 0) {
      this.stripSession = session;
      this.stripBegun = new Date();
      this.strip = { seconds: 0, waiting: false };
    }
    this.told("live");
  }

  samples(_start: number, values: Int16Array): void {
    this.trace.append(values);
    this.told("live");
  }

  missing(_start: number, count: number): void {
    this.trace.skip(count);
    this.told("live");
  }

  beat(beat: Beat): void {
    this.trace.beats.push({
      at: this.trace.place(beat.t_samples),
      label: beat.label,
      confidence: beat.confidence / 255,
      unsure: beat.unsure !== 0,
      rr: beat.flags & FLAGS.break ? 0 : beat.rr_prev_samples,
    });
    this.told("beat");
  }

  signal(signal: Signal): void {
    this.flags = signal.flags;
    this.told("live");
  }

  rhythm(rhythm: Rhythm): void {
    const begin = this.trace.place(rhythm.begin_samples);
    const end = rhythm.phase === wire.RHYTHM_PHASE.end ? this.trace.place(rhythm.end_samples) : null;
    const known = this.trace.episodes.find((e) => e.kind === rhythm.kind && e.begin === begin);
    if (known) known.end = end;
    else this.trace.episodes.push({ kind: rhythm.kind, begin, end });
    this.told("live");
  }

  // ---- the link ----

  private async open(turn: number): Promise<void> {
    const place = this.place!;
    this.problem = null;
    if (this.state !== "lost") this.change("opening");
    const channel = new Channel(place, (message) => this.watcher?.take(message));
    try {
      await channel.open(() => void this.lost(turn, channel));
    } catch (error) {
      if (turn !== this.turn) return;
      const text = error instanceof LinkError ? error.message : "";
      return this.state === "lost" ? this.again(turn) : this.failed({ what: "busy", text });
    }
    if (turn !== this.turn) return channel.close();
    this.channel = channel;
    try {
      const hello = await channel.request(wire.hello, wire.helloReply, { protocol: wire.VERSION });
      if (hello.protocol !== wire.VERSION) {
        this.hello = hello;
        return await this.failed({ what: "version", text: `${hello.protocol} ≠ ${wire.VERSION}` });
      }
      const same = this.hello?.serial === hello.serial && this.hello.board === hello.board && this.watcher;
      this.hello = hello;
      this.device = await this.deviceStatus(channel);
      const session = same ? same.session : 0;
      const upcoming = same ? same.upcoming : 0;
      this.watcher = new Watcher(channel, hello, this);
      this.watcher.session = session;
      this.watcher.upcoming = upcoming;
      this.change("open");
      void this.run(turn, channel);
    } catch (error) {
      if (turn !== this.turn || this.channel !== channel) return;
      if (this.state === "lost") {
        this.channel = null; // it has not started yet
        await channel.close();
        return this.again(turn);
      }
      const text = channel.decoder.text.at(-1) ?? "";
      await this.failed({ what: error instanceof Refusal ? "refused" : "silent", text });
    }
  }

  private async run(turn: number, channel: Channel): Promise<void> {
    let started = false;
    let asked = 0;
    while (turn === this.turn && this.channel === channel) {
      let stepped!: () => void;
      this.stepping = new Promise((resolve) => (stepped = resolve));
      try {
        if (this.paused) {
          // Something else has the board.
        } else if (this.locked) await this.unlockAgain();
        else if (!started) {
          if (this.key) await this.unlock(this.key);
          await this.watcher!.start();
          started = true;
        } else if (!this.watcher!.running && !this.strip && this.device?.mode === wire.DEVICE_MODE.ready)
          await this.watcher!.start(); // its own recording is over
        else await this.watcher!.step(performance.now());
        if (performance.now() - asked > STATUS_MS) {
          this.info = await channel.request(wire.info, wire.infoReply, {});
          if (this.device) this.device = await this.deviceStatus(channel);
          asked = performance.now();
          this.told("link");
        }
        await this.stepStrip();
      } catch (error) {
        if (turn !== this.turn || this.channel !== channel) return;
        if (error instanceof Refusal && error.code === wire.ERROR.locked) {
          this.locked = true;
          started = false;
          this.told("link");
        } else if (error instanceof Refusal && error.code === wire.ERROR.busy) {
          // A device that records something else: seen again in a moment.
        } else return this.fail(error);
      } finally {
        stepped();
      }
      await wait(STEP_MS);
    }
  }

  private async unlockAgain(): Promise<void> {
    if (this.key && (await this.unlock(this.key)) !== "open") this.key = null;
  }

  private async deviceStatus(channel: Channel): Promise<DeviceStatus | null> {
    try {
      return await channel.request(wire.deviceStatus, wire.deviceStatusReply, {});
    } catch (error) {
      if (error instanceof Refusal && NOT_YOURS.has(error.code)) return null;
      throw error;
    }
  }

  private async stepStrip(): Promise<void> {
    const { strip, watcher } = this;
    if (!strip || !watcher) return;
    if (this.device?.mode === wire.DEVICE_MODE.strip) this.stripSeen = true;
    if (this.stripSeen && strip.waiting && this.device?.mode === wire.DEVICE_MODE.ready) {
      this.strip = null; // nobody touched the electrodes for a minute
      return this.told("strip");
    }
    if (strip.waiting || this.stripSession !== watcher.session) return;
    const length = STRIP_S * RATE_HZ;
    const seconds = Math.min(watcher.upcoming / RATE_HZ, STRIP_S);
    if (seconds !== strip.seconds) {
      this.strip = { seconds, waiting: false };
      this.told("strip");
    }
    if (watcher.upcoming < length || (this.device?.mode === wire.DEVICE_MODE.strip && this.device.verdict === 255)) return;
    const verdict = this.device ? await this.loggedVerdict() : await this.askedVerdict(watcher);
    this.result = this.cut(length, verdict);
    this.strip = null;
    this.told("strip");
    if (!this.device) await watcher.restart();
  }

  private async askedVerdict(watcher: Watcher): Promise<Verdict | null> {
    await watcher.finish();
    const verdict = await this.keyed((c) => c.request(wire.verdict, wire.verdictReply, {}));
    return verdict.session === this.stripSession ? verdict : null;
  }

  /** Of the device's own strip: it stands at the log's end, when it has been written. */
  private async loggedVerdict(): Promise<Verdict | null> {
    for (let i = 0; i < LOG_TRIES; i++) {
      const end = await this.keyed((c) => c.request(wire.logStatus, wire.logStatusReply, {}));
      const offset = Math.max(end.next_offset - LOG_TAIL, 0);
      const place = { log_sequence: end.next_sequence, offset, most: LOG_TAIL };
      const tail = await this.keyed((c) => c.request(wire.logRead, wire.logBytes, place));
      const strip = lastOf("strip", tail.log_sequence, tail.offset, tail.bytes);
      if (strip?.verdict === this.device?.verdict) return strip;
      await wait(STEP_MS);
    }
    return null;
  }

  private cut(length: number, verdict: Verdict | null): StripResult {
    const first = this.trace.place(0);
    const samples = Int16Array.from({ length }, (_, i) => this.trace.at(first + i));
    const lost: [number, number][] = [];
    samples.forEach((value, i) => {
      if (value !== MISSING) return;
      samples[i] = 0;
      const last = lost.at(-1);
      if (last && last[0] + last[1] === i) last[1]++;
      else lost.push([i, 1]);
    });
    const inside = this.trace.beats.filter((b) => b.at >= first && b.at < first + length);
    const beats = inside.map((b) => ({ ...b, at: b.at - first }));
    return { samples, beats, verdict, lost, gain: this.hello!.gain_lsb_per_mv, begun: this.stripBegun };
  }

  private async lost(turn: number, channel: Channel): Promise<void> {
    if (turn !== this.turn || (this.channel !== channel && this.channel)) return;
    if (this.state !== "open") return;
    this.channel = null;
    this.strip = null;
    this.locked = false;
    this.change("lost");
    this.told("strip");
    await this.again(turn);
  }

  private async again(turn: number): Promise<void> {
    await this.place!.back();
    if (turn === this.turn) await this.open(turn);
  }

  private fail(error: unknown): void {
    if (error instanceof LinkError && error.message === "lost") return; // `lost` knows
    if (error instanceof LinkError) void this.failed({ what: "silent", text: this.channel?.decoder.text.at(-1) ?? "" });
    else if (error instanceof Refusal) {
      const what = error.code === 0 ? "lossy" : error.code === wire.ERROR.unknown_message ? "unwatchable" : "refused";
      void this.failed({ what, text: error.code ? error.message : "" });
    } else throw error;
  }

  private async failed(problem: Problem): Promise<void> {
    const channel = this.channel;
    this.turn++;
    this.channel = this.watcher = null;
    this.strip = null;
    this.problem = problem;
    this.change("none");
    await channel?.close();
  }

  private change(state: Session["state"]): void {
    this.state = state;
    this.told("link");
  }

  private told(what: "link" | "live" | "beat" | "strip"): void {
    this.dispatchEvent(new Event(what));
  }
}
