/** What a device's log tells, as einthoven/device_log/description.py has it. */

/** A time of the device: starts counted from 1, and seconds since that start. */
export interface Moment {
  readonly boot: number;
  readonly seconds: number;
}

export interface Verdict {
  readonly verdict: number;
  readonly probability: number;
  readonly reasons: number;
  readonly ventricular: number;
  readonly supraventricular: number;
  readonly rate_bpm: number;
  readonly longest_ms: number;
}

export interface Strip {
  readonly name: string;
  readonly number: number;
  readonly at: Moment;
  /** Samples at the pipeline's rate; where they were lost, 0. */
  readonly samples: Int16Array;
  readonly gain: number;
  /** [first, number] of samples that cannot be read. */
  readonly lost: readonly (readonly [number, number])[];
  readonly complete: boolean;
  readonly verdict: Verdict | null;
  readonly beats: readonly { at: number; label: number; confidence: number; unsure: boolean }[];
}

export interface Minute {
  readonly at: Moment;
  readonly seconds: number;
  /** By AAMI class: N S V F Q. */
  readonly beats: readonly number[];
  readonly rrMeanMs: number | null;
  readonly readable: number;
  readonly leadOff: number;
  readonly alarm: number | null;
}

export interface LoggedEpisode {
  readonly kind: number;
  readonly begin: Moment;
  readonly end: Moment | null;
}

export interface Happening {
  readonly at: Moment;
  readonly event: number;
  readonly detail: number;
  readonly value: number;
  readonly batteryMv: number;
}

export interface TimeSet {
  readonly at: Moment;
  readonly unix: number;
}

export interface DeviceLog {
  readonly strips: readonly Strip[];
  readonly minutes: readonly Minute[];
  readonly episodes: readonly LoggedEpisode[];
  readonly happenings: readonly Happening[];
  readonly times: readonly TimeSet[];
  /** Bytes that are neither records nor erased, in pieces. */
  readonly damaged: number;
  /** Records of kinds that this page does not know. */
  readonly unknown: number;
}
