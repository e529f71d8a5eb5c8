"""A real board and a real browser: the page in headless Chromium, and a cable that a test owns.

`navigator.serial` is a stand-in whose port is a WebSocket of the test's own server, which passes
the bytes on to the board's socket. The page is served with the policy of `einthoven serve`: the one
origin that it may speak to is that server.
"""

import functools
import http
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from einthoven.errors import BoardError
from einthoven.hil_tests.harness.links import PortLostError, open_link
from einthoven.page import html

PATIENCE_MS = 60_000
"""For what a page does on a busy machine."""

_SERIAL = """
(() => {
  let plugged = true, socket = null, fail = () => {};
  const opened = [], signals = [];
  const port = {
    getInfo: () => ({ usbVendorId: 0x0483, usbProductId: 0x5740 }),
    readable: null, writable: null,
    open(options) {
      opened.push(options);
      return new Promise((done, refused) => {
        if (!plugged) return refused(new DOMException("no such device", "NetworkError"));
        socket = new WebSocket(`ws://${location.host}/board`);
        socket.binaryType = "arraybuffer";
        socket.onerror = () => refused(new DOMException("cannot open", "NetworkError"));
        socket.onopen = () => {
          port.readable = new ReadableStream({ start(c) {
            fail = () => {
              try { c.error(new DOMException("the device is lost", "NetworkError")); } catch {}
            };
            socket.onmessage = (e) => c.enqueue(new Uint8Array(e.data));
            socket.onclose = () => fail();
          }, cancel() { socket.close(); } });
          port.writable = new WritableStream({ write(bytes) {
            if (socket.readyState !== WebSocket.OPEN)
              throw new DOMException("the device is lost", "NetworkError");
            socket.send(bytes);
          } });
          done();
        };
      });
    },
    setSignals(lines) { signals.push(lines); return Promise.resolve(); },
    close() {
      if (port.readable?.locked || port.writable?.locked)
        return Promise.reject(new TypeError("a stream is locked"));
      port.readable = port.writable = null;
      if (!socket || socket.readyState === WebSocket.CLOSED) return Promise.resolve();
      return new Promise((done) => { socket.addEventListener("close", done); socket.close(); });
    },
  };
  const serial = {
    requestPort: () => Promise.resolve(port),
    getPorts: () => Promise.resolve(plugged ? [port] : []),
    addEventListener() {}, removeEventListener() {},
  };
  Object.defineProperty(navigator, "serial", { value: serial, configurable: true });
  window.cable = {
    pull() { plugged = false; fail(); socket?.close(); },
    plug() { plugged = true; },
    opened, signals,
  };
})();
"""


class Cable:
    """A server whose `/board` is a cable to `url`, `/link` one with a token, and `/` the page.

    `noise` bytes go to the page before anything else of each connection; `change` is what is done
    to the page first; `tap` is given what the board sends.
    """

    TOKEN = "t0ken"

    def __init__(
        self,
        url: str,
        noise: bytes = b"",
        change: Callable[[str], str] = lambda page: page,
        tap: Callable[[bytes], None] = lambda data: None,
    ) -> None:
        self.url, self.noise, self.change, self.tap = url, noise, change, tap
        self._one_at_a_time = threading.Lock()
        self._server: Server = serve(
            self._bridge,
            "127.0.0.1",
            0,
            process_request=self._request,
            compression=None,
            ping_interval=None,  # a busy machine is no lost cable
        )
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Cable":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def _request(self, _: ServerConnection, request: Request) -> Response | None:
        if request.path in ("/board", f"/link?token={self.TOKEN}"):
            return None
        if request.path != "/":
            return Response(http.HTTPStatus.NOT_FOUND, "no", Headers(), b"")
        headers = Headers({"Content-Type": "text/html; charset=utf-8", "Connection": "close"})
        body = self.change(html(served=True)).encode()
        headers["Content-Length"] = str(len(body))
        return Response(http.HTTPStatus.OK, "OK", headers, body)

    def _bridge(self, socket: ServerConnection) -> None:
        with self._one_at_a_time:  # the last one may still be reading
            self._carry(socket)

    def _carry(self, socket: ServerConnection) -> None:
        try:
            link = open_link(self.url, 115200)
        except BoardError:
            return
        over = threading.Event()

        def to_page() -> None:
            with suppress(PortLostError, ConnectionClosed):
                if self.noise:
                    socket.send(self.noise)
                while not over.is_set():
                    if data := link.read(0.05):
                        self.tap(data)
                        socket.send(data)
            socket.close()

        pump = threading.Thread(target=to_page, daemon=True)
        pump.start()
        with suppress(PortLostError, ConnectionClosed):
            for data in socket:
                link.write(data if isinstance(data, bytes) else data.encode())
        over.set()
        pump.join()
        link.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the one of $CHROMIUM. Raises BoardError where there is none."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise BoardError("there is no Chromium: run ./setup.sh dev, or name one with CHROMIUM=")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


class Watch:
    """A page under observation: what it asked for, and what went wrong in it."""

    def __init__(self, page: Page, allowed: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.strangers: list[str] = []

        def asked(url: str) -> None:
            if not url.startswith(("data:", "blob:", allowed, allowed.replace("http", "ws"))):
                self.strangers.append(url)

        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: asked(request.url))
        page.on("websocket", lambda socket: asked(socket.url))


@contextmanager
def opened(
    browser: Browser, cable: Cable, fragment: str = "", serial: bool = True, **options: Any
) -> Iterator[Watch]:
    """The page of `cable`, not connected yet. At the end it must have had no error.

    `options`: of Playwright's `new_context`.
    """
    context: BrowserContext = browser.new_context(accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    if serial:
        context.add_init_script(_SERIAL)
    watch = Watch(context.new_page(), cable.address)
    watch.page.goto(cable.address + fragment)
    try:
        yield watch
        assert watch.errors == [] and watch.strangers == []
    finally:
        context.close()


def connect(watch: Watch) -> Page:
    """Press the button, and wait for the first beat."""
    watch.page.get_by_role("button", name="Connect a board").click()
    expect(watch.page.locator("tbody tr").first).to_be_attached()
    return watch.page


def until(page: Page, what: Callable[[], bool]) -> None:
    """Wait for something of the board's side, while the page goes on."""
    for _ in range(PATIENCE_MS // 50):
        if what():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen")


@functools.cache
def axe() -> str:
    """axe-core's script, of web/node_modules."""
    from einthoven.paths import WEB

    return (WEB / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, *rules: str) -> list[str]:
    """What axe finds by all its rules, or by these: rule and element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{v['id']}: {n['html'][:160]}" for v in found for n in v["nodes"]]
