"""Firmware written by the page in headless Chromium, into models of chips' boot loaders."""

import hashlib
from collections.abc import Iterable, Iterator
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
Chip = Stm32Rom | EspRom


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
def at_card(browser: Browser, cable: Cable, board: str) -> Iterator[Watch]:
    """The page at its card for firmware, with that board chosen."""
    with opened(browser, cable) as watch:
        watch.page.get_by_role("tab", name="Board").click()
        watch.page.get_by_role("combobox", name="Board").select_option(board)
        yield watch


@contextmanager
def ready(browser: Browser, told: dict[str, Any], board: str, port: str = "") -> Iterator[Watch]:
    """The page with that firmware at its card, and `port` at the other end of the cable."""
    with (
        Cable(port, change=lambda page: with_firmware(page, told)) as cable,
        at_card(browser, cable, board) as watch,
    ):
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


KIND, LOCKED, LOST, WORN = (
    "and the firmware is for",
    "The chip is locked",
    "The link was lost",
    "The chip's content differs",
)


def _refused(browser: Browser, folder: Path, board: str, chips: Iterable[tuple[Chip, str]]) -> None:
    """One line for each chip; a chip of another kind and a locked one are left as they are."""
    told = carried(folder)
    with (
        Cable("", change=lambda page: with_firmware(page, told)) as cable,
        at_card(browser, cable, board) as watch,
    ):
        for chip, says in chips:
            with chip:
                cable.url = chip.port
                write(watch, says)
                if says in (KIND, LOCKED):
                    assert chip.written == 0 and set(chip.flash) == {0xA5}


def test_an_stm32_that_cannot_be_written(browser: Browser, tmp_path: Path) -> None:
    chips = [
        (Stm32Rom(device_id=0x413), KIND),
        (Stm32Rom(locked=True), LOCKED),
        (Stm32Rom(worn=frozenset({FLASH + 300})), WORN),
        (Stm32Rom(cable=700), LOST),
    ]
    _refused(browser, tmp_path, BOARDS[0], chips)


def test_an_esp32_that_cannot_be_written(browser: Browser, tmp_path: Path) -> None:
    chips = [
        (EspRom(chip="esp32s3"), KIND),
        (EspRom(locked=True), LOCKED),
        (EspRom(worn=frozenset({77})), WORN),
        (EspRom(cable=700), LOST),
    ]
    _refused(browser, tmp_path, "esp32c3", chips)


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
