/** The newest ten minutes of a board's signal and what was told of it, on one time line. */
import { RATE_HZ } from "../generated/tables";

export const MISSING = -32768;
export const HISTORY_S = 600;
const BREAK = RATE_HZ / 2;

export interface MarkedBeat {
  /** Sample on the time line, of R. */
  readonly at: number;
  /** Index in the board's classes. */
  readonly label: number;
  /** 0 to 1. */
  readonly confidence: number;
  readonly unsure: boolean;
  /** Samples since the beat before; 0: not known. */
  readonly rr: number;
}

export interface Episode {
  readonly kind: number;
  readonly begin: number;
  end: number | null;
}

export class Trace {
  /** Samples on the time line so far; those before `end - length` are forgotten. */
  end = 0;
  beats: MarkedBeat[] = [];
  episodes: Episode[] = [];
  private readonly ring: Int16Array;
  private origin = 0;

  constructor(readonly length = HISTORY_S * RATE_HZ) {
    this.ring = new Int16Array(length).fill(MISSING);
  }

  get first(): number {
    return Math.max(0, this.end - this.length);
  }

  at(index: number): number {
    return index < this.first || index >= this.end ? MISSING : this.ring[index % this.length]!;
  }

  /** A session whose sample `at` comes next: half a second of nothing parts it from the one before. */
  begin(at: number): void {
    if (this.end) this.skip(BREAK);
    for (const episode of this.episodes) episode.end ??= this.end;
    this.origin = this.end - at;
  }

  append(values: Int16Array): void {
    for (const value of values) this.ring[this.end++ % this.length] = value === MISSING ? MISSING + 1 : value;
    this.forget();
  }

  skip(count: number): void {
    if (count >= this.length) {
      this.ring.fill(MISSING);
      this.end += count;
    } else for (let i = 0; i < count; i++) this.ring[this.end++ % this.length] = MISSING;
    this.forget();
  }

  /** From a session's index to the time line. */
  place(index: number): number {
    return index + this.origin;
  }

  private forget(): void {
    const first = this.first;
    if (this.beats.length && this.beats[0]!.at < first) this.beats = this.beats.filter((b) => b.at >= first);
    if (this.episodes.length && (this.episodes[0]!.end ?? this.end) < first)
      this.episodes = this.episodes.filter((e) => (e.end ?? this.end) >= first);
  }
}
