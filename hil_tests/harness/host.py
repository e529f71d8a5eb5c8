"""What the host says to the samples that a board gets: the same C, and TFLite Micro."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.hil_tests.harness.agreement import (
    Difference,
    differing_logits,
    host_events,
    told,
)
from einthoven.hil_tests.harness.heads import Adapted
from einthoven.native import core, disturbance, strip
from einthoven.native import rhythm as stage
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel, TflmModel
from einthoven.native.events import Events
from einthoven.native.vote import Vote

SAMPLE_EVERY = 13
"""One beat of so many is a sample: a prime, or it would see one half of a bigeminy only."""


@dataclass(frozen=True)
class Check:
    """What a record was compared with TFLite Micro: so many beats, and those that differ."""

    beats: int
    differences: list[Difference]


class Host:
    """The host's answer to the same samples: core and engine, and TFLite Micro for the engine."""

    def __init__(self, tflite: Path | None, every: int = SAMPLE_EVERY) -> None:
        """`tflite`: the file that the engine was made from, for TFLite Micro; None: without.

        TFLite Micro, which takes as long as all else, checks each record's first beat and one of
        `every` from there on.
        """
        self.model = HostModel()
        self._judges = Vote(), Confidence()
        self._strip = strip.Strip()
        self._tflm = TflmModel(tflite) if tflite else None
        self._every = every

    def check(
        self,
        samples: NDArray[np.int16],
        gain_lsb_per_mv: int,
        rails: tuple[int, int],
        adapted: Adapted | None = None,
        gaps: Sequence[tuple[int, int]] = (),
    ) -> tuple[Events, strip.Raw, Check | None]:
        """The host's events for `samples`, its verdict, and how the engine agrees with TFLM.

        None for the latter when TFLM was not asked for. `adapted`: the patient's head; `gaps`:
        (first, number) of the samples that never came.
        """
        running = core.Core(gain_lsb_per_mv, rails)
        beats = running.whole(samples, gaps)
        tensors = beats.signal, beats.features
        embedding = self.model.embed(*tensors)
        unadapted = logits = self.model.head(embedding)
        if adapted is not None:
            logits = self.model.head(embedding, adapted.parameters)
        gate = self._strip, len(samples)
        events = host_events(beats, logits, *self._judges, *gate, unadapted)
        verdict, _ = self._strip.verdict(
            beats,
            events.beats["logits"],
            embedding,
            events.beats["label"],
            events.beats["unsure"],
            running.templates(),
            len(samples),
        )
        judged = events.beats["label"], events.beats["confidence"]
        rhythms = stage.record(samples, *judged, gain_lsb_per_mv, rails, gaps=gaps)
        why = disturbance.states(samples, gain_lsb_per_mv, rails, gaps)
        states = disturbance.joined(events.states, why)
        events = replace(events, rhythm=told(rhythms), states=states)
        if self._tflm is None:
            return events, verdict, None
        some = slice(None, None, self._every)
        sampled = beats.signal[some], beats.features[some]
        pairs = {"logits": (unadapted[some], self._tflm.infer(*sampled))}
        if adapted is not None and adapted.tflm is not None:
            pairs["adapted logits"] = (logits[some], adapted.tflm.infer(*sampled))
        times = beats.t_samples[some]
        return events, verdict, Check(len(times), differing_logits(times, pairs))
