/** The board itself: who it is, how it does, its clock, its firmware. */
import * as wire from "../generated/wire";
import { ALARMS, CHECKS, IMAGE } from "../generated/tables";
import { number, t, word } from "../i18n";
import { Refusal } from "../link/channel";
import { tellTime } from "../link/fetch";
import { LinkError } from "../link/port";
import type { Session } from "../session";
import { hex, type Fields } from "../wire/codec";
import type { Context } from "./app";
import { checkCard } from "./check";
import { h, say } from "./dom";
import { flashCard } from "./flash";

const PIECE = 240;
const NO_BOOT_STAGE = 255;

export function boardView(context: Context): HTMLElement[] {
  const { session } = context;
  const facts = h("dl", { class: "facts" });
  const own = h("dl", { class: "facts" });
  const told = h("p", { role: "status" });
  const setClock = h("button", { type: "button", on: { click: () => void clock() } }, t("setClock"));
  const deviceCard = h("section", { class: "card" }, h("h2", {}, t("device")), own, h("div", { class: "toolbar" }, setClock, told));
  const clock = async () => {
    try {
      await tellTime(session);
      say(told, "✓");
    } catch (error) {
      say(told, error instanceof Refusal ? t("refused", { text: error.message }) : t("lost"));
    }
  };
  const refresh = () => {
    fill(facts, boardFacts(session));
    fill(own, deviceFacts(session));
    deviceCard.hidden = session.device === null;
  };
  context.on("link", refresh);
  refresh();
  return [
    h("section", { class: "card" }, h("h2", {}, t("board")), facts),
    deviceCard,
    checkCard(context),
    updateCard(context),
    flashCard(context),
  ];
}

type Facts = (readonly [string, string])[];

function fill(list: HTMLElement, facts: Facts): void {
  const known = [...list.querySelectorAll("dd")];
  if (known.length === facts.length) return facts.forEach(([, value], i) => say(known[i]!, value));
  list.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function boardFacts({ hello, info, channel }: Session): Facts {
  if (!hello) return [[t("board"), t("stripNeeds")]];
  const facts: Facts = [
    [t("board"), hello.board],
    [t("serial"), hello.serial || t("none")],
    [t("firmware"), hello.build || t("none")],
    [t("model"), `${hello.model} ${hex(Uint8Array.from(hello.model_sha256)).slice(0, 12)}`],
    [t("sampling"), `${hello.rate_hz} Hz, ${hello.adc_bits} bit, ${hello.gain_lsb_per_mv} LSB/mV`],
    [t("protocol"), String(hello.protocol)],
  ];
  if (info) {
    facts.push([t("memory"), `${number(info.stack_used_bytes)} / ${number(info.stack_bytes)} B`]);
    facts.push([t("inferences"), number(info.inferences)]);
  }
  if (channel) {
    const { received, repeated } = channel.statistics;
    facts.push([t("linkQuality"), t("linkWords", { received: number(received / 1024), rejected: number(channel.decoder.rejectedFrames), repeated: number(repeated) })]);
  }
  return facts;
}

function deviceFacts({ device }: Session): Facts {
  if (!device) return [];
  const mode = Object.entries(wire.DEVICE_MODE).find(([, code]) => code === device.mode)?.[0] ?? String(device.mode);
  const faults = Object.entries(CHECKS).filter(([, bit]) => device.faults & bit).map(([name]) => name.replaceAll("_", " "));
  const alarms = ALARMS.filter((_, bit) => (device.alarms_raised >> bit) & 1);
  return [
    [t("mode"), word("mode", mode) + (faults.length ? `: ${faults.join(", ")}` : "")],
    [t("battery"), device.battery_percent === 255 ? t("none") : `${device.battery_percent} % · ${number(device.battery_mv / 1000, 2)} V`],
    [t("clock"), device.unix_s ? new Date(1000 * device.unix_s).toLocaleString(document.documentElement.lang) : t("clockUnknown")],
    [t("alarms"), alarms.join(", ") || t("none")],
  ];
}

// ---- firmware over the wire: the image is signed, and the device's boot stage checks it ----

function updateCard({ session }: Context): HTMLElement {
  const told = h("p", { role: "status" });
  const file = h("input", { type: "file", id: "image", accept: ".img", on: { change: () => void send() } });
  const send = async () => {
    const bytes = await file.files?.[0]?.arrayBuffer();
    if (!bytes) return;
    file.disabled = true;
    try {
      const progress = (percent: number) => say(told, t("updateSending", { n: percent }));
      say(told, await session.undisturbed(() => update(session, new Uint8Array(bytes), progress)));
    } catch (error) {
      if (error instanceof Refusal) say(told, t("refused", { text: error.message }));
      else if (error instanceof LinkError) say(told, t("lost"));
      else throw error;
    } finally {
      file.disabled = false;
      file.value = "";
    }
  };
  return h(
    "section",
    { class: "card" },
    h("h2", {}, t("update")),
    h("p", {}, t("updateIntro")),
    h("div", { class: "toolbar" }, h("label", { htmlFor: "image" }, t("updateChoose")), file),
    told,
  );
}

/** Sends a signed image to the slot that does not run, and restarts; what is to be said at the end. */
async function update(session: Session, image: Uint8Array, progress: (percent: number) => void): Promise<string> {
  const { hello } = session;
  if (!hello) return t("stripNeeds");
  const { at } = IMAGE;
  if (image.length <= IMAGE.header_bytes || new TextDecoder("latin1").decode(image.subarray(0, 8)) !== IMAGE.magic) return t("updateBad");
  const view = new DataView(image.buffer, image.byteOffset);
  const board = new TextDecoder("latin1").decode(image.subarray(at.board, at.board + 24)).replace(/\0.*$/s, "");
  if (board !== hello.board) return t("updateBoard", { image: board, board: hello.board });
  let status: Fields<typeof wire.updateStatus>;
  try {
    status = await session.keyed((c) => c.request(wire.updateQuery, wire.updateStatus, { confirm: 0 }));
  } catch (error) {
    if (error instanceof Refusal && error.code === wire.ERROR.unknown_message) return t("updateNone");
    throw error;
  }
  if (!status.load || status.running === NO_BOOT_STAGE) return t("updateNone");
  if (status.load !== view.getUint32(at.load, true)) return t("updateSlot");
  const header = image.slice(0, IMAGE.sent_bytes);
  status = await session.keyed((c) => c.request(wire.updateBegin, wire.updateStatus, { downgrade: 0, header }));
  const program = image.subarray(IMAGE.header_bytes);
  while (status.next < program.length) {
    progress(Math.floor((100 * status.next) / program.length));
    const piece = { offset: status.next, bytes: program.slice(status.next, status.next + PIECE) };
    status = await session.keyed((c) => c.request(wire.updatePiece, wire.updateStatus, piece));
  }
  await session.keyed((c) => c.request(wire.updateFinish, wire.updateStatus, {}));
  await session.restartBoard();
  return t("updateDone");
}
