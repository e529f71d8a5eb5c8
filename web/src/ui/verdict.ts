/** A verdict and its reasons in words. */
import { REASONS, VERDICTS } from "../generated/tables";
import { number, t, word } from "../i18n";
import type { Key } from "../i18n/strings";
import type { Verdict } from "../log/types";
import { h } from "./dom";

export function symbol(told: Verdict | null): string {
  return (told && VERDICTS[told.verdict]) ?? "";
}

export function reasons(told: Verdict): string[] {
  const values = {
    ventricular: told.ventricular,
    supraventricular: told.supraventricular,
    rate: told.rate_bpm,
    longest: number(told.longest_ms / 1000, 1),
  };
  return REASONS.filter((_, bit) => (told.reasons >> bit) & 1).map((name) => t(`reason_${name}` as Key, values));
}

export function verdictWords(told: Verdict | null): string {
  if (!told || !symbol(told)) return t("verdict_none");
  return `${word("verdict", symbol(told))} (${t("sure", { n: Math.round((100 * told.probability) / 255) })})`;
}

/** Symbol, words and reasons. */
export function verdictBox(told: Verdict | null): HTMLElement {
  const mark = symbol(told);
  return h(
    "div",
    { class: "verdict" },
    h("p", { class: `said v${{ "~": "X" }[mark] ?? mark}` }, mark && h("i", {}, mark), verdictWords(told)),
    told && reasons(told).length > 0 && h("p", { class: "muted" }, `${t("why")}: ${reasons(told).join("; ")}`),
  );
}
