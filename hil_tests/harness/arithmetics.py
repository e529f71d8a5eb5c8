"""The float network over the records of a run, beside the int8 one that the board computed.

Who has the network passes it in: training stands above this floor, and needs TensorFlow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.boards.board import Board
from einthoven.codegen.confidence import VOTE_LIMIT
from einthoven.hil_tests.harness.record import known_of
from einthoven.native import core
from einthoven.native.vote import Vote
from einthoven.records.adc import board_signal, board_to_record_time
from einthoven.records.record import read_record
from einthoven.report.judgement import protocols_of, read_reference
from einthoven.report.run import RunDir

Infer = Callable[[NDArray[np.int8], NDArray[np.int8]], NDArray[Any]]
"""[n,216,3], [n,F] tensors of the core to [n,5] logits."""


@dataclass(frozen=True)
class FloatNetwork:
    """The network before it was quantized, opened when it is needed; or why there is none."""

    open: Callable[[], Infer] | None
    missing: str | None = None


def score_float(run: RunDir, board: Board, folder: Path, network: FloatNetwork) -> None:
    """Score the float network on the finished records that lack it, and keep that with them.

    It takes the core's own tensors of the samples that the board got. Raises RecordError,
    ModelError.
    """
    infer: Infer | None = None
    top = 1 << (board.adc_bits - 1)
    for name in run.finished():
        result = run.read_result(name)
        if result.protocols is None or result.float_network is not UNSET or network.open is None:
            continue
        infer = infer or network.open()
        record = read_record(folder, name, run.plan.data.lead, known=known_of(run.plan.options))
        signal = board_signal(record, core.rate_hz(), board.gain_lsb_per_mv, board.adc_bits)
        rails = (-top, top - 1)
        beats = core.analyze(signal.samples, board.gain_lsb_per_mv, rails, gaps=signal.gaps)
        logits = Vote().of_float(infer(beats.signal, beats.features), beats, VOTE_LIMIT)
        times = board_to_record_time(beats.t_samples, record, core.rate_hz())
        labels = [CLASSES[i] for i in logits.argmax(axis=1)]
        scores = protocols_of(read_reference(folder, name), times, labels, record)
        if scores is not None:
            run.write_result(name, replace(result, float_network=scores))
