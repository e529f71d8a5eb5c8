/** The compact code of samples on the wire (docs/SPEC.md, section 5): an adaptive Rice code. */
import { WireError } from "./codec";

const A_START = 32;
const ESCAPE = 16;

/** Bits from the top of each byte on. */
export class Bits {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return 8 * this.bytes.length - this.at;
  }

  /** The next bit; WireError behind the end. */
  bit(): number {
    if (!this.left) throw new WireError("the code ends early");
    const bit = (this.bytes[this.at >> 3]! >> (7 - (this.at & 7))) & 1;
    this.at++;
    return bit;
  }

  take(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++) value = 2 * value + this.bit();
    return value;
  }
}

export function int16(value: number): number {
  return (value << 16) >> 16;
}

/** Exactly `count` samples; WireError if the code does not hold them. */
export function decodeSamples(code: Uint8Array, count: number): Int16Array {
  const samples = new Int16Array(count);
  const bits = new Bits(code);
  let a = A_START;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      samples[0] = bits.take(16);
      continue;
    }
    const k = 32 - Math.clz32(a >> 3);
    let q = 0;
    while (q < ESCAPE && bits.bit()) q++;
    const z = q === ESCAPE ? bits.take(16) : q * 2 ** k + bits.take(k);
    if (z > 0xffff) throw new WireError("a difference of more than 16 bits");
    a += z - (a >> 2);
    const d = z & 1 ? -((z + 1) >> 1) : z >> 1;
    const last = samples[i - 1]!;
    const before = i > 1 ? samples[i - 2]! : last;
    samples[i] = int16(last + ((last - before) >> 1) + d);
  }
  if (bits.left >= 8 || bits.take(bits.left)) throw new WireError("bits behind the last sample");
  return samples;
}
