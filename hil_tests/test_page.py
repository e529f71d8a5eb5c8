"""The page in headless Chromium, on boards that are processes: what a user does with it."""

import csv
import dataclasses
import os
import random
import re
import select
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
import wfdb
from playwright.sync_api import Browser, Locator, Page, expect

from einthoven.boards.board import build, load_board, running
from einthoven.device_log.copy import read_copy
from einthoven.device_log.reader import read_log
from einthoven.fleet.firmware import Firmware
from einthoven.fleet.image import sign, version_number
from einthoven.fleet.page_images import manifest
from einthoven.hil_tests.browser import Cable, chromium, connect, faults, opened, until
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.lone import STRIP, Lone
from einthoven.native import core
from einthoven.page import html, with_firmware
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


def export(page: Page, name: str, folder: Path) -> Path:
    """What a button gives, unpacked."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    return path


@contextmanager
def giving(folder: Path) -> Iterator[tuple[str, Callable[[bytes], int]]]:
    """The host board, whose ADC gives what the test writes, when it writes it."""
    board = load_board("host")
    build(board)
    assert board.command is not None
    os.mkfifo(folder / "adc")
    fifo = os.open(folder / "adc", os.O_RDWR)  # so that opening it waits for nobody
    command = (*board.command, "--adc", str(folder / "adc"))
    try:
        with running(dataclasses.replace(board, command=command)) as url:
            yield url, lambda data: os.write(fifo, data)
    finally:
        os.close(fifo)


def _reached(bar: Locator, seconds: float) -> bool:
    return float(bar.evaluate("b => b.value")) >= seconds


def test_a_strip_and_its_files(browser: Browser, tmp_path: Path) -> None:
    """Read back with wfdb, pyedflib and edfio: the samples, and the beats, are the board's."""
    ecg = make_record(11, 40.0, float(core.rate_hz())).samples.astype("<i2")
    with giving(tmp_path) as (url, write), Cable(url) as cable, opened(browser, cable) as watch:
        write(ecg[:600].tobytes())
        page = connect(watch)
        page.get_by_role("tab", name="Strip").click()
        page.get_by_role("button", name="Record a strip").click()
        bar = page.locator("progress")
        expect(bar).to_be_visible()
        for end in range(600, 5400, 600):
            write(ecg[end - 600 : end].tobytes())
            until(page, partial(_reached, bar, (end - 60) / 180))
        write(ecg[4800:5460].tobytes())
        expect(page.locator(".said")).to_contain_text("% sure")
        assert faults(page) == []
        wfdb_zip = export(page, "WFDB", tmp_path)
        edf = export(page, "EDF+", tmp_path)
        export(page, "CSV", tmp_path)
        letters = "".join(t[0] for t in page.locator("text.beat").all_text_contents())
    name = edf.stem
    assert wfdb_zip.name == f"{name}-wfdb.zip"
    record = wfdb.rdrecord(str(tmp_path / name), physical=False)
    assert (record.fs, record.sig_len, record.adc_gain) == (180, 5400, [200.0])
    signal = record.d_signal[:, 0]
    np.testing.assert_array_equal(signal, ecg[:5400])
    read = core.analyze(ecg[:5460].astype(np.int16), 200, (-2048, 2047))
    marks = wfdb.rdann(str(tmp_path / name), "ein")
    # A strip ends before the board has judged its last beats; those that it told are these.
    assert marks.sample.tolist() == read.t_samples[: len(marks.sample)].tolist()
    assert len(marks.sample) > 25 and "".join(marks.symbol) == letters
    assert any("Not a medical device" in line for line in record.comments)
    with pyedflib.EdfReader(str(edf)) as other:
        np.testing.assert_array_equal(other.readSignal(0, digital=True), signal)
        texts = other.readAnnotations()[2].tolist()
    assert edfio.read_edf(edf).duration == 30
    assert [t[0] for t in texts if t[0] in "NSVFQ" and len(t) < 9] == list(letters)
    with (tmp_path / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(r["mv"]) for r in rows], signal / 200, atol=5e-5)
    assert "".join(r["beat"] for r in rows) == letters


