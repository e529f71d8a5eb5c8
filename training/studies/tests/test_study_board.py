"""What the boards leave a study's network."""

import re

import pytest

from einthoven.boards.board import load_board
from einthoven.paths import FIRMWARE, ROOT
from einthoven.training.studies import board

KB = 1024


def test_the_chips_are_those_of_the_linker_script() -> None:
    script = (ROOT / "boards" / "stm32f4" / "stm32f4.ld").read_text(encoding="utf-8")
    [(least, ram)] = re.findall(
        r"DEFINED\(_image_bytes\) \? _image_bytes : (\d+)K\n.*LENGTH = (\d+)K - 64", script
    )
    environment = f"[env:{load_board(board.BOARD).environment}]"
    told = (FIRMWARE / "platformio.ini").read_text().split(environment)[1].split("\n[")[0]
    [own] = re.findall(r"--defsym=_image_bytes=(\d+)K", told)
    emulated, smallest, _ = board.CHIPS
    assert emulated == board.EMULATED
    assert (emulated.flash, smallest.flash) == (int(own) * KB, int(least) * KB)
    assert emulated.ram == smallest.ram == int(ram) * KB - 64


@pytest.mark.parametrize("missing", [{"FLASH": 7}, {"RAM": 5}, {"FLASH": 7, "RAM": 5}])
def test_what_the_linker_misses_is_what_the_chip_lacks(missing: dict[str, int]) -> None:
    lacks = {"flash": missing.get("FLASH", 0), "RAM": missing.get("RAM", 0)}
    assert board.over(board.needed(missing), board.EMULATED) == lacks
