/** The row of buttons that gives files: WFDB, EDF+, CSV, and the page for paper. */
import type { Zippable } from "fflate";

import { CLASSES, RHYTHMS } from "../generated/tables";
import { LANGUAGES } from "../i18n/strings";
import { number, t, word } from "../i18n";
import { csvFiles, edfFiles, wfdbFiles, zip, type About } from "../log/exports";
import { Clock, hours } from "../log/times";
import type { DeviceLog, Moment, Strip } from "../log/types";
import { h, save, svg } from "./dom";
import { rows } from "./paper";
import { verdictBox } from "./verdict";

export interface Exported {
  readonly strips: readonly Strip[];
  readonly log: DeviceLog | null;
  readonly clock: Clock;
  readonly device: string;
  /** Of the files. */
  readonly name: string;
}

export function exportBar(what: Exported, ...more: HTMLElement[]): HTMLElement {
  const patient = h("input", { type: "text", id: "patient", maxLength: 30, autocomplete: "off", spellcheck: false });
  // Files are read by programs: their words are English whatever the page speaks.
  const about = (): About => ({
    device: what.device,
    patient: patient.value,
    clock: what.clock,
    notice: LANGUAGES.en!.strings.noticeLong,
  });
  const give = (suffix: string, files: Zippable) => {
    const [only, another] = Object.entries(files);
    if (only && !another && only[0].endsWith(".edf")) save(only[0], only[1] as BlobPart, "application/octet-stream");
    else save(`${what.name}-${suffix}.zip`, zip(files) as BlobPart, "application/zip");
  };
  const button = (label: string, act: () => void) => h("button", { type: "button", on: { click: act } }, label);
  return h(
    "div",
    { class: "exports" },
    h("label", { htmlFor: "patient" }, t("patient")),
    patient,
    button(t("wfdb"), () => give("wfdb", wfdbFiles(what.strips, about()))),
    button(t("edf"), () => give("edf", edfFiles(what.strips, about()))),
    button(t("csv"), () => give("csv", csvFiles(what.strips, about(), what.log, (kind) => RHYTHMS[kind] ?? String(kind)))),
    button(t("print"), () => print(what, patient.value)),
    ...more,
  );
}

/** What o'clock it was, or the start of the device and the time since. */
export function moment(clock: Clock, at: Moment): string {
  const known = clock.at(at);
  if (known) return new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" }).format(known);
  return t("start", { boot: at.boot, time: hours(at.seconds) });
}

export function stripPaper(strip: Strip): HTMLElement {
  return h("div", { class: "sheet", role: "group", tabIndex: 0, aria: { label: strip.name } }, ...rows(strip, CLASSES));
}

/** The patient page: put behind the application, shown on paper only. */
function print(what: Exported, patient: string): void {
  document.getElementById("print")?.remove();
  const box = h(
    "section",
    { id: "print" },
    h("h1", {}, `Einthoven${patient ? ` · ${patient}` : ""}`),
    h("p", {}, `${what.device} · ${moment(what.clock, what.strips[0]?.at ?? { boot: 1, seconds: 0 })}`),
    h("p", { class: "notice" }, t("noticeLong")),
    h("p", { class: "ruler" }, svg("0 0 70 5", '<path d="M.5 1v3M.5 2.5h50M50.5 1v3"/><text x="52" y="3.6">50 mm</text>'), ` ${t("scale")}`),
    ...what.strips.map((strip) =>
      h("article", {}, h("h2", {}, moment(what.clock, strip.at)), verdictBox(strip.verdict), counted(strip), stripPaper(strip)),
    ),
    what.log && what.log.episodes.length > 0 && h("h2", {}, t("episodes")),
    ...(what.log?.episodes ?? []).map((e) => h("p", {}, `${moment(what.clock, e.begin)} · ${word("rhythm", RHYTHMS[e.kind] ?? String(e.kind))}`)),
  );
  document.body.append(box);
  window.print();
}

function counted(strip: Strip): HTMLElement {
  const parts = CLASSES.map((name, label) => [name, strip.beats.filter((b) => b.label === label).length] as const).filter(([, n]) => n);
  return h("p", { class: "muted" }, parts.map(([name, n]) => `${name} ${number(n)}`).join(" · "));
}
