/** What o'clock a moment of the device was, where a host told it the time (einthoven/device_log/times.py). */
import type { Moment, TimeSet } from "./types";

export class Clock {
  constructor(private readonly settings: readonly TimeSet[]) {}

  /** Between two settings of a start drawn between them, else on from the nearest; null: not known. */
  at(moment: Moment): Date | null {
    const mine = this.settings.filter((s) => s.at.boot === moment.boot);
    if (!mine.length) return null;
    const before = mine.filter((s) => s.at.seconds <= moment.seconds).at(-1);
    const after = mine.find((s) => s.at.seconds > moment.seconds);
    if (before && after) {
      const clock = after.at.seconds - before.at.seconds;
      const truth = after.unix - before.unix;
      if (truth > 0 && Math.abs(clock / truth - 1) <= 1e-3)
        return new Date(1000 * (before.unix + ((moment.seconds - before.at.seconds) / clock) * truth));
    }
    const nearest = before ?? after!;
    return new Date(1000 * (nearest.unix + moment.seconds - nearest.at.seconds));
  }
}

/** `h:mm:ss`. */
export function hours(seconds: number): string {
  const s = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
