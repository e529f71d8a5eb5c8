"""The pictures of the wiring are what `board.toml` says, and so is the C."""

import re
import tomllib

from einthoven.front_ends.wiring import draw, main, pictures
from einthoven.paths import BOARDS


def test_pictures_are_what_the_boards_say() -> None:
    assert main(["--check"]) == 0


def test_the_stm32f4_samples_the_pin_that_is_drawn() -> None:
    source = (BOARDS / "stm32f4" / "stream.c").read_text()
    channel = re.search(r"#define CHANNEL (\d+)u", source)
    assert channel is not None  # ADC1's channel n is pin PAn for n below 8
    for name in pictures():
        table = tomllib.loads((BOARDS / name.split("-")[0] / "board.toml").read_text())
        assert table["front_end"]["ad8232"]["OUTPUT"] == f"PA{channel[1]}"


def test_a_picture_names_every_pin() -> None:
    svg = draw("PART", "board", {"A&B": "P1", "GND": "GND"})
    assert all(text in svg for text in (">A&amp;B<", ">P1<", ">GND<", "PART to board"))
