/**
 * Firmware that `einthoven page --firmware` has put into the page: a manifest and its images, as JSON
 * in an element that no browser runs (einthoven/fleet/page_images.py says what is in it).
 */
import { sha256 } from "@noble/hashes/sha2";
import { unzlibSync } from "fflate";

import { hex } from "../wire/codec";
import { FlashTrouble } from "./trouble";

const FORMAT = 1;

interface Common {
  readonly board: string;
  readonly title: string;
  readonly version: string;
  /** Of the image in the chip. */
  readonly address: number;
  readonly bytes: number;
  /** Of the image, in hex. */
  readonly sha256: string;
  /** Of the program as it lies in flash, which a UF2 file wraps: what the board itself says of it. */
  readonly program: { readonly bytes: number; readonly crc32: number };
  /** The image through zlib, in Base64. */
  readonly data: string;
}

/** Through the boot loader in an STM32's ROM. `device_id`: of the kind of chip, DBGMCU_IDCODE. */
export interface Stm32Image extends Common {
  readonly way: "stm32";
  readonly chip: string;
  readonly device_id: number;
}

/** Through the boot loader in an ESP32's ROM. `chip`: as esptool names it. */
export interface EspImage extends Common {
  readonly way: "esp";
  readonly chip: string;
}

/** By copying a UF2 file, which the image is, onto the `drive` that a Pico is. */
export interface Uf2Image extends Common {
  readonly way: "uf2";
  readonly drive: string;
}

export type Image = Stm32Image | EspImage | Uf2Image;

/** What the page carries; nothing unless it was made with `--firmware`. */
export function carried(): readonly Image[] {
  const text = document.getElementById("firmware")?.textContent;
  if (!text) return [];
  const manifest = JSON.parse(text) as { format: number; images: Image[] };
  return manifest.format === FORMAT ? manifest.images : [];
}

/** The image's bytes, held to its SHA-256. FlashTrouble: damaged. */
export function unpack(image: Image): Uint8Array {
  let bytes;
  try {
    bytes = unzlibSync(Uint8Array.from(atob(image.data), (letter) => letter.charCodeAt(0)));
  } catch {
    throw new FlashTrouble("damaged");
  }
  if (bytes.length !== image.bytes || hex(sha256(bytes)) !== image.sha256) throw new FlashTrouble("damaged");
  return bytes;
}
