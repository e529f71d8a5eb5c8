"""`einthoven bench`: cycles of the model stand beside what an emulated STM32F4 counts."""

import numpy as np
import pytest

from einthoven.boards.board import load_board
from einthoven.codegen.testing.counted_steps import MEMORIES
from einthoven.hil_tests.harness import bench


def _found(unit: str, cycles: dict[str, int], note: str) -> str:
    costs = np.array([430_000, 440_000])
    return bench.Bench("b", "m", unit, costs, 380_000, 300.0, 900, 0, 0, cycles, note).text()


def test_instructions_and_cycles_are_never_called_by_each_others_name() -> None:
    cycles, note = bench.modelled(load_board("qemu_stm32f405"))
    assert list(cycles) == list(MEMORIES)
    assert not note
    core, flash, in_ram = cycles.values()
    assert core < in_ram < flash < 1.5 * core  # docs/performance.md, "Cycles"
    counted, *lines = _found("instructions", cycles, note).split("cycles (model)")
    assert "instructions per inference" in counted
    assert "cycles" not in counted
    for line, (memory, count) in zip(lines, cycles.items(), strict=True):
        assert memory in line
        assert f"{count:,}" in line
        assert "not measured" in line


@pytest.mark.parametrize("name", ["host", "qemu_rv32", "nucleo_f446re"])
def test_of_no_other_board(name: str) -> None:
    assert bench.modelled(load_board(name)) == ({}, "")


def test_why_there_are_none_is_said() -> None:
    assert _found("instructions", {}, "no 'gcc'").endswith("cycles (model): no 'gcc'")
