"""Firmware written by the page in headless Chromium, into models of chips' boot loaders."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from einthoven.boards import uf2
from einthoven.boards.board import load_board
from einthoven.errors import BoardError
from einthoven.fleet.firmware import Firmware
from einthoven.fleet.page_images import manifest, way
from einthoven.fleet.testing.esp_rom import EspRom
from einthoven.fleet.testing.line import Wire
from einthoven.fleet.testing.stm32_rom import FLASH, Stm32Rom
from einthoven.hil_tests.browser import Cable, Watch, chromium, faults, opened
from einthoven.page import with_firmware

IMAGE = hashlib.shake_128(b"firmware").digest(3001)
"""Neither whole words nor whole blocks, and not to be compressed."""
BOARDS = ("blackpill_f411ce", "esp32c3", "pico")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def carried(folder: Path) -> dict[str, Any]:
    """A manifest whose firmware is `IMAGE`."""
    path = folder / "image.bin"
    path.write_bytes(IMAGE)
    return manifest([(load_board(name), Firmware(name, path, path)) for name in BOARDS])


@contextmanager
def ready(browser: Browser, told: dict[str, Any], board: str, port: str = "") -> Iterator[Watch]:
    """The page with that firmware, at its card, with that board chosen and `port` at the cable."""
    with (
        Cable(
            port or "socket://127.0.0.1:1", change=lambda page: with_firmware(page, told)
        ) as cable,
        opened(browser, cable) as watch,
    ):
        watch.page.get_by_role("tab", name="Board").click()
        watch.page.get_by_role("combobox", name="Board").select_option(board)
        yield watch


def card(watch: Watch) -> Locator:
    return watch.page.locator("section.card", has_text="Write firmware into a board")


def write(watch: Watch, says: str) -> None:
    """Press the button, and wait for the last word."""
    watch.page.get_by_role("button", name="Write the firmware").click()
    expect(card(watch).get_by_role("status")).to_contain_text(says)
    expect(card(watch).locator("progress")).to_be_hidden()


DONE = "Written and compared"


def test_an_stm32_byte_for_byte(browser: Browser, tmp_path: Path) -> None:
    with Stm32Rom() as chip, ready(browser, carried(tmp_path), BOARDS[0], chip.port) as watch:
        assert faults(watch.page) == []
        write(watch, DONE)
        assert bytes(chip.flash[: len(IMAGE)]) == IMAGE and set(chip.flash[len(IMAGE) :]) == {0xFF}
        assert chip.started == FLASH
        (line,) = watch.page.evaluate("cable.opened")
        # AN3155, 2.2: 8 data bits, even parity, one stop bit.
        assert (line["dataBits"], line["parity"], line["stopBits"]) == (8, "even", 1)


def test_an_esp32_byte_for_byte(browser: Browser, tmp_path: Path) -> None:
    with EspRom() as chip, ready(browser, carried(tmp_path), "esp32c3", chip.port) as watch:
        write(watch, DONE)
        assert bytes(chip.flash[: len(IMAGE)]) == IMAGE and chip.stub
        lines = watch.page.evaluate("cable.signals")
        # EN hangs on RTS: into the boot loader at first, and restarted in the end.
        rts = [line["requestToSend"] for line in lines if "requestToSend" in line]
        assert rts[-2:] == [True, False]


@pytest.mark.parametrize(
    ("chip", "board", "says"),
    [
        (lambda: Stm32Rom(device_id=0x413), BOARDS[0], "The chip is 0x413, and the firmware is"),
        (lambda: Stm32Rom(locked=True), BOARDS[0], "The chip is locked"),
        (lambda: Stm32Rom(cable=700), BOARDS[0], "The link was lost"),
        (lambda: Stm32Rom(worn=frozenset({FLASH + 300})), BOARDS[0], "content differs"),
        (lambda: EspRom(chip="esp32s3"), "esp32c3", "The chip is ESP32-S3, and the firmware is"),
        (lambda: EspRom(locked=True), "esp32c3", "The chip is locked"),
        (lambda: EspRom(cable=700), "esp32c3", "The link was lost"),
        (lambda: EspRom(worn=frozenset({77})), "esp32c3", "content differs"),
    ],
    ids=[f"{c} {f}" for c in ("stm32", "esp32") for f in ("kind", "locked", "cable", "worn")],
)
def test_what_cannot_be_written_is_said_in_one_line(
    browser: Browser, tmp_path: Path, chip: Any, board: str, says: str
) -> None:
    there: Wire = chip()
    with there, ready(browser, carried(tmp_path), board, there.port) as watch:
        write(watch, says)
        assert isinstance(there, Stm32Rom | EspRom)
        if says.startswith("The chip is"):
            assert there.written == 0 and set(there.flash) == {0xA5}


def test_nobody_who_answers_and_a_taken_port(browser: Browser, tmp_path: Path) -> None:
    with Silent() as nobody, ready(browser, carried(tmp_path), BOARDS[0], nobody.port) as watch:
        write(watch, "No boot loader answers")
        watch.page.evaluate("cable.pull()")
        write(watch, "The port cannot be opened")


class Silent(Wire):
    """A board whose program takes all that comes, and says nothing."""

    def talk(self) -> None:
        """Listen only."""
        while True:
            self.take(1)


def test_a_damaged_image_is_not_written(browser: Browser, tmp_path: Path) -> None:
    told = carried(tmp_path)
    told["images"][0]["sha256"] = told["images"][0]["sha256"][::-1]
    with Stm32Rom() as chip, ready(browser, told, BOARDS[0], chip.port) as watch:
        write(watch, "The firmware in this page is damaged")
        assert set(chip.flash) == {0xA5} and watch.page.evaluate("cable.opened") == []


def test_a_pico_s_file(browser: Browser, tmp_path: Path) -> None:
    with ready(browser, carried(tmp_path), "pico") as watch:
        expect(card(watch)).to_contain_text("RPI-RP2")
        with watch.page.expect_download() as waiting:
            watch.page.get_by_role("button", name="Save pico.uf2").click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
        assert file.name == "pico.uf2"
        assert file.read_bytes() == uf2.encode(IMAGE, uf2.FAMILIES["rp2040"])
        assert faults(watch.page) == []


def test_boards_that_the_page_cannot_flash() -> None:
    for name in ("nucleo_f446re", "host", "esp32dev"):
        with pytest.raises(BoardError, match=f"use `einthoven flash {name}`"):
            way(load_board(name))
