/** What a device that belongs to a patient asks for first: its key, from a file or typed. */
import { t } from "../i18n";
import { parseKey, type Unlocked } from "../link/keys";
import type { Context } from "./app";
import { h, say } from "./dom";

export function lockedPanel({ session }: Context): HTMLElement[] {
  const told = h("p", { class: "bad", role: "alert" });
  const open = async (text: string) => {
    const key = parseKey(text);
    if (!key) return say(told, t("keyBad"));
    say(told, "");
    try {
      say(told, words(await session.unlock(key)));
    } catch {
      // The link went meanwhile, which is told above.
    }
  };
  const file = h("input", { type: "file", id: "key-file", on: { change: () => void file.files?.[0]?.text().then(open) } });
  const typed = h("input", { type: "password", id: "key-text", autocomplete: "off", spellcheck: false });
  return [
    h(
      "form",
      {
        class: "card narrow",
        on: {
          submit: (event: Event) => {
            event.preventDefault();
            void open(typed.value);
          },
        },
      },
      h("h2", {}, t("locked")),
      h("p", {}, t("lockedMore")),
      h("label", { htmlFor: "key-file" }, t("keyFile")),
      file,
      h("label", { htmlFor: "key-text" }, t("keyText")),
      typed,
      h("button", { type: "submit", class: "primary" }, t("unlock")),
      told,
    ),
  ];
}

function words(done: Unlocked): string {
  if (done === "open") return "";
  if (done === "wrong") return t("keyWrong");
  if (done === "lost") return t("keyLost");
  if (done === "impostor") return t("keyImpostor");
  return t("keyWait", { n: Math.ceil(done.waitMs / 1000) });
}
