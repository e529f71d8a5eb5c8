"""The page in headless Chromium, on boards that are processes: what a user does with it."""

import dataclasses
import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.browser import Cable, chromium, connect, faults, opened
from einthoven.native import core
from einthoven.page import html
from einthoven.records.synth import make_record


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def playing(name: str, folder: Path, speed: int = 1, *more: str) -> Iterator[str]:
    """A board that is a process, whose ADC plays two minutes of a synthetic ECG, over and over."""
    board = load_board(name)
    build(board)
    path = folder / "ecg.bin"
    make_record(11, 120.0, float(core.rate_hz())).samples.astype("<i2").tofile(path)
    assert board.command is not None
    command = (*board.command, "--adc", str(path), "--adc-speed", str(speed), *more)
    with running(dataclasses.replace(board, command=command)) as url:
        yield url


ATTEMPTS = """async (host) => {
  const seen = [];
  document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
  await fetch(`http://${host}/`).catch(() => 0);
  try { new WebSocket(`ws://${host}/`); } catch {}
  new Image().src = `http://${host}/x.png`;
  for (const [tag, what, value] of [["script", "textContent", "window.bad = 1"],
                                    ["iframe", "src", `http://${host}/`]])
    document.body.append(Object.assign(document.createElement(tag), { [what]: value }));
  await new Promise((done) => setTimeout(done, 300));
  return [...new Set(seen)].sort().concat(String(window.bad));
}"""


def test_a_file_makes_no_request(browser: Browser, tmp_path: Path) -> None:
    """Neither by itself nor when something in it tries to: the policy is the page's own."""
    path = tmp_path / "page.html"
    path.write_text(html())
    page = browser.new_page()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        page.goto(path.as_uri())
        expect(page.get_by_role("button", name="Connect a board")).to_be_visible()
        refused = page.evaluate(ATTEMPTS, f"127.0.0.1:{listener.getsockname()[1]}")
        assert refused == ["connect-src", "frame-src", "img-src", "script-src-elem", "undefined"]
        page.close()
        while select.select([listener], [], [], 0)[0]:
            # Chromium may connect ahead of an image that it then does not ask for.
            assert listener.accept()[0].recv(100) == b""


def test_connect_watch_pull_the_cable_and_come_back(browser: Browser, tmp_path: Path) -> None:
    with playing("host", tmp_path) as url, Cable(url) as cable, opened(browser, cable) as watch:
        page = connect(watch)
        assert faults(page) == []
        expect(page.locator("header .place")).to_contain_text("host")
        expect(page.locator("b.rate")).to_have_text(re.compile(r"^[67]\d$"))
        page.evaluate("cable.pull()")
        expect(page.locator(".state")).to_contain_text("The cable is out")
        page.evaluate("cable.plug()")
        expect(page.locator(".state")).to_be_hidden()
        beats = page.locator("tbody tr").first.inner_text()
        expect(page.locator("tbody tr").first).not_to_have_text(beats)
        page.get_by_role("button", name="Disconnect").click()
        expect(page.get_by_role("button", name="Connect a board")).to_be_visible()
