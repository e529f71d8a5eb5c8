"""The display's driver on a model of the SSD1306: every text of `device.toml`, pixel by pixel."""

import ctypes
import subprocess

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.device.spec import load, load_font
from einthoven.device.tests.ssd1306 import Ssd1306
from einthoven.paths import FIRMWARE, GENERATED

_WRITE = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_uint8, ctypes.POINTER(ctypes.c_uint8),
                          ctypes.c_size_t)  # fmt: skip
_PORT = """
#include "ein_device_port.h"
static bool (*to)(uint8_t, const uint8_t *, size_t);
void take(bool (*write)(uint8_t, const uint8_t *, size_t)) { to = write; }
bool ein_device_port_i2c(uint8_t a, const uint8_t *bytes, size_t n) { return to(a, bytes, n); }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("display")
    (folder / "port.c").write_text(_PORT)
    rooms = [f"-I{FIRMWARE / room}" for room in ("device", "front_ends")] + [f"-I{GENERATED}"]
    sources = [str(folder / "port.c"), str(FIRMWARE / "device" / "ein_device_display.c")]
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    program = folder / "display.so"
    subprocess.run(["cc", *flags, *rooms, *sources, "-o", str(program)], check=True)
    return ctypes.CDLL(str(program))


class Bench:
    """The driver, a display, and what hangs on the bus between them."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library, self.display = library, Ssd1306()
        self.answers, self.longest, self.bytes = True, 0, 0
        self._state = ctypes.create_string_buffer(64)
        self._write = _WRITE(self._take)
        library.take(self._write)
        library.ein_device_display_init(self._state)

    def _take(self, address: int, data: object, n: int) -> bool:
        assert address == 0x3C
        if self.answers:
            self.display.write(bytes(data[:n]))  # type: ignore[index]
            self.bytes += n + 1
        return self.answers

    def step(self, text: str, times: int = 1) -> None:
        for _ in range(times):
            before = self.bytes
            self.library.ein_device_display_step(self._state, text.encode())
            self.longest = max(self.longest, self.bytes - before)

    def shows(self) -> str:
        """What can be read in the two pages in the middle; all else must be dark."""
        picture = self.display.bitmap()
        assert not picture[:24].any() and not picture[40:].any()
        return "".join(_read(picture[24:40, 8 * i : 8 * i + 8]) for i in range(16)).rstrip()


def _read(cell: NDArray[np.bool_]) -> str:
    """cell: (16, 8). Each row of a glyph stands twice; "?" would be a glyph like any other."""
    assert np.array_equal(cell[::2], cell[1::2]) and not cell[:, [0, 6, 7]].any()
    columns = [int(np.packbits(cell[::2, x], bitorder="little")[0]) for x in range(1, 6)]
    return chr(0x20 + load_font().index(columns))


def test_the_font_tells_its_characters_apart() -> None:
    font = load_font()
    assert len(font) == 95 and all(len(glyph) == 5 for glyph in font)
    assert len({tuple(glyph) for glyph in font}) == 95
    letter = [[column >> y & 1 for column in font[ord("R") - 0x20]] for y in range(7)]
    assert ["".join(" #"[bit] for bit in row) for row in letter] == [
        "#### ",
        "#   #",
        "#   #",
        "#### ",
        "# #  ",
        "#  # ",
        "#   #",
    ]


def test_every_text_can_be_read(library: ctypes.CDLL) -> None:
    bench = Bench(library)
    bench.step("")
    assert bench.shows() == "", "blank, whatever its memory held"
    bench.longest = 0
    for pattern in load().patterns:
        if pattern.text:
            bench.step(pattern.text, 33)
            assert bench.shows() == pattern.text
    assert bench.longest <= 20, "bytes of a step, addresses included"
    shown = bench.shows()
    before = bench.bytes
    bench.step("", 50)
    bench.step(shown, 50)
    assert bench.shows() == shown and bench.bytes == before, "nothing to send"


def test_a_text_that_changes_half_way_is_shown_whole(library: ctypes.CDLL) -> None:
    bench = Bench(library)
    bench.step("Recording", 20)
    bench.step("Touch electrodes", 33)
    assert bench.shows() == "Touch electrodes"


def test_a_display_that_is_pulled_and_plugged_in_is_set_up_anew(library: ctypes.CDLL) -> None:
    bench = Bench(library)
    bench.step("Ready", 40)
    bench.answers = False
    bench.step("Alarm", 500)
    bench.display, bench.answers = Ssd1306(seed=2), True
    bench.step("Alarm", 240)
    assert bench.shows() == "Alarm"
