/** The device's log: fetched or from a file, shown and given as files. */
import * as wire from "../generated/wire";
import { LOG_EVENTS, RATE_HZ, RHYTHMS } from "../generated/tables";
import { number, t, word } from "../i18n";
import { Refusal } from "../link/channel";
import { fetchLog, LogCopy } from "../link/fetch";
import { LinkError } from "../link/port";
import { readLog } from "../log/reader";
import { Clock, hours } from "../log/times";
import type { DeviceLog } from "../log/types";
import type { Context } from "./app";
import { h, save, say } from "./dom";
import { exportBar, moment, stripPaper } from "./exports";
import { verdictBox } from "./verdict";

const STRIPS = 20;
const ROWS = 60;
/** Kept when the language or the view changes. */
let copy: LogCopy | null = null;

export function logView(context: Context): HTMLElement[] {
  const { session } = context;
  const holds = h("p", {});
  const told = h("p", { role: "status" });
  const content = h("div");
  const fetch = h("button", { type: "button", class: "primary", on: { click: () => void take() } }, t("fetch"));
  const file = h("input", { type: "file", id: "log-file", on: { change: () => void open() } });
  let asked: object | null = null;

  const take = async () => {
    fetch.disabled = true;
    try {
      copy = await fetchLog(session, (bytes) => say(told, t("fetching", { kb: number(bytes / 1024, 1) })));
      say(told, t("fetched", { kb: number(copy.size / 1024, 1) }));
      show();
    } catch (error) {
      if (error instanceof Refusal) say(told, t("refused", { text: error.message }));
      else if (error instanceof LinkError) say(told, t("lost"));
      else throw error;
    } finally {
      fetch.disabled = false;
    }
  };
  const open = async () => {
    const bytes = await file.files?.[0]?.arrayBuffer();
    if (!bytes) return;
    copy = LogCopy.of(new Uint8Array(bytes)) ?? copy;
    say(told, LogCopy.of(new Uint8Array(bytes)) ? "" : t("logBad"));
    show();
  };
  const show = () => content.replaceChildren(...(copy ? shown(copy) : []));
  const refresh = async () => {
    const { channel } = session;
    fetch.hidden = true;
    if (!channel || session.state !== "open") return say(holds, t("stripNeeds"));
    fetch.hidden = session.device === null;
    if (asked === channel) return;
    asked = channel;
    try {
      const status = await channel.request(wire.logStatus, wire.logStatusReply, {});
      say(holds, t("logHolds", { records: number(status.records - status.given_up), kb: number(status.bytes / 1024) }));
    } catch {
      say(holds, t("logNone"));
    }
  };
  context.on("link", () => void refresh());
  void refresh();
  show();
  return [
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("log")),
      h("p", {}, t("logIntro")),
      holds,
      h("div", { class: "toolbar" }, fetch, h("label", { htmlFor: "log-file" }, t("openLog")), file),
      told,
    ),
    content,
  ];
}

function shown(from: LogCopy): HTMLElement[] {
  const log = readLog(from.sectors, from.gain);
  const clock = new Clock(log.times);
  const board = typeof from.about.board === "string" ? from.about.board : "";
  const serial = typeof from.about.serial === "string" ? from.about.serial : "";
  const name = ["log", board, serial].filter(Boolean).join("-");
  const saveCopy = h("button", { type: "button", on: { click: () => save(`${name}.log`, from.file() as BlobPart, "application/octet-stream") } }, t("copy"));
  const device = [board, serial].filter(Boolean).join(" ");
  const newest = [...log.strips].reverse().slice(0, STRIPS);
  return [
    h(
      "section",
      { class: "card" },
      h("h2", {}, device || t("device")),
      h("p", {}, t("logSummary", { strips: number(log.strips.length), minutes: number(log.minutes.length), episodes: number(log.episodes.length) })),
      log.damaged > 0 && h("p", { class: "bad" }, t("logSkipped", { n: number(log.damaged) })),
      log.unknown > 0 && h("p", { class: "bad" }, t("logUnknown", { n: number(log.unknown) })),
      exportBar({ strips: log.strips, log, clock, device, name }, saveCopy),
      h("p", { class: "muted" }, t("beatsLater")),
    ),
    ...newest.map((strip) =>
      h(
        "section",
        { class: "card" },
        h("h2", {}, moment(clock, strip.at)),
        verdictBox(strip.verdict),
        h("p", { class: "muted" }, `${number(strip.samples.length / RATE_HZ, 1)} s${strip.complete ? "" : ` · ${t("incomplete")}`}`),
        stripPaper(strip),
      ),
    ),
    ...tables(log, clock),
  ];
}

function tables(log: DeviceLog, clock: Clock): HTMLElement[] {
  const rows = [
    { title: t("episodes"), head: [t("when"), t("rhythm"), t("duration")], body: log.episodes.map((e) => [moment(clock, e.begin), word("rhythm", RHYTHMS[e.kind] ?? String(e.kind)), e.end ? hours(e.end.seconds - e.begin.seconds) : t("none")]) },
    { title: t("minutes"), head: [t("when"), t("rate"), "N", "S", "V", "F", "Q"], body: log.minutes.map((m) => [moment(clock, m.at), m.rrMeanMs ? number(60000 / m.rrMeanMs) : t("none"), ...m.beats.map((n) => number(n))]) },
    { title: t("device"), head: [t("when"), t("event")], body: log.happenings.map((e) => [moment(clock, e.at), eventName(e.event, e.detail)]) },
  ];
  return rows
    .filter(({ body }) => body.length)
    .map(({ title, head, body }) =>
      h(
        "details",
        { class: "card" },
        h("summary", {}, `${title} (${number(body.length)})`),
        h(
          "div",
          { class: "scroll", tabIndex: 0, role: "group", aria: { label: title } },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
            h("tbody", {}, ...[...body].reverse().slice(0, ROWS).map((cells) => h("tr", {}, ...cells.map((text) => h("td", {}, text))))),
          ),
        ),
      ),
    );
}

function eventName(event: number, detail: number): string {
  const name = Object.entries(LOG_EVENTS).find(([, code]) => code === event)?.[0] ?? String(event);
  return `${name.replaceAll("_", " ")}${detail ? ` ${detail}` : ""}`;
}
