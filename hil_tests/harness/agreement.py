"""Beat-by-beat agreement: a board with the host, the engine with TFLite Micro, a run with another.

The host's answer is the same C code (signal path and generated engine) compiled for the host,
so every field of every beat must be equal. Only `count`, the inference's cost, may differ.
"""

import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.native.confidence import Confidence
from einthoven.native.core import Beats
from einthoven.native.rhythm import RhythmEvents
from einthoven.native.vote import Vote
from einthoven.report.description import Difference as Listed
from einthoven.report.run import BEAT, RHYTHM, SIGNAL_STATE, Events, RunDir

FIELDS = (
    *("t_emitted", "flags", "rr_prev", "rr_next", "tensor_crc", "logits", "label"),
    *("unadapted", "confidence", "unsure"),
)
"""Compared for beats at the same R; a beat that only one side has differs as a whole."""


@dataclass(frozen=True)
class Difference:
    """One beat that differs: `what` names the fields, `left` and `right` hold their values."""

    t_samples: int
    what: str
    left: str
    right: str


def host_events(
    beats: Beats,
    logits: NDArray[np.int8],
    vote: Vote,
    confidence: Confidence,
    unadapted: NDArray[np.int8] | None = None,
) -> Events:
    """The host's beats in the board's terms.

    `logits`: int8 [n, 5], the model's for the n beats; `unadapted`: those without the patient's
    head, where there is one. To both their kinds' vote is added. The class is the largest logit
    then, the first on a tie; `count` is 0.
    """
    rows = np.zeros(len(beats.t_samples), dtype=BEAT)
    rows["t_samples"], rows["t_emitted"] = beats.t_samples, beats.t_emitted
    rows["flags"] = beats.flags
    rows["rr_prev"], rows["rr_next"] = beats.rr_prev_samples, beats.rr_next_samples
    voted = vote.of(logits, beats)
    rows["logits"], rows["label"] = voted, voted.argmax(axis=1)
    rows["unadapted"] = voted if unadapted is None else vote.of(unadapted, beats)
    rows["confidence"], rows["unsure"] = confidence.of(voted, beats.flags)
    rows["tensor_crc"] = [
        zlib.crc32(features.tobytes(), zlib.crc32(signal.tobytes()))
        for signal, features in zip(beats.signal, beats.features, strict=True)
    ]
    states = np.zeros(len(beats.signal_events), dtype=SIGNAL_STATE)
    states["t_samples"], states["flags"] = beats.signal_events.T
    return Events(rows, states)


def told(events: RhythmEvents) -> NDArray[np.void]:
    """What the host's rhythm stage told, in the board's terms (dtype RHYTHM)."""
    rows = np.zeros(len(events), dtype=RHYTHM)
    for name in RHYTHM.names or ():
        rows[name] = getattr(events, name)
    return rows


def differing_beats(left: NDArray[np.void], right: NDArray[np.void]) -> list[Difference]:
    """All beats (dtype BEAT) that differ between two sides, in order of time."""
    t_left, t_right = left["t_samples"], right["t_samples"]
    differences = [
        Difference(int(t), "only one side has this beat", "beat", "none")
        for t in np.setdiff1d(t_left, t_right)
    ]
    differences += [
        Difference(int(t), "only one side has this beat", "none", "beat")
        for t in np.setdiff1d(t_right, t_left)
    ]
    _, i, j = np.intersect1d(t_left, t_right, return_indices=True)
    same_left, same_right = left[i], right[j]
    unequal = {name: same_left[name] != same_right[name] for name in FIELDS}
    for name in ("logits", "unadapted"):
        unequal[name] = unequal[name].any(axis=1)
    for k in np.flatnonzero(np.any(list(unequal.values()), axis=0)):
        names = [name for name in FIELDS if unequal[name][k]]
        differences.append(
            Difference(
                int(same_left["t_samples"][k]),
                ", ".join(names),
                _values(same_left[k], names),
                _values(same_right[k], names),
            )
        )
    return sorted(differences, key=lambda d: d.t_samples)


def _values(beat: np.void, names: list[str]) -> str:
    texts = []
    for name in names:
        value = beat[name]
        texts.append(f"{value:08x}" if name == "tensor_crc" else str(value.tolist()))
    return " ".join(texts)


def listed(
    differences: list[Difference], record: str, between: str, rate_hz: float, limit: int = 20
) -> list[Listed]:
    """The first `limit` differences as the run folder keeps them."""
    return [
        Listed(record=record, between=between, time_s=d.t_samples / rate_hz, **asdict(d))
        for d in differences[:limit]
    ]


def compare_runs(left: RunDir, right: RunDir, limit: int = 20) -> dict[str, Any]:
    """Compare the beats of all records that both runs have finished.

    Returns `records` (names), `beats` (of the left run), `differing` (a count per record that
    differs), `differences` (the first `limit`, as in `listed`).
    """
    names = [name for name in left.finished() if name in set(right.finished())]
    beats, differing = 0, {}
    differences: list[Listed] = []
    for name in names:
        ours, theirs = left.read_events(name).beats, right.read_events(name).beats
        found = differing_beats(ours, theirs)
        beats += len(ours)
        if found:
            differing[name] = len(found)
            differences += listed(found, name, "runs", left.plan.rate_hz, limit)
    return {
        "records": names,
        "beats": beats,
        "differing": differing,
        "differences": differences[:limit],
    }
