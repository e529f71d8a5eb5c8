/** Both sides' proofs that they have a device's key (firmware/keys/ein_keys.h): keyed BLAKE2b. */
import { blake2b } from "@noble/hashes/blake2";

import * as wire from "../generated/wire";
import { Refusal, type Channel } from "./channel";

export const KEY_BYTES = 32;
const ID_BYTES = 24;
const encoder = new TextEncoder();

/** A key as a file of `einthoven keys` holds it; null if it is none. */
export function parseKey(text: string): Uint8Array | null {
  const digits = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) return null;
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export class Challenge {
  constructor(
    private readonly deviceId: string,
    private readonly hostNonce: Uint8Array,
    private readonly deviceNonce: Uint8Array,
  ) {}

  hostProof(key: Uint8Array): Uint8Array {
    return this.mac(key, "einthoven host 1");
  }

  deviceProof(key: Uint8Array): Uint8Array {
    return this.mac(key, "einthoven dev  1");
  }

  private mac(key: Uint8Array, purpose: string): Uint8Array {
    const message = new Uint8Array(16 + ID_BYTES + 64);
    message.set(encoder.encode(purpose));
    message.set(encoder.encode(this.deviceId).subarray(0, ID_BYTES), 16);
    message.set(this.hostNonce, 16 + ID_BYTES);
    message.set(this.deviceNonce, 16 + ID_BYTES + 32);
    return blake2b(message, { key, dkLen: 32 });
  }
}

/** What an attempt to open a device came to. */
export type Unlocked = "open" | "wrong" | "lost" | "impostor" | { waitMs: number };

/** Opens a device with its key. One that has none is open to all. */
export async function unlock(channel: Channel, serial: string, key: Uint8Array | null): Promise<Unlocked> {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  let reply;
  try {
    reply = await channel.request(wire.authBegin, wire.authChallenge, { nonce: Array.from(nonce) });
  } catch (error) {
    // A board that keeps no key has nothing to open.
    if (error instanceof Refusal && error.code === wire.ERROR.unknown_message) return "open";
    throw error;
  }
  if (reply.state === wire.KEY_STATE.none) return "open";
  if (reply.state === wire.KEY_STATE.lost) return "lost";
  if (!key) return "wrong";
  if (reply.wait_ms) return { waitMs: reply.wait_ms };
  const asked = new Challenge(serial, nonce, Uint8Array.from(reply.nonce));
  try {
    const proof = Array.from(asked.hostProof(key));
    const answer = await channel.request(wire.authProve, wire.authProof, { proof });
    const expected = asked.deviceProof(key);
    return expected.every((byte, i) => byte === answer.proof[i]) ? "open" : "impostor";
  } catch (error) {
    if (error instanceof Refusal && error.code === wire.ERROR.wrong_key) return "wrong";
    if (error instanceof Refusal && error.code === wire.ERROR.wait) return { waitMs: 1000 };
    throw error;
  }
}
