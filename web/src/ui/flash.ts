/** Firmware into a board that has none, or another's: by its own boot loader, or as a file for its drive. */
import { flash } from "../flash";
import { carried, unpack, type Image } from "../flash/images";
import { FlashTrouble } from "../flash/trouble";
import { number, t } from "../i18n";
import { hasSerial } from "../link/port";
import type { Context } from "./app";
import { h, save, say, svg } from "./dom";
import { PICTURES } from "./pictures";

/** Goes on when the language or the view changes. */
class Work extends EventTarget {
  text = "";
  /** 0 to 1; null: nothing is being written. */
  share: number | null = null;
  bad = false;

  set(text: string, share: number | null, bad = false): void {
    Object.assign(this, { text, share, bad });
    this.dispatchEvent(new Event("change"));
  }
}

const work = new Work();
let chosen = 0;

export function flashCard({ session, done }: Context): HTMLElement {
  const images = carried();
  if (!images.length) return h("section", { class: "card" }, h("h2", {}, t("flash")), h("p", {}, t("flashIntro")), h("p", { class: "muted" }, t("flashNone")));
  const wake = h("div", { class: "wake" });
  const facts = h("p", { class: "muted" });
  const told = h("p", { role: "status" });
  const bar = h("progress", { max: 1, value: 0, aria: { label: t("flash") } });
  const image = () => images[chosen] ?? images[0]!;
  const select = h(
    "select",
    { id: "flash-board", on: { change: () => ((chosen = Number(select.value)), work.set("", null), show()) } },
    ...images.map(({ board }, i) => h("option", { value: String(i), selected: i === chosen }, board)),
  );
  const button = h("button", { type: "button", class: "primary", on: { click: () => void start() } });
  const start = async () => {
    const wanted = image();
    try {
      if (wanted.way === "uf2") return save(`${wanted.board}.uf2`, unpack(wanted) as BlobPart, "application/octet-stream");
      const port = await navigator.serial.requestPort().catch(() => null); // he chose none
      if (!port) return;
      await session.disconnect();
      await flash(port, wanted, (stage, share) => work.set(t(`flash_${stage}`, { n: Math.floor(100 * share) }), share));
      work.set(t("flashDone"), null);
    } catch (error) {
      if (!(error instanceof FlashTrouble)) throw error;
      work.set(t(`flash_${error.trouble}`, error.values), null, true);
    }
  };
  const show = () => {
    const now = image();
    say(facts, t("flashFacts", { title: now.title, version: now.version, kb: number(now.bytes / 1024), sha: now.sha256.slice(0, 12) }));
    if (wake.dataset.board !== now.board) wake.replaceChildren(...awakened(now));
    wake.dataset.board = now.board;
    say(button, now.way === "uf2" ? t("flashSave", { file: `${now.board}.uf2` }) : t("flashStart"));
    select.disabled = work.share !== null;
    button.disabled = work.share !== null || (now.way !== "uf2" && !hasSerial());
    bar.hidden = work.share === null;
    bar.value = work.share ?? 0;
    told.classList.toggle("bad", work.bad);
    say(told, work.text || (now.way !== "uf2" && !hasSerial() ? t("noSerial") : ""));
  };
  work.addEventListener("change", show, { signal: done });
  show();
  return h(
    "section",
    { class: "card" },
    h("h2", {}, t("flash")),
    h("p", {}, t("flashIntro")),
    h("div", { class: "toolbar" }, h("label", { htmlFor: "flash-board" }, t("board")), select),
    wake,
    facts,
    h("div", { class: "toolbar" }, button, told),
    bar,
  );
}

/** How the board is made to wait for firmware. */
function awakened(image: Image): HTMLElement[] {
  if (image.way !== "uf2") return [h("p", {}, t(image.way === "stm32" ? "flash_wake_stm32" : "flash_wake_esp"))];
  const step = (picture: "bootsel" | "drive", text: string) => h("li", {}, svg("0 0 64 64", PICTURES[picture]), h("span", {}, text));
  return [h("ol", { class: "steps" }, step("bootsel", t("flash_wake_uf2")), step("drive", t("flash_wake_drive", { drive: image.drive })))];
}
