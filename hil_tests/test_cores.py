"""The application on each emulated core, beside whatever board is under test.

A small sample; `make boards` runs more.
"""

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from einthoven.boards import resources
from einthoven.boards.board import Board, build, load_board, running, with_weights
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.native import core as native_core
from einthoven.native.engine import HostModel
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.synth import make_record

CORES = (
    *("qemu_cortex_m3", "qemu_cortex_m33", "qemu_cortex_m55"),
    *("qemu_hazard3", "qemu_lx106", "rp2040js_pico"),
)
MOVED = (("rp2040js_pico", "ram"), ("qemu_stm32f405", "ram"), ("qemu_stm32f405", "ccm"))
BOARDS = (
    *map(load_board, CORES),
    *(with_weights(load_board(name), where) for name, where in MOVED),
)

RX_BYTES = 1024
"""What can come during an inference, when nobody reads: more were an overrun (`EIN_RX_BYTES`)."""
A_BYTE = {"instructions": 53, "cycles": 92}
"""What the interrupt for one byte takes at most. Instructions, counted in the disassembly: 30 on
the Cortex-M33, 53 on Hazard3, none on the LX106, which polls. Cycles of the Cortex-M0+ (Arm DDI
0484): 62 for 34 instructions, 30 for entry and return."""
TENSORS = 4
"""Beats' tensors and random ones, half and half."""


@pytest.fixture(scope="module", params=BOARDS, ids=lambda b: f"{b.name}-{b.weights}")
def core(request: pytest.FixtureRequest) -> Board:
    build(request.param)
    board: Board = request.param
    return board


def test_it_says_of_a_quarter_of_a_minute_what_the_host_says(core: Board) -> None:
    samples = make_record(3, 15.0, 180.0).samples
    expected, verdict, wrong = Host(SHIPPED_MODEL / "model.tflite", every=1).check(
        samples, 200, (-2048, 2047)
    )
    beats = native_core.analyze(samples, 200, (-2048, 2047))
    rng = np.random.default_rng(3)
    n = TENSORS // 2
    signal, features = (
        np.concatenate([x[:n], rng.integers(-128, 128, x[:n].shape, dtype=np.int8)])
        for x in (beats.signal, beats.features)
    )
    with running(core) as url, Device(url) as device:
        assert device.hello.count_unit == core.count_unit
        alone = [device.bench(s, f) for s, f in zip(signal, features, strict=True)]
        replayed = device.replay(samples)
        told = board_events(replayed.events)
        info = device.info()
        device.reset()
        assert device.hello.reset_reason == "software"
    assert wrong is not None and wrong.differences == []
    rows = told.beats.copy()
    rows["count"] = 0
    assert len(rows) > 10
    assert rows.tobytes() == expected.beats.tobytes()
    assert told.rhythm.tobytes() == expected.rhythm.tobytes()
    assert replayed.verdict == verdict
    assert info["rx_overruns"] == 0
    assert info["stack_used_bytes"] < info["stack_bytes"]
    logits = HostModel().infer(signal, features)
    assert np.array_equal([one.logits for one in alone], logits)
    # Nothing comes while a host waits for one inference: what is left are clamps, branches on some.
    counts = np.array([one.count for one in alone])
    assert np.ptp(counts) < 0.01 * counts.max()
    interrupts = told.beats["count"].astype(np.int64) - counts.min()
    assert interrupts.min() > -0.01 * counts.max()
    assert interrupts.max() < 0.01 * counts.max() + RX_BYTES * A_BYTE[core.count_unit]
    cost = {f"{core.count_unit}_per_inference": int(counts.min())}
    assert resources.image_problems(core, **cost) == []


def test_it_has_room_for_its_stack(core: Board) -> None:
    image = resources.measure(core)
    assert image is not None
    assert image.stack_bound_bytes < image.stack_bytes


def test_core_coupled_memory_is_marched_over_with_ram() -> None:
    board = with_weights(load_board("qemu_stm32f405"), "ccm")
    build(board)
    image = resources.measure(board)
    assert image is not None and image.ccm_bytes > 0
    beats = native_core.analyze(make_record(3, 15.0, 180.0).samples, 200, (-2048, 2047))
    with running(board) as url, Device(url) as device:
        reply = device.ask("memory", "memory_reply").fields
        after = device.bench(beats.signal[0], beats.features[0])
    assert reply["ram_bad"] == 0
    assert reply["ram_bytes"] == len(resources.memory(board)["RAM"]) + image.ccm_bytes
    logits = HostModel().infer(beats.signal[:1], beats.features[:1])
    assert np.array_equal([after.logits], logits), "it keeps what it holds"


def test_the_engine_lies_where_the_board_has_it(core: Board) -> None:
    """Weights and scales are where `weights` says, and all functions, but an STM32's."""
    with core.program.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = [s for s in table.iter_symbols() if s["st_info"]["type"] != "STT_FILE"]
        moved = (".ram", ".ccm.")
        assert not [s.name for s in elf.iter_sections() if s.name.startswith(moved)]
    constants = {s.name for s in symbols if s.name.endswith(("_weights", "_scales"))}
    functions = {
        s.name
        for s in symbols
        if s.name.startswith(("ein_nn_", "ein_model_")) and s["st_info"]["type"] == "STT_FUNC"
    }
    assert {"ein_model_embed", "ein_nn_conv"} <= functions
    assert {"op2_weights", "op2_scales"} <= constants
    memory = resources.memory(core)
    here = memory[core.weights.upper()]
    code = memory["FLASH"] if core.mcu.startswith("STM32") else here
    places = {s.name: s["st_value"] for s in symbols}
    assert {name for name in constants if places[name] not in here} == set()
    assert {name for name in functions if places[name] not in code} == set()
