"""A second network in the firmware of every board that is a process, fed over the wire."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from einthoven.boards.board import Board, build, load_board, running, with_network
from einthoven.boards.resources import measure, memory
from einthoven.codegen import network
from einthoven.codegen.testing.random_models import ConvCase, Scribe, noise
from einthoven.codegen.testing.tflite_builder import RELU
from einthoven.errors import BuildError, ModelError, TooLargeError
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Fault, FaultyLink, Noise
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.network import Carried, answers, build_in

LENGTH = 187
INPUTS = noise((LENGTH, 1), 8, seed=3)


def made_up(seed: int, filters: int = 8, outputs: int = 5) -> bytes:
    """A network as a study's: one lead's samples in, logits out."""
    s = Scribe(seed)
    source = s.input([1, 1, LENGTH, 1])
    x = s.conv(source, ConvCase(LENGTH, 1, filters, 5, activation=RELU))
    x = s.conv(x, ConvCase(LENGTH, filters, 8, 5, 2, activation=RELU))
    return s.b.finish([source], [s.dense(s.mean(x), outputs)])


def symbols(board: Board) -> set[str]:
    with board.program.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name for symbol in table.iter_symbols()}


PROCESSES = ["host", "qemu_stm32f405", "qemu_rv32", "rp2040js_pico"]
"""A board of each instruction set; those of one set take a network in the same way."""


@pytest.fixture(scope="module", params=PROCESSES)
def carried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """A board with the network in it; before that, one was refused that no chip here holds."""
    board, folder = load_board(request.param), tmp_path_factory.mktemp("network")
    if board.name != "host":
        with pytest.raises(TooLargeError, match=rf"^huge: .* {board.name}: RAM by [\d,]+ bytes$"):
            build_in(board, "huge", made_up(1, filters=2000), folder, ("speed",))
    return build_in(board, "made-up", made_up(2), folder)


def test_outputs_are_those_of_tflite_micro(carried: Carried) -> None:
    found = answers(carried, INPUTS)
    assert not found.differing.any() and found.retries == 0
    assert len(np.unique(found.outputs, axis=0)) > 4, "inputs that the network tells apart"
    assert found.counts.min() > 10_000
    assert carried.goal == "speed"
    if image := measure(carried.board):
        room = memory(carried.board)
        assert image.flash_bytes < len(room["FLASH"]) and image.ram_bytes < len(room["RAM"])
        assert found.stack_used_bytes <= image.stack_bound_bytes <= image.stack_bytes


def test_the_board_says_which_network_it_carries(carried: Carried) -> None:
    with running(carried.board) as url:
        with Device(url) as device:
            found = device.network()
            assert found is not None
            assert (found.name, found.sha256) == ("made-up", carried.sha256)
            assert (found.input_bytes, found.outputs) == (LENGTH, 5)
            with pytest.raises(ModelError, match="made-up takes 187 values, not 12"):
                device.infer(found, np.zeros(12, dtype=np.int8))
            assert device.hello.model != found.name, "the firmware's own is still there"
        other = replace(carried, name="other", tflite=made_up(3))
        with pytest.raises(ModelError, match=r"carries the network made-up .*, not other"):
            answers(other, INPUTS, url)


@pytest.mark.parametrize("carried", ["host"], indirect=True)
def test_a_bad_cable_changes_nothing(carried: Carried) -> None:
    faults: list[Fault | Noise] = [
        Fault("flip", TO_BOARD, 300, 3),
        Fault("drop", TO_HOST, 400, 20),
        Fault("reset", TO_BOARD, 1000),
        Fault("cut", TO_BOARD, 1300),
    ]
    with running(carried.board) as url, FaultyLink(url, faults) as link:
        found = answers(carried, INPUTS, link.url)
        assert link.faults_left == 0
    assert not found.differing.any() and found.retries > 0


def test_a_default_image_has_no_trace_of_it(carried: Carried) -> None:
    board = load_board(carried.board.name)
    build(board)
    trace = {"ein_network_infer", "ein_app_on_network", "ein_wire_put_network_reply"}
    assert trace < symbols(carried.board)
    assert not trace & symbols(board)
    with running(board) as url:
        with Device(url) as device:
            assert device.network() is None
        with pytest.raises(ModelError, match="carries no network beside its model, not made-up"):
            answers(carried, INPUTS, url)


def test_what_cannot_be_carried_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="esp32dev with a second network is not built here"):
        with_network(load_board("esp32dev"), tmp_path)
    with pytest.raises(ModelError, match="wide has 6 outputs"):
        network.files(made_up(1, outputs=6), "wide", "0" * 64)
