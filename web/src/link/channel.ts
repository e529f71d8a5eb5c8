/** Requests and replies over a link that loses things: sequence numbers, patience, repetitions. */
import * as wire from "../generated/wire";
import { decode, encode, FrameDecoder, WireError, type Fields, type Frame, type MessageType } from "../wire/codec";
import { LinkError, type Place, type Port } from "./port";

/** What comes without being asked for. */
const EVENTS = [wire.beat, wire.signal, wire.rhythm, wire.trace] as const;

type Told<M> = M extends MessageType ? { type: M["name"]; fields: Fields<M> } : never;
export type Unasked = Told<(typeof EVENTS)[number]>;

/** The board said no. `code`: of ERROR in wire.toml. */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    text: string,
  ) {
    super(text);
  }
}

const PATIENCE_MS = [500, 1000, 2000, 3000, 4000, 4000];

export class Channel {
  readonly decoder = new FrameDecoder();
  readonly statistics = { sent: 0, received: 0, repeated: 0 };
  private port: Port | null = null;
  private sequence = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private waiting: { sequence: number; take: (frame: Frame) => void; fail: (error: Error) => void } | null = null;

  constructor(
    private readonly place: Place,
    private readonly unasked: (message: Unasked) => void,
  ) {}

  /** Opens the link, and settles; `lost` when it goes. */
  async open(lost: () => void): Promise<void> {
    this.decoder.feed(Uint8Array.of(0));
    const port = await this.place.open((bytes) => this.take(bytes));
    this.port = port;
    void port.closed.then(() => {
      if (this.port === port) this.port = null;
      this.waiting?.fail(new LinkError("lost"));
      lost();
    });
  }

  async close(): Promise<void> {
    await this.port?.close();
  }

  /** The reply to a request, one at a time. Refusal, LinkError; `tries`: how often it is asked. */
  request<Q extends MessageType, R extends MessageType>(
    question: Q,
    reply: R,
    fields: Fields<Q>,
    tries = PATIENCE_MS.length,
  ): Promise<Fields<R>> {
    const mine = this.queue.then(() => this.ask(question, reply, fields, tries));
    this.queue = mine.catch(() => undefined);
    return mine;
  }

  /** Sends what is not answered. LinkError. */
  post<Q extends MessageType>(message: Q, fields: Fields<Q>): Promise<void> {
    const mine = this.queue.then(() => this.write(encode(message, 0, fields)));
    this.queue = mine.catch(() => undefined);
    return mine;
  }

  private async write(line: Uint8Array): Promise<void> {
    if (!this.port) throw new LinkError("lost");
    this.statistics.sent += line.length;
    await this.port.send(line).catch(() => {
      throw new LinkError("lost");
    });
  }

  private async ask<Q extends MessageType, R extends MessageType>(
    question: Q,
    reply: R,
    fields: Fields<Q>,
    tries: number,
  ): Promise<Fields<R>> {
    for (let i = 0; i < tries; i++) {
      if (i) this.statistics.repeated++;
      // A number of its own for each try: the reply to an earlier one is another's.
      this.sequence = (this.sequence % 255) + 1;
      const frame = await this.exchange(encode(question, this.sequence, fields), PATIENCE_MS[i] ?? 4000);
      if (!frame) continue;
      if (frame.code === wire.error.code) {
        const refused = decode(wire.error, frame.payload);
        throw new Refusal(refused.error, new TextDecoder().decode(refused.text));
      }
      if (frame.code === reply.code) {
        try {
          return decode(reply, frame.payload);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          this.decoder.rejectedFrames++;
        }
      }
    }
    throw new LinkError("silence");
  }

  private async exchange(line: Uint8Array, patience: number): Promise<Frame | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const answer = new Promise<Frame | null>((take, fail) => {
        this.waiting = { sequence: this.sequence, take, fail };
        timer = setTimeout(() => take(null), patience);
      });
      answer.catch(() => undefined); // if sending fails first, nobody waits for it
      await this.write(line);
      return await answer;
    } finally {
      clearTimeout(timer);
      this.waiting = null;
    }
  }

  private take(bytes: Uint8Array): void {
    this.statistics.received += bytes.length;
    for (const frame of this.decoder.feed(bytes)) {
      const event = EVENTS.find((m) => m.code === frame.code);
      if (event) {
        try {
          this.unasked({ type: event.name, fields: decode(event, frame.payload) });
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          this.decoder.rejectedFrames++;
        }
      } else if (frame.sequence === this.waiting?.sequence) this.waiting.take(frame);
    }
  }
}
