"""What the host says to the samples that a board gets: the same C, and TFLite Micro."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen import gate as gates
from einthoven.errors import ModelError
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
from einthoven.native.gate import Gate, tflm_scores
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
        """`tflite`: the file that the engine was made from, for TFLite Micro; None: without. The
        gate's, where the model has one, lies beside it.

        TFLite Micro, which takes as long as all else, checks each record's first beat and one of
        `every` from there on: of all beats the gate, of those that do not pass the network.
        Raises ModelError where the gate's file is missing.
        """
        self.model = HostModel()
        self.gate = Gate()
        self._judges = Vote(), Confidence()
        self._strip = strip.Strip()
        self._tflm = TflmModel(tflite) if tflite else None
        self._tflm_gate = None
        if tflite and self.gate.exists:
            path = tflite.parent / gates.TFLITE
            if not path.exists():
                raise ModelError(f"the engine has a gate, and {path} is missing: export again")
            self._tflm_gate = path.read_bytes()
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
        passed = np.zeros(len(beats), dtype=np.bool_)
        if adapted is None:
            passed = self.gate.passes(beats)
        seen = ~passed
        known = self.model.embed(beats.signal[seen], beats.features[seen])
        embedding = np.zeros((len(beats), known.shape[1]), dtype=np.int8)
        unadapted = np.tile(self.gate.logits, (len(beats), 1))
        embedding[seen], unadapted[seen] = known, self.model.head(known)
        logits = unadapted
        if adapted is not None:
            logits = self.model.head(embedding, adapted.parameters)
        gate = self._strip, len(samples)
        events = host_events(beats, logits, *self._judges, *gate, unadapted, passed)
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
        sample = np.arange(len(beats)) % self._every == 0
        some = sample & seen
        sampled = beats.signal[some], beats.features[some]
        pairs = {"logits": (unadapted[some], self._tflm.infer(*sampled))}
        if adapted is not None and adapted.tflm is not None:
            pairs["adapted logits"] = (logits[some], adapted.tflm.infer(*sampled))
        different = differing_logits(beats.t_samples[some], pairs)
        different += self._gate_differences(beats, sample)
        return events, verdict, Check(int(sample.sum()), different)

    def _gate_differences(self, beats: core.Beats, sample: NDArray[np.bool_]) -> list[Difference]:
        """Beats of the sample on which the gate's code and TFLite Micro differ."""
        if self._tflm_gate is None:
            return []
        features = beats.features[sample]
        scores = self.gate.score(features), tflm_scores(self._tflm_gate, features)
        ours, theirs = (score[:, np.newaxis] for score in scores)
        return differing_logits(beats.t_samples[sample], {"gate": (ours, theirs)})
