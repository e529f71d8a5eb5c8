/** A byte link to a board: Web Serial, or the WebSocket of `einthoven serve`. */

export class LinkError extends Error {}

/** An open link. `closed` settles once, when it has gone for whatever reason. */
export interface Port {
  readonly closed: Promise<void>;
  send(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Where a board is, so that it can be opened again when it comes back. */
export interface Place {
  /** Opens it; LinkError if it is not there, or somebody else has it. */
  open(take: (bytes: Uint8Array) => void): Promise<Port>;
  /** Settles when it may be worth to try again. */
  back(): Promise<void>;
}

export const BAUDS = [115200, 230400, 460800, 921600] as const;
const AGAIN_MS = 1000;

export function wait(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

export function hasSerial(): boolean {
  return "serial" in navigator;
}

/** A serial port that the user has allowed. One that was unplugged comes back as another object. */
export class SerialPlace implements Place {
  constructor(
    private port: SerialPort,
    private readonly baud: number,
  ) {}

  async open(take: (bytes: Uint8Array) => void): Promise<Port> {
    const port = this.port;
    try {
      // Room for a hidden page, whose timers are slow.
      await port.open({ baudRate: this.baud, bufferSize: 16384 });
    } catch (error) {
      throw new LinkError(error instanceof Error ? error.message : String(error));
    }
    const reader = port.readable!.getReader();
    const writer = port.writable!.getWriter();
    const closed = (async () => {
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          take(value);
        }
      } catch {
        // Unplugged, or framing errors at a wrong baud rate: either way it is over.
      }
      reader.releaseLock();
      writer.releaseLock();
      await port.close().catch(() => undefined);
    })();
    return {
      closed,
      send: (bytes) => writer.write(bytes),
      close: async () => {
        await reader.cancel().catch(() => undefined);
        await closed;
      },
    };
  }

  async back(): Promise<void> {
    const wanted = JSON.stringify(this.port.getInfo());
    for (;;) {
      const ports = await navigator.serial.getPorts();
      const alike = ports.filter((port) => JSON.stringify(port.getInfo()) === wanted);
      const there = alike.find((port) => port === this.port) ?? alike[0];
      if (there) {
        this.port = there;
        return wait(AGAIN_MS / 4);
      }
      await wait(AGAIN_MS);
    }
  }
}

/** The WebSocket of `einthoven serve` on the page's own origin. */
export class SocketPlace implements Place {
  constructor(private readonly url: string) {}

  open(take: (bytes: Uint8Array) => void): Promise<Port> {
    return new Promise((done, fail) => {
      const socket = new WebSocket(this.url);
      socket.binaryType = "arraybuffer";
      const closed = new Promise<void>((over) => {
        socket.onclose = (event) => {
          over();
          fail(new LinkError(event.reason));
        };
      });
      socket.onmessage = (event: MessageEvent<unknown>) => {
        if (event.data instanceof ArrayBuffer) take(new Uint8Array(event.data));
      };
      socket.onopen = () =>
        done({
          closed,
          send: (bytes) => {
            if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new LinkError("closed"));
            socket.send(bytes);
            return Promise.resolve();
          },
          close: async () => {
            socket.close();
            await closed;
          },
        });
    });
  }

  back(): Promise<void> {
    return wait(AGAIN_MS);
  }
}

/** The socket that this page was served with, by the token in its address; null if by none. */
export function servedPlace(): SocketPlace | null {
  if (!location.protocol.startsWith("http")) return null;
  const given = new URLSearchParams(location.hash.slice(1)).get("token") ?? new URLSearchParams(location.search).get("token");
  if (!given) return null;
  const url = new URL("/link", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ token: given }).toString();
  url.hash = "";
  return new SocketPlace(url.href);
}