def test_a_device_records_a_strip_of_its_own(browser: Browser, tmp_path: Path) -> None:
    """By its own mode; its log keeps it, and the verdict is the same."""
    with (
        playing("host_device", tmp_path, 3) as url,
        Cable(url) as cable,
        opened(browser, cable) as watch,
    ):
        page = connect(watch)
        page.get_by_role("tab", name="Strip").click()
        page.get_by_role("button", name="Record a strip").click()
        told = page.locator(".said")
        expect(told).to_contain_text("% sure")
        words = told.inner_text()
        page.get_by_role("tab", name="Log").click()
        page.get_by_role("button", name="Fetch the log").click()
        expect(page.locator(".said")).to_have_text(words)


def test_a_log_behind_a_key(browser: Browser, tmp_path: Path) -> None:
    """A wrong key, the right one; the log is fetched, and its copy is what Python reads."""
    lone = Lone(tmp_path, make_record(11, 60.0, 180.0).samples)
    lone.live(STRIP)
    (kept,) = lone.log().strips
    key = tmp_path / "clinic.key"
    key.write_text(bytes(range(32)).hex())
    with playing("host_device", tmp_path, 1, "--log", str(lone.log_file)) as url:
        with Device(url) as device:
            device.set_key(bytes(range(32)))
        with Cable(url) as cable, opened(browser, cable) as watch:
            page = watch.page
            page.get_by_role("button", name="Connect a board").click()
            expect(page.get_by_role("heading", name="wants its key")).to_be_visible()
            assert faults(page) == []
            page.get_by_label("or its 64 digits").fill("ab" * 32)
            page.get_by_role("button", name="Open", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text("Wrong key")
            page.get_by_label("Key file").set_input_files(key)
            expect(page.locator("tbody tr").first).to_be_attached()
            page.get_by_role("tab", name="Log").click()
            page.get_by_role("button", name="Fetch the log").click()
            expect(page.locator(".said").first).to_contain_text("% sure")
            assert faults(page) == []
            copy = export(page, "Copy for", tmp_path)
            export(page, "WFDB", tmp_path)
            edf = export(page, "EDF+", tmp_path)
            page.get_by_role("tab", name="Board").click()
            expect(page.get_by_text("records nothing")).to_be_hidden()
            assert faults(page) == []
    read = read_log(read_copy(copy))
    (strip,) = read.strips
    np.testing.assert_array_equal(strip.samples, kept.samples)
    record = wfdb.rdrecord(str(tmp_path / strip.name), physical=False)
    np.testing.assert_array_equal(record.d_signal[:, 0], kept.samples)
    np.testing.assert_array_equal(edfio.read_edf(edf).signals[0].digital, kept.samples)


def judged(page: Page) -> dict[str, str]:
    """Item to `passed`, `failed` or `not judged`, once the check is over."""
    expect(page.locator("table.items")).to_be_visible()
    rows = page.locator("table.items tr").all()
    return {r.locator("th").inner_text(): r.locator("td").first.inner_text()[2:] for r in rows}


@pytest.mark.parametrize("stuck", [False, True])
def test_a_board_is_checked(browser: Browser, tmp_path: Path, stuck: bool) -> None:
    """A good one, and one whose converter gives the same value for ever."""
    ecg = make_record(11, 40.0, float(core.rate_hz())).samples.astype("<i2")
    if stuck:
        ecg[:] = 20
    with giving(tmp_path) as (url, write), Cable(url) as cable, opened(browser, cable) as watch:
        page = watch.page
        write(ecg[:600].tobytes())
        page.get_by_role("button", name="Connect a board").click()
        page.get_by_role("tab", name="Board").click()
        page.get_by_role("button", name="Check", exact=True).click()
        bar = page.locator("progress[aria-label='Check this board']")
        expect(bar).to_be_visible()
        at, table = 600, page.locator("table.items")
        while not table.is_visible():
            # A second of signal at a time, as fast as the page takes it.
            seen = bar.evaluate("b => b.value")
            write(np.roll(ecg, -at)[:180].tobytes())
            at += 180
            for _ in range(40):
                if table.is_visible() or bar.evaluate("b => b.value") != seen:
                    break
                page.wait_for_timeout(50)
        found = judged(page)
        assert faults(page) == []
    none = dict.fromkeys(("Flash", "RAM", "Front end"), "not judged")
    verdict = "failed" if stuck else "passed"
    assert found == {**dict.fromkeys(("Model and pipeline", "Engine"), "passed"), **none} | {
        "Signal": verdict
    }


def test_an_emulated_chip_is_checked(browser: Browser) -> None:
    """Its flash against the firmware in the page: the right one, and another."""
    board, other = load_board("qemu_stm32f405"), load_board("blackpill_f411ce")
    image = build(board).with_suffix(".bin")
    told = manifest([(other, Firmware(board.name, image, image))])
    carried = told["images"][0] | {"board": board.name}
    wrong = carried | {"program": {"bytes": image.stat().st_size, "crc32": 1}}
    for entry, verdict in ((carried, "passed"), (wrong, "failed")):
        told["images"] = [entry]
        with (
            running(board) as url,
            Cable(url, change=partial(with_firmware, manifest=told)) as cable,
            opened(browser, cable) as watch,
        ):
            page = watch.page
            page.get_by_role("button", name="Connect a board").click()
            page.get_by_role("tab", name="Board").click()
            page.get_by_role("button", name="Check", exact=True).click()
            found = judged(page)
        assert found["Flash"] == verdict and found["RAM"] == found["Engine"] == "passed"


def test_an_update_by_the_page(browser: Browser, tmp_path: Path) -> None:
    """Another board's image is refused in words; the right one runs after it."""
    program, slots = random.Random(1).randbytes(3000), tmp_path / "slots"
    old, new = version_number("0.2.0"), version_number("0.3.0")
    first, second = 0x08020000, 0x08040000
    slots.write_bytes(sign(program, "host_device", old, first, None).file)
    foreign, good = tmp_path / "foreign.img", tmp_path / "good.img"
    foreign.write_bytes(sign(program, "pico", new, second, None).file)
    good.write_bytes(sign(program, "host_device", new, second, None).file)
    with playing("host_device", tmp_path, 1, "--slots", str(slots)) as url:
        with Device(url) as device:
            device.update_status(confirm=True)
        with Cable(url) as cable, opened(browser, cable) as watch:
            page = connect(watch)
            page.get_by_role("tab", name="Board").click()
            image = page.get_by_label("Choose an image")
            image.set_input_files(foreign)
            expect(page.get_by_text("The image is for pico")).to_be_visible()
            image.set_input_files(good)
            expect(page.get_by_text("The device starts it now")).to_be_visible()
        with Device(url) as device:
            assert (device.update_status().running, device.update_status().version) == (1, new)


def test_garbage_on_the_line(browser: Browser, tmp_path: Path) -> None:
    """Noise before each connection, and none of it hides the board."""
    noise = np.random.default_rng(3).bytes(700)
    with (
        playing("host", tmp_path) as url,
        Cable(url, noise) as cable,
        opened(browser, cable) as watch,
    ):
        page = connect(watch)
        page.get_by_role("tab", name="Board").click()
        expect(page.locator("dl.facts").first).to_contain_text("damaged frames")
        assert "0 damaged frames" not in page.locator("dl.facts").first.inner_text()


def test_served_with_a_token(browser: Browser, tmp_path: Path) -> None:
    """No Web Serial: the page speaks to the program that it came from."""
    with (
        playing("host", tmp_path) as url,
        Cable(url) as cable,
        opened(browser, cable, f"#token={cable.TOKEN}", serial=False) as watch,
    ):
        expect(watch.page.locator("tbody tr").first).to_be_attached()


def test_the_emulated_chip(browser: Browser) -> None:
    board = load_board("qemu_stm32f405")
    build(board)
    with running(board) as url, Cable(url) as cable, opened(browser, cable) as watch:
        page = watch.page
        page.get_by_role("button", name="Connect a board").click()
        expect(page.locator("header .place")).to_contain_text("qemu_stm32f405")
        expect(page.locator(".desk")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "hi", "vi"])
