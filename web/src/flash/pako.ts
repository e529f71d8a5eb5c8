/**
 * What esptool-js wants of the package pako, by fflate, which the page has anyway: 45 KB less
 * (web/vite.config.ts puts this in its place).
 */
import { Unzlib, zlibSync } from "fflate";

export function deflate(data: Uint8Array, { level }: { level: 9 }): Uint8Array {
  return zlibSync(data, { level });
}

/** Tells of each piece what it unpacks to: esptool-js has patience with a block by its size in flash. */
export class Inflate {
  onData: (chunk: Uint8Array) => void = () => undefined;
  private readonly stream = new Unzlib((chunk) => this.onData(chunk));

  push(chunk: Uint8Array, last: boolean): void {
    this.stream.push(chunk, last);
  }
}
