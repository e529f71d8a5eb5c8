/**
 * The boot loader in an STM32's ROM, over Web Serial: ST's AN3155, "USART protocol used in the STM32
 * bootloader". 8 data bits, even parity; the first byte tells the ROM the speed. Every command is a
 * code and its complement; what follows carries the XOR of its bytes.
 */
import type { Stm32Image } from "./images";
import { Line } from "./line";
import { FlashTrouble, type Progress } from "./trouble";

const ACK = 0x79;
const NACK = 0x1f;
const AUTOBAUD = 0x7f;
const COMMAND = { get: 0x00, id: 0x02, read: 0x11, go: 0x21, write: 0x31, erase: 0x43, extendedErase: 0x44 } as const;
const BAUD = 115200;
const AUTOBAUD_TRIES = 4;
const ANSWER_MS = 1000;
/** Of a whole chip: STM32F405, 16 s typical, 32 s at most (data sheet). */
const ERASE_MS = 40_000;
/** At most, of one Write or Read (AN3155, 3.4 and 3.6). */
const BLOCK = 256;

function xor(bytes: Iterable<number>): number {
  let sum = 0;
  for (const byte of bytes) sum ^= byte;
  return sum;
}

class Loader {
  constructor(private readonly line: Line) {}

  /** Makes the ROM listen. One that has been spoken to before answers NACK to the second such byte. FlashTrouble: absent. */
  async begin(): Promise<void> {
    for (let i = 0; i < AUTOBAUD_TRIES; i++) {
      this.line.forget();
      await this.line.send(Uint8Array.of(AUTOBAUD));
      const answer = await this.line.take(1, ANSWER_MS / 2);
      if (answer && (answer[0] === ACK || answer[0] === NACK)) return;
    }
    throw new FlashTrouble("absent");
  }

  /** The commands that it knows. */
  async commands(): Promise<Set<number>> {
    await this.command(COMMAND.get);
    const [count] = await this.bytes(1);
    const told = await this.bytes(count! + 1); // behind the protocol's version
    await this.acknowledged(ANSWER_MS);
    return new Set(told.subarray(1));
  }

  /** Which kind of chip it is: DBGMCU_IDCODE. */
  async deviceId(): Promise<number> {
    await this.command(COMMAND.id);
    const [last] = await this.bytes(1);
    const id = (await this.bytes(last! + 1)).reduce((sum, byte) => sum * 256 + byte, 0);
    await this.acknowledged(ANSWER_MS);
    return id;
  }

  /** All of the flash. */
  async erase(extended: boolean): Promise<void> {
    await this.command(extended ? COMMAND.extendedErase : COMMAND.erase);
    await this.line.send(extended ? Uint8Array.of(0xff, 0xff, 0x00) : Uint8Array.of(0xff, 0x00));
    await this.acknowledged(ERASE_MS);
  }

  /** 4 to 256 bytes, whole words. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.command(COMMAND.write);
    await this.address(address);
    const counted = Uint8Array.of(bytes.length - 1, ...bytes);
    await this.line.send(Uint8Array.of(...counted, xor(counted)));
    await this.acknowledged(ANSWER_MS);
  }

  async read(address: number, count: number): Promise<Uint8Array> {
    await this.command(COMMAND.read);
    await this.address(address);
    await this.line.send(Uint8Array.of(count - 1, (count - 1) ^ 0xff));
    await this.acknowledged(ANSWER_MS);
    return this.bytes(count);
  }

  /** Starts the program whose vector table is there. */
  async go(address: number): Promise<void> {
    await this.command(COMMAND.go);
    await this.address(address);
  }

  /** A chip with read-out protection refuses these commands themselves. FlashTrouble: locked. */
  private async command(code: number): Promise<void> {
    await this.line.send(Uint8Array.of(code, code ^ 0xff));
    if ((await this.bytes(1))[0] !== ACK) throw new FlashTrouble("locked");
  }

  private async address(address: number): Promise<void> {
    const bytes = Uint8Array.of(address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff);
    await this.line.send(Uint8Array.of(...bytes, xor(bytes)));
    await this.acknowledged(ANSWER_MS);
  }

  private async acknowledged(ms: number): Promise<void> {
    const answer = await this.line.take(1, ms);
    if (!answer) throw new FlashTrouble("lost");
    if (answer[0] !== ACK) throw new FlashTrouble("failed", { text: "NACK" });
  }

  private async bytes(n: number): Promise<Uint8Array> {
    const found = await this.line.take(n, ANSWER_MS);
    if (!found) throw new FlashTrouble("lost");
    return found;
  }
}

/** Writes the image, reads it back, and starts it. FlashTrouble. */
export async function flashStm32(port: SerialPort, image: Stm32Image, content: Uint8Array, told: Progress): Promise<void> {
  const line = await Line.open(port, { baudRate: BAUD, dataBits: 8, stopBits: 1, parity: "even" });
  try {
    const loader = new Loader(line);
    told("connecting", 0);
    await loader.begin();
    const commands = await loader.commands();
    const id = await loader.deviceId();
    if (id !== image.device_id) throw new FlashTrouble("wrongChip", { there: `0x${id.toString(16)}`, wanted: `${image.chip} (0x${image.device_id.toString(16)})` });
    told("erasing", 0);
    await loader.erase(commands.has(COMMAND.extendedErase));
    const whole = new Uint8Array(Math.ceil(content.length / 4) * 4).fill(0xff);
    whole.set(content);
    for (let at = 0; at < whole.length; at += BLOCK) {
      told("writing", at / whole.length);
      await loader.write(image.address + at, whole.subarray(at, at + BLOCK));
    }
    for (let at = 0; at < whole.length; at += BLOCK) {
      told("verifying", at / whole.length);
      const wanted = whole.subarray(at, at + BLOCK);
      const found = await loader.read(image.address + at, wanted.length);
      if (found.some((byte, i) => byte !== wanted[i])) throw new FlashTrouble("unverified");
    }
    await loader.go(image.address);
  } finally {
    await line.close();
  }
}
