"""Bench: what a sample and an inference cost on a board, on a synthetic record, bits checked."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board, running
from einthoven.codegen.testing.firmware_cycles import firmware_cycles
from einthoven.errors import BuildError
from einthoven.hil_tests.harness.device import Device
from einthoven.native import core
from einthoven.native.engine import HostModel
from einthoven.records import synth

_SECONDS = 60.0


@dataclass(frozen=True)
class Bench:
    """Costs in the board's `unit`; `differing` inferences did not give the host's logits."""

    board: str
    model: str
    unit: str
    inferences: NDArray[np.int64]
    """[n] cost of each."""
    multiply_adds: int
    per_sample_mean: float
    per_sample_max: int
    stack_used_bytes: int
    """Deepest use; 0 where the board cannot tell."""
    differing: int
    cycles: dict[str, int] = field(default_factory=dict)
    """Of an inference, modelled, by what memory it runs from; empty if nobody asked, or the board
    counts its own."""
    cycles_note: str = ""
    """Why they are not modelled."""

    def text(self) -> str:
        """A few lines for the terminal."""
        n, costs = len(self.inferences), self.inferences
        lines = [
            f"{self.board}, model {self.model}, {self.multiply_adds:,} multiply-adds a beat",
            f"{n} inferences, {self.differing} differ from the host",
        ]
        if self.unit != "none":
            lines += [
                f"{self.unit} per inference     {costs.mean():12,.0f}  "
                f"(min {costs.min():,}, max {costs.max():,})",
                f"{self.unit} per multiply-add  {costs.mean() / self.multiply_adds:12.2f}",
                f"{self.unit} per sample        {self.per_sample_mean:12,.0f}  "
                f"(max {self.per_sample_max:,}; signal path only)",
            ]
        lines += [
            f"cycles (model) per inference {count:14,}  at {memory}, computed, not measured"
            for memory, count in self.cycles.items()
        ]
        if self.cycles_note:
            lines.append(f"cycles (model): {self.cycles_note}")
        return "\n".join(lines)


def bench_board(board: Board, port: str | None, beats: int, cycles: bool = False) -> Bench:
    """Run a synthetic minute and `beats` single inferences on a board. Raises BoardError.

    `cycles`: of an emulated STM32F4, which counts instructions, model them (docs/performance.md).
    """
    model = HostModel()
    with running(board, port) as url, Device(url, board.baud, expect_board=board) as device:
        who = device.hello
        record = synth.make_record(seed=1, seconds=max(_SECONDS, beats), rate_hz=who.rate_hz)
        gain, rails = who.gain_lsb_per_mv, (who.rail_lo, who.rail_hi)
        found = core.analyze(record.samples, gain, rails)
        signal, features = found.signal[:beats], found.features[:beats]
        logits = model.infer(signal, features)
        results = [device.bench(s, f) for s, f in zip(signal, features, strict=True)]
        short = record.samples[: round(_SECONDS * who.rate_hz)]
        info = device.replay(short).info
    by_model, note = modelled(board) if cycles else ({}, "")
    return Bench(
        board=board.name,
        model=who.model,
        unit=who.count_unit,
        inferences=np.array([r.count for r in results], dtype=np.int64),
        multiply_adds=int(model.macros["EIN_MODEL_MACS"]),
        per_sample_mean=info["sample_count_sum"] / max(info["samples"], 1),
        per_sample_max=info["sample_count_max"],
        stack_used_bytes=info["stack_used_bytes"],
        differing=sum(
            not np.array_equal(r.logits, row) for r, row in zip(results, logits, strict=True)
        ),
        cycles=by_model,
        cycles_note=note,
    )


def modelled(board: Board) -> tuple[dict[str, int], str]:
    """Cycles of an inference of the firmware's engine, by memory, and why there are none."""
    if board.count_unit != "instructions" or not board.mcu.startswith("STM32F4"):
        return {}, ""
    try:
        return firmware_cycles(board.is_device), ""
    except BuildError as error:  # QEMU's plugins, say: what was counted stands without
        return {}, str(error)
