/**
 * The boot loader in an ESP32's ROM, by Espressif's esptool-js: it resets the chip by DTR and RTS,
 * puts its stub into the chip's RAM, writes through it, and has the chip compute an MD5.
 */
import { md5 } from "@noble/hashes/legacy";
import { ESPLoader, Transport } from "esptool-js";

import { hex } from "../wire/codec";
import type { EspImage } from "./images";
import { FlashTrouble, type Progress } from "./trouble";

const ROM_BAUD = 115200;
const BAUD = 460800;
/** The chips whose stub is in the page (web/vite.config.ts). */
export const CHIPS: readonly string[] = ["esp32", "esp32c3"];
const QUIET = { clean: () => undefined, write: () => undefined, writeLine: () => undefined };
const CLOSING_MS = 2000;

/** esptool-js's own, which tells the console what it does, and keeps a stream locked whose cable was pulled. */
class EspLine extends Transport {
  lost = false;

  override trace(): void {
    // A user has no use for it.
  }

  override async write(data: Uint8Array): Promise<void> {
    const writer = this.device.writable?.getWriter();
    try {
      if (!writer) throw new Error("closed");
      await writer.write(this.slipWriter(data));
    } catch (error) {
      this.lost = true;
      throw error;
    } finally {
      writer?.releaseLock();
    }
  }
}

/** What a failure of esptool-js means; `begun`: the chip had answered. */
function meaning(error: unknown, line: EspLine, begun: boolean): FlashTrouble {
  if (error instanceof FlashTrouble) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes("MD5 of file does not match")) return new FlashTrouble("unverified");
  if (begun && (line.lost || /data stream stopped|No serial data received|device has been lost/.test(text))) return new FlashTrouble("lost");
  if (error instanceof DOMException) return new FlashTrouble("busy", { text });
  if (!begun) return new FlashTrouble("absent");
  return new FlashTrouble("failed", { text });
}

/** Writes the image, verifies it, and restarts the chip. FlashTrouble. */
export async function flashEsp(port: SerialPort, image: EspImage, content: Uint8Array, told: Progress): Promise<void> {
  if (!CHIPS.includes(image.chip)) throw new FlashTrouble("unknownChip", { chip: image.chip });
  const line = new EspLine(port);
  const loader = new ESPLoader({ transport: line, baudrate: BAUD, romBaudrate: ROM_BAUD, terminal: QUIET });
  let begun = false;
  try {
    told("connecting", 0);
    await loader.detectChip();
    begun = true;
    const there = loader.chip.CHIP_NAME;
    if (there.toLowerCase().replaceAll("-", "") !== image.chip) throw new FlashTrouble("wrongChip", { there, wanted: image.chip });
    if (loader.secureDownloadMode) throw new FlashTrouble("locked");
    await loader.runStub();
    await loader.changeBaud();
    told("writing", 0);
    await loader.writeFlash({
      fileArray: [{ data: content, address: image.address }],
      flashMode: "keep",
      flashFreq: "keep",
      flashSize: "keep",
      eraseAll: false,
      compress: true,
      reportProgress: (_, written, total) => told(written < total ? "writing" : "verifying", written < total ? written / total : 0),
      calculateMD5Hash: (bytes) => hex(md5(bytes)),
    });
    // esptool-js 0.7.0 lets go of EN, which hangs on RTS, without having held it.
    await line.setDTR(false);
    await line.setRTS(true);
    await loader.after("hard_reset");
  } catch (error) {
    throw meaning(error, line, begun);
  } finally {
    // One whose cable was pulled may never close.
    await Promise.race([line.disconnect().catch(() => undefined), new Promise((done) => setTimeout(done, CLOSING_MS))]);
  }
}