def test_each_language_fits_a_telephone_both_ways(browser: Browser, language: str) -> None:
    size = {"width": 360, "height": 760}
    with (
        Cable("socket://127.0.0.1:1") as cable,
        opened(browser, cable, locale=language, viewport=size) as watch,
    ):
        page = watch.page
        assert page.evaluate("document.documentElement.lang") == language
        for direction in ("ltr", "rtl"):
            page.evaluate(f"document.documentElement.dir = '{direction}'")
            for tab in page.get_by_role("tab").all():
                tab.click()
                assert page.evaluate("document.documentElement.scrollWidth") <= 360
                assert faults(page) == []


_DRAWN = """() => {
  const at = (layer) => new DOMMatrix(document.querySelector(layer).style.transform).e;
  const left = document.querySelector(".chart").getBoundingClientRect().left;
  const points = [...document.querySelectorAll(".curve path")]
    .flatMap((p) => (p.getAttribute("d") ?? "").split(/[ML]/).slice(1))
    .map((p) => p.split(" ").map(Number))
    .map(([x, y]) => [x + at(".curve"), y]);
  const beats = [...document.querySelectorAll(".marks path.beat")]
    .map((p) => p.getBoundingClientRect())
    .map((box) => (box.left + box.right) / 2 - left);
  return { points, beats };
}"""


