/** A strip of 30 s: recording it, its verdict, and files of it. */
import { STRIP_S } from "../generated/tables";
import { number, t } from "../i18n";
import { Clock } from "../log/times";
import type { Strip } from "../log/types";
import type { StripResult } from "../session";
import type { Context } from "./app";
import { h, say } from "./dom";
import { exportBar, stripPaper } from "./exports";
import { verdictBox } from "./verdict";

export function stripView(context: Context): HTMLElement[] {
  const { session } = context;
  const button = h("button", { type: "button", class: "primary", on: { click: () => void session.makeStrip() } });
  const cancel = h("button", { type: "button", on: { click: () => void session.cancelStrip() } }, t("cancel"));
  const told = h("p", { role: "status", class: "progress-text" });
  const bar = h("progress", { max: STRIP_S, value: 0, aria: { label: t("strip") } });
  const result = h("div");
  let shown: StripResult | null | undefined;
  const refresh = () => {
    const { strip } = session;
    button.hidden = strip !== null;
    cancel.hidden = bar.hidden = strip === null;
    button.disabled = session.state !== "open";
    say(button, session.result ? t("stripAgain") : t("stripStart"));
    bar.value = strip?.seconds ?? 0;
    const words = strip?.waiting ? t("stripWaiting") : strip ? t("stripRecording", { n: Math.floor(strip.seconds) }) : "";
    say(told, words || (session.state === "open" || session.result ? "" : t("stripNeeds")));
    if (shown === session.result) return;
    shown = session.result;
    result.replaceChildren(...(shown ? [resultCard(shown, context)] : []));
  };
  context.on("strip", refresh);
  context.on("link", refresh);
  refresh();
  return [h("section", { class: "card" }, h("h2", {}, t("strip")), h("p", {}, t("stripIntro")), h("div", { class: "toolbar" }, button, cancel, told), bar), result];
}

function resultCard(found: StripResult, { session }: Context): HTMLElement {
  const strip: Strip = {
    name: `strip_${stamp(found.begun)}`,
    number: 1,
    at: { boot: 1, seconds: 0 },
    samples: found.samples,
    gain: found.gain,
    lost: found.lost,
    complete: found.verdict !== null && !found.lost.length,
    verdict: found.verdict,
    beats: found.beats,
  };
  const clock = new Clock([{ at: strip.at, unix: found.begun.getTime() / 1000 }]);
  const device = [session.hello?.board, session.hello?.serial].filter(Boolean).join(" ");
  const counts = session.classes.map((name, label) => `${name} ${number(found.beats.filter((b) => b.label === label).length)}`);
  return h(
    "section",
    { class: "card" },
    verdictBox(found.verdict),
    h("p", { class: "muted" }, `${t("beats")}: ${counts.join(" · ")}`),
    stripPaper(strip),
    exportBar({ strips: [strip], log: null, clock, device, name: strip.name }),
  );
}

function stamp(date: Date): string {
  return date.toISOString().replace(/\D/g, "").slice(0, 14);
}
