"""What the firmware and its boards leave a study's network."""

import re

import numpy as np
import pytest

from codegen import tflite_reader
from codegen.lower import lower
from codegen.testing import bare_target
from codegen.testing.bench import size_of
from einthoven.paths import ROOT, SHIPPED_MODEL
from training.studies import board


def test_the_shipped_model_takes_what_is_subtracted(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    graph = lower(tflite_reader.parse((SHIPPED_MODEL / "model.tflite").read_bytes()))
    folder = tmp_path_factory.mktemp("shipped")
    nothing = [np.zeros((1, tensor.size), dtype=np.int8) for tensor in graph.inputs]
    bare_target.run(graph, nothing, "m4", folder)
    size = size_of(folder / "bare.elf")
    assert size.code + size.constants == pytest.approx(board.SHIPPED_FLASH, rel=0.01), (
        "put the new figure into training/studies/board.py and make the page again"
    )
    flash, ram = board.rest()
    assert flash > 10_000 and ram > 8_000


def test_the_projects_own_boards_give_an_image_what_their_linker_script_says() -> None:
    script = (ROOT / "boards" / "stm32f4" / "stm32f4.ld").read_text(encoding="utf-8")
    [(flash, ram)] = re.findall(r"LENGTH = (\d+)K\n.*LENGTH = (\d+)K - 64", script)
    own = board.CHIPS[1]
    assert (own.flash, own.ram) == (int(flash) * 1024, int(ram) * 1024 - 64)
