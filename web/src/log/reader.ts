/** Records put together to what they tell, as einthoven/device_log/reader.py does it. */
import { LOG_EVENTS, LOG_KINDS, RATE_HZ } from "../generated/tables";
import { decodeEcg } from "./ecg";
import { rest, scan, unpack, type FieldsOf, type LogRecord, type Sector } from "./scan";
import type { DeviceLog, Happening, LoggedEpisode, Minute, Moment, Strip, TimeSet } from "./types";

const BOOTS = 65536;
const NO_VERDICT = 255;
const MINUTE_S = 60;

interface Pieces {
  readonly pieces: Map<number, Int16Array>;
  readonly firstSeen: number;
  told: FieldsOf<"strip"> | null;
}

/** All that the sectors say; `gain`: of strips whose own record was lost. */
export function readLog(sectors: ReadonlyMap<number, Uint8Array>, gain: number): DeviceLog {
  const minutes: Minute[] = [];
  const episodes = new Map<string, LoggedEpisode>();
  const strips = new Map<string, Pieces>();
  const happenings: Happening[] = [];
  const times: TimeSet[] = [];
  let damaged = 0;
  let unknown = 0;
  const boots = new Boots();
  let since: Moment = { boot: 0, seconds: 0 };

  const take = (record: LogRecord, at: Moment) => {
    if (since.boot !== at.boot) since = { boot: at.boot, seconds: 0 };
    const p = record.payload;
    const stripOf = (number: number) => {
      const key = `${at.boot} ${number}`;
      const known = strips.get(key) ?? { pieces: new Map(), firstSeen: at.seconds, told: null };
      strips.set(key, known);
      return known;
    };
    switch (record.kind) {
      case LOG_KINDS.minute.code:
        minutes.push(minute(at, since, unpack("minute", p)));
        since = at;
        break;
      case LOG_KINDS.episode.code: {
        const v = unpack("episode", p);
        const begin = { boot: at.boot, seconds: v.begin_s + v.begin_ms / 1000 };
        const key = `${at.boot} ${v.kind} ${begin.seconds}`;
        const end = v.phase === 1 ? null : { boot: at.boot, seconds: v.end_s + v.end_ms / 1000 };
        if (end || !episodes.has(key)) episodes.set(key, { kind: v.kind, begin, end });
        break;
      }
      case LOG_KINDS.ecg.code: {
        const v = unpack("ecg", p);
        stripOf(v.number).pieces.set(v.first, decodeEcg(v, rest("ecg", p)));
        break;
      }
      case LOG_KINDS.strip.code: {
        const v = unpack("strip", p);
        stripOf(v.number).told = v;
        break;
      }
      case LOG_KINDS.event.code: {
        const v = unpack("event", p);
        if (v.event === LOG_EVENTS.mode) since = at;
        happenings.push({ at, event: v.event, detail: v.detail, value: v.value, batteryMv: v.battery_mv });
        break;
      }
      case LOG_KINDS.time_set.code: {
        const v = unpack("time_set", p);
        times.push({ at: { boot: at.boot, seconds: v.device_s + v.device_ms / 1000 }, unix: v.unix_s + v.unix_ms / 1000 });
        break;
      }
      default:
        if (!Object.values(LOG_KINDS).some((kind) => kind.code === record.kind)) unknown++;
    }
  };

  const found: Sector[] = [];
  for (const sequence of [...sectors.keys()].sort((a, b) => a - b)) {
    const sector = scan(sectors.get(sequence)!);
    if (sector) found.push(sector);
    else damaged++;
  }
  const cleared = Math.max(
    0,
    ...found.flatMap((s) => s.records.filter((r) => r.kind === LOG_KINDS.cleared.code).map((r) => unpack("cleared", r.payload).sequence)),
  );
  for (const sector of found) {
    if (sector.sequence < cleared) continue;
    damaged += sector.damaged.length;
    for (const record of sector.records) take(record, { boot: boots.unwrapped(record.boot) + 1, seconds: record.t_s });
  }
  const gains = [...strips.values()].map((s) => s.told?.gain_lsb_per_mv ?? 0).filter(Boolean);
  const assumed = gains.at(-1) ?? gain;
  return {
    strips: [...strips].map(([key, pieces]) => strip(key, pieces, assumed)).sort((a, b) => order(a.at, b.at) || a.number - b.number),
    minutes: minutes.sort((a, b) => order(a.at, b.at)),
    episodes: [...episodes.values()].sort((a, b) => order(a.begin, b.begin)),
    happenings: happenings.sort((a, b) => order(a.at, b.at)),
    times: times.sort((a, b) => order(a.at, b.at)),
    damaged,
    unknown,
  };
}

/** Counts of boots, which the log keeps modulo 65536. */
class Boots {
  private last = 0;
  unwrapped(boot: number): number {
    let turn = this.last - (this.last % BOOTS);
    if (boot < (this.last % BOOTS) - BOOTS / 2) turn += BOOTS;
    return (this.last = turn + boot);
  }
}

function order(a: Moment, b: Moment): number {
  return a.boot - b.boot || a.seconds - b.seconds;
}

function minute(at: Moment, since: Moment, v: FieldsOf<"minute">): Minute {
  const told = Math.max(v.good_s, v.lead_off_s, 1);
  const seconds = Math.min(Math.max(at.seconds - since.seconds, told), MINUTE_S);
  return {
    at: { boot: at.boot, seconds: Math.max(at.seconds - seconds, 0) },
    seconds,
    beats: [v.normal, v.supraventricular, v.ventricular, v.fusion, v.unknown],
    rrMeanMs: 4 * v.rr_mean_4ms || null,
    readable: Math.min(v.good_s / seconds, 1),
    leadOff: Math.min(v.lead_off_s / seconds, 1),
    alarm: v.alarm ? v.alarm - 1 : null,
  };
}

function strip(key: string, found: Pieces, assumedGain: number): Strip {
  const [boot, number] = key.split(" ").map(Number) as [number, number];
  const { pieces, told } = found;
  const length = Math.max(told?.samples ?? 0, ...[...pieces].map(([first, samples]) => first + samples.length));
  const samples = new Int16Array(length);
  const here = new Uint8Array(length);
  for (const [first, values] of pieces) {
    samples.set(values, first);
    here.fill(1, first, first + values.length);
  }
  const lost: [number, number][] = [];
  for (let i = 0; i < length; i++) {
    if (here[i]) continue;
    const last = lost.at(-1);
    if (last && last[0] + last[1] === i) last[1]++;
    else lost.push([i, 1]);
  }
  const first = pieces.size ? [...pieces.values()][0]!.length : length;
  const begin = told ? told.begin_s + told.begin_ms / 1000 : Math.max(found.firstSeen - first / RATE_HZ, 0);
  const pad = (n: number) => String(n).padStart(5, "0");
  return {
    name: `strip_${pad(boot)}_${pad(number)}`,
    number,
    at: { boot, seconds: begin },
    samples,
    gain: told?.gain_lsb_per_mv || assumedGain,
    lost,
    complete: told !== null && !lost.length,
    verdict: told && told.verdict !== NO_VERDICT ? told : null,
    beats: [],
  };
}
