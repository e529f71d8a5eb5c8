"""Beat-by-beat agreement: a board with the host, the engine with TFLite Micro, a run with another.

The host's answer is the same C code (signal path and generated engine) compiled for the host,
so every field of every beat must be equal. Only `count`, the inference's cost, may differ.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.native.confidence import Confidence
from einthoven.native.core import FLAG_PASSED, Beats
from einthoven.native.events import BEAT, RHYTHM, SIGNAL_STATE, Events
from einthoven.native.rhythm import RhythmEvents
from einthoven.native.strip import Strip
from einthoven.native.vote import Vote
from einthoven.report.description import Difference as Listed
from einthoven.report.findings import RunComparison, without_beats
from einthoven.report.overview import AgreementSummary, WithoutBeats
from einthoven.report.run import RunDir

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
    gate: Strip,
    end_samples: int,
    unadapted: NDArray[np.int8] | None = None,
    passed: NDArray[np.bool_] | None = None,
) -> Events:
    """The host's beats in the board's terms.

    `logits`: int8 [n, 5], the model's for the n beats; `unadapted`: those without the patient's
    head, where there is one. To both their kinds' vote is added. The class is the largest logit
    then, the first on a tie, unless the `gate` of a record of `end_samples` makes it Q; `count`
    is 0. `passed`: [n] beats for which the network was not run.
    """
    rows = np.zeros(len(beats.t_samples), dtype=BEAT)
    rows["t_samples"], rows["t_emitted"] = beats.t_samples, beats.t_emitted
    rows["flags"] = beats.flags
    if passed is not None:
        rows["flags"][passed] |= FLAG_PASSED
    rows["rr_prev"], rows["rr_next"] = beats.rr_prev_samples, beats.rr_next_samples
    voted = vote.of(logits, beats)
    rows["logits"] = voted
    rows["unadapted"] = voted if unadapted is None else vote.of(unadapted, beats)
    rows["confidence"], unsure = confidence.of(voted, beats.flags)
    rows["label"], rows["unsure"] = gate.gate(
        beats.t_samples, voted.argmax(axis=1), rows["confidence"], unsure, end_samples
    )
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


def differing_logits(
    t_samples: NDArray[np.int64], pairs: Mapping[str, tuple[NDArray[np.int8], NDArray[np.int8]]]
) -> list[Difference]:
    """Beats at `t_samples` [n] whose network outputs, two of int8 [n, 5] by name, differ.

    What follows from equal logits is equal: vote, confidence and gate have one code only.
    """
    return [
        Difference(int(t_samples[k]), what, str(left[k].tolist()), str(right[k].tolist()))
        for k in range(len(t_samples))
        for what, (left, right) in pairs.items()
        if (left[k] != right[k]).any()
    ]


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


def compare_runs(left: RunDir, right: RunDir, limit: int = 20) -> RunComparison:
    """Compare all records that both runs have finished, beat by beat.

    Raises UsageError if nothing is compared: no common record, or none with a beat.
    """
    ours, theirs = left.finished(), right.finished()
    names = [name for name in ours if name in set(theirs)]
    if not names:
        raise UsageError(
            f"nothing to compare: {left.path} has finished {_names(ours)}, {right.path} "
            f"{_names(theirs)}, and no record is in both"
        )
    beats, states_differ, differing = 0, 0, {}
    differences: list[Listed] = []
    for name in names:
        one, other = left.read_events(name), right.read_events(name)
        found = differing_beats(one.beats, other.beats)
        beats += len(np.union1d(one.beats["t_samples"], other.beats["t_samples"]))
        states_differ += len(set(one.states.tolist()) ^ set(other.states.tolist()))
        if found:
            differing[name] = len(found)
            differences += listed(found, name, "runs", left.plan.rate_hz, limit)
    if not beats and not states_differ:
        said = without_beats(left, [left.read_result(name) for name in names])
        raise UsageError(f"nothing to compare: {_reasons(said)}")
    only = [n for n in ours if n not in set(names)], [n for n in theirs if n not in set(names)]
    return RunComparison(names, beats, differing, states_differ, differences[:limit], only)


def require_beats(run: RunDir, agreement: AgreementSummary) -> None:
    """Raise UsageError, with the reasons, for a run in which nothing was compared."""
    if agreement.beats or agreement.device_vs_host_int8 or agreement.signal_states_differ:
        return
    if agreement.without_beats is UNSET:
        raise UsageError(f"nothing was compared: no record of {run.path} is finished")
    raise UsageError(f"nothing was compared: {_reasons(agreement.without_beats)}")


def _reasons(records: Sequence[WithoutBeats]) -> str:
    said = [f"no beat in {e.record} ({e.reason})" for e in records[:5]]
    more = [f"nor in {len(records) - 5} more records"] if len(records) > 5 else []
    return ", ".join(said + more) or "no record has a beat"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "none") + more
