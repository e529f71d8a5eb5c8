"""The Feather's image with its constants in core-coupled memory, where the chip has it.

QEMU has nothing at that address: there `test_cores.py` runs the whole application with them at
another one. Here start-up and engine run on an emulated Cortex-M4 with RM0090's memory map.
"""

import numpy as np
import pytest
from unicorn import UC_PROT_READ, UC_PROT_WRITE

from einthoven.boards import resources
from einthoven.boards.board import Board, build, load_board, with_weights
from einthoven.front_ends.tests import stm32f4_registers as f4
from einthoven.native import core
from einthoven.native.engine import HostModel
from einthoven.records.synth import make_record

CCM, CCM_BYTES = 0x10000000, 64 << 10
"""RM0090, 2.3.1: on the bus of data, not on that of instructions."""
CCM_CLOCK = 1 << 20
"""RCC_AHB1ENR, 6.3.10."""
OUTPUTS = 5


@pytest.fixture(scope="module")
def board() -> Board:
    usual = load_board("feather_f405")
    moved = with_weights(usual, "ccm")
    for one in (usual, moved):
        build(one)
    return moved


def test_the_engine_computes_with_what_start_up_has_put_there(board: Board) -> None:
    chip = f4.Chip(board.program)
    chip.uc.mem_map(CCM, CCM_BYTES, UC_PROT_READ | UC_PROT_WRITE)
    chip.start()
    assert chip.reg[f4.AHB1ENR] & CCM_CLOCK
    beats = core.analyze(make_record(3, 15.0, 180.0).samples, 200, (-2048, 2047))
    arena = chip.address["arena"]
    signal, features, embedding, logits = (f4.SCRATCH + 0x400 * i for i in range(4))
    told = []
    for one in range(len(beats.signal)):
        chip.uc.mem_write(signal, beats.signal[one].tobytes())
        chip.uc.mem_write(features, beats.features[one].tobytes())
        chip.call("ein_model_embed", arena, signal, features, embedding)
        chip.call("ein_model_head", arena, 0, embedding, logits)
        told.append(np.frombuffer(chip.uc.mem_read(logits, OUTPUTS), np.int8))
    assert len(told) > 10
    assert np.array_equal(told, HostModel().infer(beats.signal, beats.features))


def test_what_it_takes_of_that_memory_is_measured(board: Board) -> None:
    image, usual = resources.measure(board), resources.measure(load_board("feather_f405"))
    assert image is not None and usual is not None
    assert 0 < image.ccm_bytes <= CCM_BYTES
    assert image.ccm_bytes == image.figures()["ccm_bytes"]
    assert image.ram_bytes == usual.ram_bytes and "ccm_bytes" not in usual.figures()
    assert resources.memory(board)["CCM"] == range(CCM, CCM + CCM_BYTES)
