"""Pictures of the page's states, by one command, to be looked at: `make shots`."""

import argparse
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect

from einthoven.boards.board import build, load_board, running
from einthoven.hil_tests.browser import Cable, chromium, connect, opened
from einthoven.records.synth import SynthRecord, make_record

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
        page.get_by_role("button", name="Calipers").click()
        shoot(page, out, "calipers")
        page.evaluate("cable.pull()")
        expect(page.get_by_text("The cable is out")).to_be_visible()
        shoot(page, out, "lost")


STATES = {"welcome": welcome, "live": live}

if __name__ == "__main__":
    main()
