"""The pictures of the wiring are what `board.toml` says, and so is the C."""

import re
import tomllib

from einthoven.front_ends.wiring import draw, main, pictures
from einthoven.paths import BOARDS


def test_pictures_are_what_the_boards_say() -> None:
    assert main(["--check"]) == 0


def test_the_stm32_samples_the_pin_that_is_drawn() -> None:
    sources = [(BOARDS / family / "stream.c").read_text() for family in ("stm32f1", "stm32f4")]
    found = [re.search(r"#define CHANNEL (\d+)u", source) for source in sources]
    channel, other = found
    assert channel is not None  # ADC1's channel n is pin PAn for n below 8
    assert other is not None and channel[1] == other[1]
    drawn = {name.split("-")[0] for name in pictures()} - {"feather_f405", "esp32c3"}
    assert drawn
    for name in drawn:
        table = tomllib.loads((BOARDS / name / "board.toml").read_text())
        assert table["front_end"]["ad8232"]["OUTPUT"] == f"PA{channel[1]}"


def test_the_esp32_c3_samples_the_pin_that_is_drawn() -> None:
    header = (BOARDS / "esp32c3" / "board.h").read_text()
    pin = re.search(r"#define EIN_BOARD_ADC_PIN (\d+)", header)
    assert pin is not None and int(pin[1]) <= 4, "GPIO0 to 4 are ADC1's channels 0 to 4"
    table = tomllib.loads((BOARDS / "esp32c3" / "board.toml").read_text())
    assert table["front_end"]["ad8232"]["OUTPUT"] == f"GPIO{pin[1]}"


def test_the_feather_is_wired_as_its_c_says() -> None:
    """`board.h` has the chip's pin and, behind it, the board's name of it."""
    header = (BOARDS / "feather_f405" / "board.h").read_text()
    named = dict(re.findall(r"#define EIN_BOARD_PIN_(\w+) .*?/\* (\w+)", header))
    named["OUTPUT"] = re.search(r"ADC_CHANNEL 4u\s+/\* (\w+): PA4", header)[1]  # type: ignore[index]
    wired = tomllib.loads((BOARDS / "feather_f405" / "board.toml").read_text())["front_end"]
    same = {
        "ad8232": {"OUTPUT": "OUTPUT", "LO+": "LEAD_P", "LO-": "LEAD_N", "SDN": "FRONT_END_RESET"},
        "ads1292r": {"CS": "CS", "DRDY": "READY", "PWDN/RESET": "FRONT_END_RESET"},
        "max30003": {"CSB": "CS", "INTB": "READY"},
    }
    for part, pins in same.items():
        for pin, name in pins.items():
            assert wired[part][pin] == named[name], (part, pin)


def test_a_picture_names_every_pin() -> None:
    svg = draw("PART", "board", {"A&B": "P1", "GND": "GND"})
    assert all(text in svg for text in (">A&amp;B<", ">P1<", ">GND<", "PART to board"))
