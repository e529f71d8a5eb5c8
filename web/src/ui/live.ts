/** The live strip, what is told of it, and what to do where the signal is bad. */
import { FLAGS, RATE_HZ, RHYTHMS } from "../generated/tables";
import { number, t, word } from "../i18n";
import { hasSerial, servedPlace } from "../link/port";
import { HISTORY_S, type MarkedBeat } from "../signal/trace";
import type { Context } from "./app";
import { Chart } from "./chart";
import { h, say, svg } from "./dom";
import { PICTURES, type Picture } from "./pictures";

/** The worst first: one hint at a time. */
const HINTS: readonly (readonly [keyof typeof FLAGS, Picture])[] = [
  ["lead_off", "electrodes"],
  ["flat", "cable"],
  ["saturated", "skin"],
  ["motion", "still"],
  ["hum", "mains"],
  ["noisy", "still"],
  ["learning", "wait"],
];
const ROWS = 8;

export function liveView(context: Context): HTMLElement[] {
  const { session } = context;
  const rate = tile(t("rate"), "rate");
  const rhythm = tile(t("rhythm"));
  const beat = tile(t("lastBeat"));
  const signal = tile(t("signal"));
  const hint = h("div", { class: "hint", role: "status" });
  const readout = h("output", { class: "readout" });
  const rows = h("tbody");
  const back = h("input", { type: "range", min: "0", max: "0", value: "0", step: "0.2", class: "history", aria: { label: t("history") } });
  const freeze = toggle(t("freeze"), (on) => chart.freeze(on));
  const calipers = toggle(t("calipers"), (on) => chart.measure(on));
  const live = h("button", { type: "button", class: "primary", on: { click: () => chart.freeze(false) } }, t("goLive"));

  const chart = new Chart(session.trace, t("paper"), () => {
    const { measured, isLive } = chart;
    press(freeze, !isLive);
    press(calipers, measured !== null);
    live.hidden = isLive;
    if (measured) {
      const ms = Math.round((1000 * measured.samples) / RATE_HZ);
      const bpm = ms ? `${number(60000 / ms)} ${t("perMinute")}` : t("none");
      say(readout, t("measured", { ms, bpm, mv: number(measured.mv, 2) }));
      readout.title = t("caliperHelp");
    } else say(readout, isLive ? t("scale") : t("secondsBack", { n: number(chart.secondsBack, 1) }));
    const total = Math.min(session.trace.end / RATE_HZ, HISTORY_S);
    back.max = String(Math.floor(total));
    if (document.activeElement !== back || isLive) back.value = String(total - chart.secondsBack);
  });
  back.addEventListener("input", () => chart.goBack(Number(back.max) - Number(back.value)));
  chart.rhythmName = (kind) => word("rhythm", RHYTHMS[kind] ?? String(kind));

  let shown = session.trace;
  const refresh = () => {
    if (shown !== session.trace) chart.show((shown = session.trace));
    chart.gain = session.hello?.gain_lsb_per_mv ?? 200;
    chart.classes = session.classes;
    const told = session.rate;
    say(rate.value, told === null ? t("none") : number(told));
    const episode = session.trace.episodes.filter((e) => e.end === null).at(-1);
    say(rhythm.value, episode ? chart.rhythmName(episode.kind) : t("noEpisode"));
    const last = session.trace.beats.at(-1);
    say(beat.value, last ? name(last) : t("none"));
    say(beat.more, last ? `${word("class", name(last))}, ${sureness(last)}` : "");
    const bad = HINTS.find(([flag]) => session.flags & FLAGS[flag]);
    say(signal.value, bad ? word("hint", bad[0]).split(/[.:。।]/)[0]! : session.trace.end ? t("good") : t("none"));
    fillHint(hint, session.state === "open" ? bad : undefined);
    welcome.hidden = session.trace.end > 0 || session.state !== "none";
    desk.hidden = !welcome.hidden;
    chart.touch();
  };
  const name = (b: MarkedBeat) => session.classes[b.label] ?? "?";
  const table = () => {
    const first = session.trace.first;
    rows.replaceChildren(
      ...session.trace.beats.slice(-ROWS).reverse().map((b) =>
        h(
          "tr",
          {},
          h("td", {}, `${number((b.at - first) / RATE_HZ, 2)} s`),
          h("td", { class: "wrap" }, h("b", { class: `c${name(b)}` }, name(b)), ` ${word("class", name(b))}`),
          h("td", {}, sureness(b)),
          h("td", {}, b.rr ? `${Math.round((1000 * b.rr) / RATE_HZ)} ms` : t("none")),
        ),
      ),
    );
  };

  const welcome = h(
    "section",
    { class: "card welcome" },
    h("h2", {}, t("welcome")),
    h(
      "ol",
      {},
      ...(["electrodes", "cable", "wait"] as const).map((picture, i) =>
        h("li", {}, svg("0 0 64 64", PICTURES[picture]), h("span", {}, t((["step1", "step2", "step3"] as const)[i]!))),
      ),
    ),
    !hasSerial() && !servedPlace() && h("p", { class: "bad" }, t("noSerial")),
    h("p", { class: "muted" }, t("offline")),
  );
  const desk = h(
    "div",
    { class: "desk" },
    h("div", { class: "tiles" }, rate.box, rhythm.box, beat.box, signal.box),
    hint,
    h("div", { class: "paper" }, chart.element),
    h("div", { class: "toolbar" }, freeze, calipers, live, readout, back),
    h(
      "details",
      { class: "card", open: innerWidth > 900 },
      h("summary", {}, t("beats")),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...(["time", "beatClass", "confidence", "rr"] as const).map((k) => h("th", { scope: "col" }, t(k))))),
        rows,
      ),
    ),
  );
  say(rate.more, t("perMinute"));
  context.on("live", refresh);
  context.on("link", refresh);
  context.on("beat", () => {
    refresh();
    table();
  });
  refresh();
  table();
  return [welcome, desk];
}

function sureness(beat: MarkedBeat): string {
  const sure = t("sure", { n: Math.round(100 * beat.confidence) });
  return beat.unsure ? `${t("unsure")} (${sure})` : sure;
}

function tile(what: string, kind = ""): { box: HTMLElement; value: HTMLElement; more: HTMLElement } {
  const value = h("b", { class: kind });
  const more = h("span", { class: "more" });
  return { box: h("div", { class: "tile" }, h("span", { class: "what" }, what), value, more), value, more };
}

function toggle(label: string, act: (on: boolean) => void): HTMLButtonElement {
  const button = h("button", { type: "button", aria: { pressed: false } }, label);
  button.addEventListener("click", () => act(button.getAttribute("aria-pressed") !== "true"));
  return button;
}

function press(button: HTMLElement, on: boolean): void {
  if (button.getAttribute("aria-pressed") !== String(on)) button.setAttribute("aria-pressed", String(on));
}

function fillHint(box: HTMLElement, bad: (typeof HINTS)[number] | undefined): void {
  const what = bad?.[0] ?? "";
  if (box.dataset.what === what) return;
  box.dataset.what = what;
  box.replaceChildren(...(bad ? [svg("0 0 64 64", PICTURES[bad[1]]), h("span", {}, word("hint", bad[0]))] : []));
}
