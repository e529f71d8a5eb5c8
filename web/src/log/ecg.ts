/** A strip's ECG without loss, as firmware/log/ein_log_ecg_read.c reads it (docs/log.md). */
import { WireError } from "../wire/codec";
import { Bits, int16 } from "../wire/samples";
import type { FieldsOf } from "./scan";

const TAPS = 4;
const BLOCK = 16;
const K_BITS = 4;
const STEP_Q12 = 16;
const MOST_Q12 = 12288;

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, -most), most);
}

/** The samples of a piece, fewer than its `samples` if the code is damaged. */
export function decodeEcg(fields: FieldsOf<"ecg">, code: Uint8Array): Int16Array {
  const samples = new Int16Array(fields.samples);
  if (!fields.samples) return samples;
  const weights = [fields.weight_1, fields.weight_2, fields.weight_3, fields.weight_4].map((w) => clamp(w * 128, MOST_Q12));
  const differences = new Array<number>(TAPS).fill(0);
  const bits = new Bits(code);
  let last = (samples[0] = fields.start);
  let k = 0;
  for (let i = 1; i < fields.samples; i++) {
    let folded;
    try {
      if ((i - 1) % BLOCK === 0) k = bits.take(K_BITS);
      let zeros = 0;
      while (!bits.bit()) zeros++;
      const low = bits.take(k);
      if (zeros > 0xffff >> k) return samples.slice(0, i);
      folded = (zeros << k) | low;
    } catch (error) {
      if (error instanceof WireError) return samples.slice(0, i);
      throw error;
    }
    const residual = int16(folded & 1 ? ~(folded >> 1) : folded >> 1);
    const sum = weights.reduce((total, weight, tap) => total + weight * differences[tap]!, 2048);
    const sample = int16(last + Math.floor(sum / 4096) + residual);
    const step = STEP_Q12 * Math.sign(residual);
    for (let tap = 0; tap < TAPS; tap++) weights[tap] = clamp(weights[tap]! + step * Math.sign(differences[tap]!), MOST_Q12);
    differences.unshift(clamp(sample - last, 32767));
    differences.pop();
    samples[i] = last = sample;
  }
  return samples;
}
