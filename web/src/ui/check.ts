/** The card that says whether a board is good, item by item. */
import { check, type Item } from "../check/check";
import { carried } from "../flash/images";
import { LIMITS } from "../generated/tables";
import { t } from "../i18n";
import { Refusal } from "../link/channel";
import { LinkError } from "../link/port";
import type { Context } from "./app";
import { h, say } from "./dom";

export function checkCard(context: Context): HTMLElement {
  const { session } = context;
  const told = h("p", { role: "status" });
  const bar = h("progress", { max: LIMITS.seconds, value: 0, hidden: true, aria: { label: t("check") } });
  const rows = h("tbody");
  const table = h("table", { class: "items", hidden: true }, rows);
  const button = h("button", { type: "button", class: "primary", on: { click: () => void start() } }, t("checkStart"));
  const start = async () => {
    button.disabled = true;
    table.hidden = true;
    bar.hidden = false;
    bar.value = 0;
    say(told, t("checkRunning"));
    try {
      const expected = carried().find(({ board }) => board === session.hello?.board)?.program ?? null;
      const items = await check(session, expected, (seconds) => (bar.value = seconds));
      rows.replaceChildren(...items.map(row));
      table.hidden = false;
      const failed = items.filter(({ passed }) => passed === false).length;
      say(told, failed ? t("checkBad", { n: failed }) : t("checkGood", { n: items.filter(({ passed }) => passed).length }));
      told.classList.toggle("bad", failed > 0);
    } catch (error) {
      if (error instanceof Refusal) say(told, t("refused", { text: error.message }));
      else if (error instanceof LinkError) say(told, t("lost"));
      else throw error;
    } finally {
      bar.hidden = true;
      ready();
    }
  };
  const ready = () => (button.disabled = session.state !== "open" || !bar.hidden || session.locked || session.strip !== null);
  context.on("link", ready);
  ready();
  return h("section", { class: "card" }, h("h2", {}, t("check")), h("p", {}, t("checkIntro")), h("div", { class: "toolbar" }, button, told), bar, h("div", { class: "scroll" }, table));
}

function row({ name, passed, values }: Item): HTMLElement {
  const mark = passed === null ? "–" : passed ? "✓" : "✗";
  const word = passed === null ? t("notJudged") : passed ? t("passed") : t("failed");
  const kind = passed === null ? "muted" : passed ? "good" : "bad";
  return h(
    "tr",
    {},
    h("td", { class: kind }, `${mark} ${word}`),
    h("th", { scope: "row" }, t(`item_${name}`)),
    h("td", { class: "wrap" }, values ? t(`item_${name}_more`, values) : t("notHere")),
  );
}
