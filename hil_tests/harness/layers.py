"""Where the engine leaves TFLite Micro: op by op, on the beats of a run.

A board cannot show what its layers compute; the host runs the same generated C on the same tensors.
"""

from dataclasses import dataclass
from pathlib import Path

from einthoven.boards.board import load_board
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.hil_tests.harness.record import known_of
from einthoven.native import core
from einthoven.native.engine import HostModel, TflmModel, first_differing_layer
from einthoven.records.adc import board_signal
from einthoven.records.record import read_record
from einthoven.report.run import RunDir

BEATS_PER_RECORD = 20
"""Compared in every record, besides those on which the run found a difference."""


@dataclass(frozen=True)
class LayerDifference:
    """The first op of one beat whose output is not TFLite Micro's."""

    record: str
    t_samples: int
    op: str
    tensor: str
    values: int
    of: int

    def text(self) -> str:
        """One line."""
        return (
            f"record {self.record}, beat at sample {self.t_samples}: first differing layer is "
            f"{self.op}, tensor '{self.tensor}', {self.values} of {self.of} values"
        )


@dataclass(frozen=True)
class LayerComparison:
    """`beats` were compared over `layers` ops each; `differences` has one entry per beat."""

    beats: int
    layers: int
    differences: list[LayerDifference]


def compare_layers(
    run: RunDir, host: HostModel | None = None, per_record: int = BEATS_PER_RECORD
) -> LayerComparison:
    """Compare every op's output on the host with TFLite Micro's, for beats of all finished records.

    `host`: another engine than the firmware's, opened with `trace`. Raises ModelError, RecordError,
    BuildError.
    """
    options = run.plan.options
    path = Path(options.model) / "model.tflite"
    host = host or HostModel(trace=True)
    tflm = TflmModel(path, trace=True)
    ops = {op.output.index: op for op in lower(reader.parse(path.read_bytes())).ops}
    board = load_board(run.plan.board)
    top = 1 << (board.adc_bits - 1)
    compared, differences = 0, []
    for name in run.finished():
        record = read_record(Path(options.data), name, run.plan.data.lead, known=known_of(options))
        signal = board_signal(record, core.rate_hz(), board.gain_lsb_per_mv, board.adc_bits)
        rails = (-top, top - 1)
        beats = core.analyze(signal.samples, board.gain_lsb_per_mv, rails, gaps=signal.gaps)
        suspects = {d.t_samples for d in run.read_result(name).agreement.differences}
        for i, t in enumerate(beats.t_samples.tolist()):
            if i >= per_record and t not in suspects:
                continue
            compared += 1
            found = first_differing_layer(host, tflm, beats.signal[i], beats.features[i])
            if found is not None:
                op = ops[found[0]]
                differences.append(
                    LayerDifference(
                        name, t, f"op {op.number} {op.kind}", op.output.name, found[1],
                        op.output.size,
                    )
                )  # fmt: skip
    return LayerComparison(compared, len(ops), differences)
