"""Pictures of the page's states, by one command, to be looked at: `make shots`."""

import argparse
import dataclasses
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, Page, expect

from einthoven.boards.board import build, load_board, running
from einthoven.fleet.firmware import Firmware
from einthoven.fleet.page_images import manifest
from einthoven.hil_tests.browser import Cable, chromium, connect, opened
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.lone import STRIP, Lone
from einthoven.page import with_firmware
from einthoven.records.synth import SynthRecord, demo_strips, make_record

RATE_HZ = 180
SIZES = {"360": (360, 760), "1920": (1920, 1080)}
SCHEMES = ("light", "dark")


@contextmanager
def playing(name: str, ecg: Path, *more: str) -> Iterator[str]:
    """A board that is a process, whose ADC plays `ecg`."""
    board = load_board(name)
    build(board)
    assert board.command is not None
    command = (*board.command, "--adc", str(ecg), *more)
    with running(dataclasses.replace(board, command=command)) as url:
        yield url


def write_ecg(path: Path, record: SynthRecord) -> Path:
    """Samples at 180 Hz, as `--adc` takes them."""
    record.samples.astype("<i2").tofile(path)
    return path


def at_180_hz(record: SynthRecord) -> SynthRecord:
    """As a board would have sampled it."""
    n = round(len(record.samples) * RATE_HZ / record.rate_hz)
    at = np.arange(n) * record.rate_hz / RATE_HZ
    samples = np.rint(np.interp(at, np.arange(len(record.samples)), record.samples))
    return dataclasses.replace(record, samples=samples.astype(np.int16))


def shoot(page: Page, out: Path, name: str) -> None:
    """The same state in each size and scheme."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.wait_for_timeout(400)
            page.screenshot(path=out / f"{name}-{size}-{scheme}.png", full_page=True)


def main() -> None:
    """Write all pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("only", nargs="*", help="states, else all")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, chromium() as browser:
        for name, state in STATES.items():
            if not args.only or name in args.only:
                state(browser, Path(folder), args.out)
                print(name)


def welcome(browser: Browser, folder: Path, out: Path) -> None:
    """Before a board is there, in three languages, and right to left."""
    with Cable("socket://127.0.0.1:1") as cable:
        for language in ("en", "hi", "vi"):
            with opened(browser, cable, locale=language) as watch:
                shoot(watch.page, out, f"welcome-{language}")
        with opened(browser, cable) as watch:
            watch.page.evaluate("document.documentElement.dir = 'rtl'")
            shoot(watch.page, out, "welcome-rtl")


def live(browser: Browser, folder: Path, out: Path) -> None:
    """A heart with ectopic beats; frozen, measured; the cable out."""
    ecg = write_ecg(folder / "live", make_record(11, 120.0, float(RATE_HZ)))
    with playing("host", ecg) as url, Cable(url) as cable, opened(browser, cable) as watch:
        page = connect(watch)
        page.wait_for_timeout(14_000)
        shoot(page, out, "live")
        page.set_viewport_size({"width": 1200, "height": 700})
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(400)
        page.screenshot(path=out / "page.png")  # docs/page.png
        page.get_by_role("button", name="Calipers").click()
        shoot(page, out, "calipers")
        page.evaluate("cable.pull()")
        expect(page.get_by_text("The cable is out")).to_be_visible()
        shoot(page, out, "lost")


def strip(browser: Browser, folder: Path, out: Path) -> None:
    """Under way, and with its verdict: a fibrillating one."""
    ecg = write_ecg(folder / "af", at_180_hz(demo_strips()["fibrillation"]))
    with (
        playing("host", ecg, "--adc-speed", "3") as url,
        Cable(url) as cable,
        opened(browser, cable) as watch,
    ):
        page = connect(watch)
        page.get_by_role("tab", name="Strip").click()
        page.get_by_role("button", name="Record a strip").click()
        page.wait_for_timeout(3000)
        page.screenshot(path=out / "recording.png")
        expect(page.locator(".said")).to_contain_text("% sure")
        shoot(page, out, "strip")
        page.evaluate("window.print = () => {}")
        page.get_by_role("button", name="Print").click()
        page.emulate_media(media="print", color_scheme="light")
        page.set_viewport_size({"width": 794, "height": 1123})
        page.screenshot(path=out / "paper.png", full_page=True)


def bad_signal(browser: Browser, folder: Path, out: Path) -> None:
    """Electrodes off: what to do."""
    (folder / "off").write_bytes((-2048).to_bytes(2, "little", signed=True) * 18_000)
    with (
        playing("host", folder / "off") as url,
        Cable(url) as cable,
        opened(browser, cable) as watch,
    ):
        watch.page.get_by_role("button", name="Connect a board").click()
        expect(watch.page.locator(".hint svg")).to_be_visible()
        shoot(watch.page, out, "lead-off")


def log(browser: Browser, folder: Path, out: Path) -> None:
    """A device that wants its key; its log; itself."""
    lone = Lone(folder, at_180_hz(demo_strips()["fibrillation"]).samples)
    lone.live(STRIP)
    with playing("host_device", folder / "ecg", "--log", str(lone.log_file)) as url:
        with Device(url) as device:
            device.set_key(bytes(32))
        with Cable(url) as cable, opened(browser, cable) as watch:
            page = watch.page
            page.get_by_role("button", name="Connect a board").click()
            expect(page.get_by_role("heading", name="wants its key")).to_be_visible()
            page.get_by_label("or its 64 digits").fill("ab" * 32)
            page.get_by_role("button", name="Open", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text("Wrong key")
            shoot(page, out, "locked")
            page.get_by_label("or its 64 digits").fill("00" * 32)
            page.get_by_role("button", name="Open", exact=True).click()
            page.get_by_role("tab", name="Log").click()
            page.get_by_role("button", name="Fetch the log").click()
            expect(page.locator(".said").first).to_be_visible()
            shoot(page, out, "log")
            page.get_by_role("tab", name="Board").click()
            page.get_by_role("button", name="Check", exact=True).click()
            expect(page.locator("table.items")).to_be_visible()
            shoot(page, out, "board")


def firmware(browser: Browser, folder: Path, out: Path) -> None:
    """What the page carries: for a drive, and for a boot loader that does not answer."""
    image = folder / "image.bin"
    image.write_bytes(bytes(80_000))
    kinds = [load_board(name) for name in ("pico", "blackpill_f411ce")]
    told = manifest([(kind, Firmware(kind.name, image, image)) for kind in kinds])
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"socket://127.0.0.1:{nobody.getsockname()[1]}"
        with (
            Cable(url, change=partial(with_firmware, manifest=told)) as cable,
            opened(browser, cable) as watch,
        ):
            page = watch.page
            page.get_by_role("tab", name="Board").click()
            shoot(page, out, "firmware-pico")
            page.get_by_role("combobox", name="Board").select_option("blackpill_f411ce")
            page.get_by_role("button", name="Write the firmware").click()
            expect(page.get_by_text("No boot loader answers")).to_be_visible()
            shoot(page, out, "firmware-stm32")


def silent(browser: Browser, folder: Path, out: Path) -> None:
    """Nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"socket://127.0.0.1:{nobody.getsockname()[1]}"
        with Cable(url) as cable, opened(browser, cable) as watch:
            watch.page.get_by_role("button", name="Connect a board").click()
            expect(watch.page.get_by_text("Nothing answers")).to_be_visible()
            shoot(watch.page, out, "silent")


STATES = {
    **{"welcome": welcome, "live": live, "strip": strip},
    **{"bad_signal": bad_signal, "log": log, "firmware": firmware, "silent": silent},
}

if __name__ == "__main__":
    main()
