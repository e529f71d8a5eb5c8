/** A serial line to a boot loader: so many bytes within so long. */
import { FlashTrouble } from "./trouble";

/** Errors of a Web Serial port after which it gives another stream and goes on. */
const PASSING = new Set(["BufferOverrunError", "BreakError", "FramingError", "ParityError"]);

export class Line {
  private buffer = new Uint8Array();
  private lost = false;
  private closing = false;
  private reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  private wake: () => void = () => undefined;
  private readonly over: Promise<void>;

  private constructor(private readonly port: SerialPort) {
    this.over = this.pump();
  }

  /** FlashTrouble: busy. */
  static async open(port: SerialPort, options: SerialOptions): Promise<Line> {
    try {
      await port.open(options);
    } catch (error) {
      throw new FlashTrouble("busy", { text: error instanceof Error ? error.message : "" });
    }
    return new Line(port);
  }

  /** FlashTrouble: lost. */
  async send(bytes: Uint8Array): Promise<void> {
    const writer = this.port.writable?.getWriter();
    if (!writer || this.lost) throw new FlashTrouble("lost");
    try {
      await writer.write(bytes);
    } catch {
      throw new FlashTrouble("lost");
    } finally {
      writer.releaseLock();
    }
  }

  /** The next `n` bytes; null if they do not come within `ms`. FlashTrouble: lost. */
  async take(n: number, ms: number): Promise<Uint8Array | null> {
    const end = performance.now() + ms;
    while (this.buffer.length < n) {
      if (this.lost) throw new FlashTrouble("lost");
      const left = end - performance.now();
      if (left <= 0) return null;
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        this.wake = () => (clearTimeout(timer), done());
      });
    }
    const found = this.buffer.slice(0, n);
    this.buffer = this.buffer.slice(n);
    return found;
  }

  /** Forgets what has come. */
  forget(): void {
    this.buffer = new Uint8Array();
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.reader?.cancel().catch(() => undefined);
    await this.over;
    await this.port.close().catch(() => undefined);
  }

  private async pump(): Promise<void> {
    while (this.port.readable && !this.closing) {
      const reader = (this.reader = this.port.readable.getReader());
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          const longer = new Uint8Array(this.buffer.length + value.length);
          longer.set(this.buffer);
          longer.set(value, this.buffer.length);
          this.buffer = longer;
          this.wake();
        }
        break;
      } catch (error) {
        if (!(error instanceof DOMException && PASSING.has(error.name))) break;
      } finally {
        reader.releaseLock();
      }
    }
    this.lost = true;
    this.wake();
  }
}
