/** The shell: heading, connection, tabs. A view is built anew when the language changes. */
import { choose, direction, language, t } from "../i18n";
import { LANGUAGES } from "../i18n/strings";
import { BAUDS, hasSerial, SerialPlace, servedPlace } from "../link/port";
import { Session } from "../session";
import { boardView } from "./board";
import { h, say, svg } from "./dom";
import { liveView } from "./live";
import { logView } from "./log";
import { lockedPanel } from "./locked";
import { stripView } from "./strip";

/** What a view is built of. `done` is aborted when it goes. */
export interface Context {
  readonly session: Session;
  readonly done: AbortSignal;
  /** Listens until the view goes. */
  on(event: "link" | "live" | "beat" | "strip", listener: () => void): void;
  open(view: ViewName): void;
}

const VIEWS = { live: liveView, strip: stripView, log: logView, board: boardView };
export type ViewName = keyof typeof VIEWS;

const LOGO = '<path d="M1 20h14c3 0 4-6 7-6s4 6 7 6h6l3 3 5-21 5 26 3-8h7c4 0 5-9 10-9s6 9 10 9h20"/>';

export class App {
  private readonly session = new Session();
  private view: ViewName = "live";
  private baud = 115200;
  private stop = new AbortController();

  constructor(private readonly root: HTMLElement) {
    this.render();
    const served = servedPlace();
    if (served) void this.session.connect(served);
  }

  private render(): void {
    this.stop.abort();
    this.stop = new AbortController();
    document.documentElement.lang = language;
    document.documentElement.dir = direction();
    document.title = `Einthoven · ${t("notice")}`;
    const panel = h("div", { id: "panel", role: "tabpanel", tabIndex: -1 });
    const state = h("p", { class: "state", role: "status", aria: { live: "polite" } });
    const place = h("span", { class: "place" });
    const actions = h("div", { class: "actions" });
    const tabs = this.tabs(panel);
    this.root.replaceChildren(
      h("a", { class: "skip", href: "#panel", on: { click: (e) => (e.preventDefault(), panel.focus()) } }, t("skip")),
      h("header", {}, svg("0 0 96 30", LOGO), h("h1", {}, "Einthoven"), place, h("span", { class: "notice" }, t("notice")), actions),
      h("nav", {}, tabs),
      h("main", {}, state, panel),
      h("footer", {}, h("p", {}, t("noticeLong")), this.languages()),
    );
    const context = this.context();
    const refresh = () => {
      this.sayState(state);
      const { hello } = this.session;
      say(place, hello ? [hello.board, hello.serial].filter(Boolean).join(" · ") : "");
      this.fillActions(actions);
    };
    context.on("link", refresh);
    refresh();
    this.show(panel, context);
  }

  private context(): Context {
    const { signal } = this.stop;
    return {
      session: this.session,
      done: signal,
      on: (event, listener) => this.session.addEventListener(event, listener, { signal }),
      open: (view) => {
        this.view = view;
        this.render();
        document.getElementById(`tab-${view}`)?.focus();
      },
    };
  }

  private show(panel: HTMLElement, context: Context): void {
    panel.className = this.view;
    panel.setAttribute("aria-labelledby", `tab-${this.view}`);
    let locked: boolean | null = null;
    const fill = () => {
      const now = this.session.locked && this.view !== "board";
      if (now === locked) return;
      locked = now;
      panel.replaceChildren(...(now ? lockedPanel(context) : VIEWS[this.view](context)));
    };
    context.on("link", fill);
    fill();
  }

  private tabs(panel: HTMLElement): HTMLElement {
    const names = Object.keys(VIEWS) as ViewName[];
    const list = h("div", { class: "tabs", role: "tablist", aria: { label: t("tabs") } });
    for (const name of names) {
      const chosen = name === this.view;
      const move = (event: KeyboardEvent) => {
        const forwards = direction() === "ltr" ? 1 : -1;
        const step = { ArrowRight: forwards, ArrowLeft: -forwards }[event.key];
        if (step) this.context().open(names[(names.indexOf(name) + step + names.length) % names.length]!);
      };
      list.append(
        h(
          "button",
          {
            id: `tab-${name}`,
            type: "button",
            role: "tab",
            tabIndex: chosen ? 0 : -1,
            aria: { selected: chosen, controls: panel.id },
            on: { click: () => this.context().open(name), keydown: move },
          },
          t(name),
        ),
      );
    }
    return list;
  }

  private sayState(element: HTMLElement): void {
    const { state, problem } = this.session;
    const printed = problem?.what === "silent" && problem.text ? ` ${t("printed", { text: problem.text })}` : "";
    const why = problem?.what === "busy" && problem.text ? ` (${problem.text})` : "";
    const text =
      state === "lost"
        ? `${t("lost")} ${t("lostMore")}`
        : state === "opening"
          ? t("connecting")
          : problem
            ? t(problem.what, { text: problem.text }) + printed + why
            : "";
    element.classList.toggle("bad", state === "lost" || (problem !== null && state === "none"));
    say(element, text);
  }

  private fillActions(box: HTMLElement): void {
    const { state } = this.session;
    const wanted = state === "none" ? "none" : "some";
    if (box.dataset.state === wanted) return;
    box.dataset.state = wanted;
    if (state !== "none") {
      const leave = () => void this.session.disconnect();
      box.replaceChildren(h("button", { type: "button", on: { click: leave } }, t("disconnect")));
      return;
    }
    const served = servedPlace();
    const connect = async () => {
      if (served) return this.session.connect(served);
      const port = await navigator.serial.requestPort().catch(() => null); // he chose none
      if (port) await this.session.connect(new SerialPlace(port, this.baud));
    };
    const speed = h(
      "select",
      { aria: { label: t("speed") }, title: t("speed"), on: { change: () => (this.baud = Number(speed.value)) } },
      ...BAUDS.map((baud) => h("option", { value: String(baud), selected: baud === this.baud }, String(baud))),
    );
    const button = h("button", { type: "button", class: "primary", on: { click: () => void connect() } }, t("connect"));
    button.disabled = !served && !hasSerial();
    box.replaceChildren(...(served ? [] : [speed]), button);
  }

  private languages(): HTMLElement {
    const select = h(
      "select",
      {
        on: {
          change: () => {
            choose(select.value);
            this.render();
          },
        },
      },
      ...Object.entries(LANGUAGES).map(([tag, { strings }]) =>
        h("option", { value: tag, lang: tag, selected: tag === language }, strings.language),
      ),
    );
    return h("label", {}, `${t("languageLabel")} `, select);
  }
}