def test_letters_stand_above_their_r(browser: Browser, tmp_path: Path) -> None:
    """Trace and marks are layers of their own: in step, enlarged, and after 30,000 pixels, too."""
    rate_hz = core.rate_hz()
    size = {"width": 1920, "height": 1080}
    with (
        playing("host", tmp_path, 20) as url,
        Cable(url) as cable,
        opened(browser, cable, viewport=size) as watch,
    ):
        page = connect(watch)

        def has_come(seconds: int) -> bool:
            return float(page.locator(".history").get_attribute("max") or 0) > seconds

        for enlarged, seconds in ((5, 20), (12, 130)):
            until(page, partial(has_come, seconds))
            page.get_by_role("button", name="Freeze").click()
            page.evaluate("new Promise(requestAnimationFrame)")
            page.evaluate("new Promise(requestAnimationFrame)")
            drawn = page.evaluate(_DRAWN)
            x, y = np.array(drawn["points"]).T
            checked = 0
            second = 25 * enlarged
            for beat in drawn["beats"]:
                near = np.abs(x - beat) < 0.15 * second
                if near.sum() > 0.29 * rate_hz:  # not at an edge
                    assert abs(x[near][np.argmin(y[near])] - beat) < 0.02 * second
                    checked += 1
            assert checked > 3
            page.get_by_role("button", name="Live", exact=True).click()
            for _ in range(7):
                page.locator(".chart").press("+")


def test_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    """Tabs, calipers, and the way back in time."""
    with playing("host", tmp_path) as url, Cable(url) as cable, opened(browser, cable) as watch:
        page = connect(watch)
        expect(page.locator("tbody tr").nth(2)).to_be_attached()
        page.get_by_role("button", name="Calipers").press("Enter")
        shown = page.locator(".readout")
        expect(shown).to_contain_text("mV")
        before = shown.inner_text()
        page.locator(".chart").press("ArrowRight")
        expect(shown).not_to_have_text(before)
        page.locator(".chart").press("End")
        expect(shown).to_have_text("25 mm/s · 10 mm/mV")
        page.get_by_role("tab", name="Live").press("ArrowRight")
        expect(page.get_by_role("tab", name="Strip")).to_be_focused()
