"""What a run keeps of one record's events: scores, episodes, rhythm, confidence, verdict, gaps.

Of a board's events as of those that the firmware's session gives on the host.
"""

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.native import core, strip
from einthoven.native import rhythm as stage
from einthoven.native.confidence import ONE
from einthoven.records.adc import BoardSignal, BoardStream, board_to_record_time
from einthoven.records.annotations import (
    ANNOTATOR,
    Annotations,
    read_annotations,
    write_annotations,
)
from einthoven.records.recording import Recording
from einthoven.report.description import (
    Confidence,
    Episodes,
    Gaps,
    Protocols,
    Rhythm,
    SignalRead,
    SignalShare,
    Verdict,
)
from einthoven.report.schema import of_builtins
from einthoven.report.summary import stored
from einthoven.scoring import quality, reliability, rhythm
from einthoven.scoring.comparison import Comparison
from einthoven.scoring.episodes import KINDS, compare_episodes, marks
from einthoven.scoring.score import beat_by_beat, start_times

_TOLD = {"af": "atrial fibrillation", "vf": "ventricular flutter or fibrillation"}


def read_reference(folder: Path, name: str) -> Annotations | None:
    """The reference beats; None for a record that has none, which is replayed all the same."""
    if not (folder / f"{name}.atr").is_file():
        return None
    return read_annotations(folder, name)


def signal_read(
    record: Recording, signal: BoardSignal | BoardStream, share: Mapping[str, float]
) -> SignalRead:
    """How the record was read; `share`: of its time, by `quality.KINDS`."""
    return SignalRead(
        share=SignalShare(**share),
        unreadable=quality.is_unreadable(share),
        coupled=signal.coupled,
        offset_mv=signal.offset_mv,
        unchecked=record.unchecked,
        gaps=gaps_of(record),
    )


def annotations(
    beats: NDArray[np.void],
    t_record: NDArray[np.int64],
    spans: Mapping[str, Sequence[tuple[int, int]]],
    record: Recording,
) -> Annotations:
    """Beats (dtype BEAT) at their times in the record, with the episodes' changes of rhythm.

    Subtype 1 is an unsure beat, num the confidence in percent.
    """
    labels = [CLASSES[i] for i in beats["label"]]
    return marks(
        Annotations.of(t_record, labels, record.rate_hz),
        spans,
        subtype=beats["unsure"],
        num=np.rint(beats["confidence"] * (100 / ONE)),
    )


def write(folder: Path, name: str, found: Annotations, record: Recording) -> None:
    """`<folder>/<name>.ein`, as PhysioNet's programs read it. Raises EinthovenError."""
    write_annotations(
        folder,
        name,
        ANNOTATOR,
        found.samples,
        found.symbols.tolist(),
        record.rate_hz,
        subtype=found.subtype,
        num=found.num,
        aux=found.aux,
    )


def gaps_of(record: Recording) -> Gaps | None:
    """How many gaps a record has, and their samples at its own rate; None without any."""
    if not record.gaps:
        return None
    return Gaps(number=len(record.gaps), samples=sum(n for _, n in record.gaps))


def compare(
    reference: Annotations | None, t_record: NDArray[np.int64], labels: list[str], record: Recording
) -> dict[str, Comparison] | None:
    """Beats at these times of the record against the reference's, by protocol; None without one."""
    if reference is None:
        return None
    test = Annotations.of(t_record, labels, record.rate_hz)
    return beat_by_beat(reference, test, record.rate_hz, record.n_samples)


def stored_protocols(scores: Mapping[str, Comparison] | None) -> Protocols | None:
    """`compare`'s scores as the run folder keeps them."""
    return None if scores is None else Protocols(**{p: stored(s) for p, s in scores.items()})


def protocols_of(
    reference: Annotations | None, t_record: NDArray[np.int64], labels: list[str], record: Recording
) -> Protocols | None:
    """Scores of detections at these times of the record, as the run folder keeps them."""
    return stored_protocols(compare(reference, t_record, labels, record))


def confidence(
    beats: NDArray[np.void],
    labels: list[str],
    reference: Annotations | None,
    scores: Mapping[str, Comparison] | None,
) -> Confidence:
    """How many beats are unsure; over the whole record, how many are wrong by their confidence."""
    rows = None
    if reference is not None and scores is not None:
        found, wrong = reliability.judge(scores["whole"], reference, labels)
        judged = beats[found]
        rows = reliability.rows(reliability.count(judged["confidence"], judged["unsure"], wrong))
    return of_builtins({"unsure": int(beats["unsure"].sum()), "rows": rows}, Confidence)


def verdict(raw: strip.Raw, expected: strip.Raw, label: str | None) -> Verdict | UnsetType:
    """The verdict in words, with the record's label; UNSET where the record is no strip."""
    symbol = strip.symbol(raw)
    if symbol is None:
        return UNSET
    told = {
        "verdict": symbol,
        "probability": round(raw.probability / ONE, 3),
        "reasons": strip.reasons(raw),
        "label": label,
        "differs": raw != expected,
    }
    return of_builtins(told, Verdict)


def rhythm_events(
    beats: NDArray[np.void],
    t_record: NDArray[np.int64],
    labels: list[str],
    reference: Annotations | None,
    record: Recording,
) -> Rhythm:
    """The board's rhythm events by kind, and how they compare with the reference's."""
    broken = (beats["flags"] & core.FLAG_BREAK) != 0
    sequence = rhythm.BeatSequence(t_record / record.rate_hz, labels, broken)
    scored = None
    if reference is not None:
        theirs = rhythm.of_reference(reference, record.rate_hz)
        scored = rhythm.to_dict(rhythm.compare(theirs, sequence))
    events = collections.Counter(e.kind for e in rhythm.find(sequence))
    return of_builtins({"events": dict(events), "scored": scored}, Rhythm)


def spans(
    rhythms: NDArray[np.void], record: Recording, rate_hz: float
) -> dict[str, list[tuple[int, int]]]:
    """The episodes ("af", "vf") that the board told, in samples of the record, in order."""
    spans = {}
    for kind, title in _TOLD.items():
        over = (rhythms["kind"] == stage.kinds().index(title)) & (rhythms["phase"] == stage.END)
        ends = (rhythms[over][name] for name in ("begin_samples", "end_samples"))
        begin, end = (board_to_record_time(t, record, rate_hz).tolist() for t in ends)
        spans[kind] = list(zip(begin, end, strict=True))
    return spans


def burden(spans: Mapping[str, Sequence[tuple[int, int]]], record: Recording) -> float:
    """Share of the record, 0 to 1, in atrial fibrillation."""
    share = sum(end - begin for begin, end in spans["af"]) / max(record.n_samples, 1)
    return min(share, 1.0)


def episodes(
    test: Annotations,
    spans: Mapping[str, Sequence[tuple[int, int]]],
    reference: Annotations | None,
    record: Recording,
) -> Episodes:
    """Share of the record in fibrillation, and EC57's comparison of episodes by protocol."""
    scored = None
    if reference is not None:
        scored = {
            protocol: {
                kind: compare_episodes(
                    reference, test, record.rate_hz, record.n_samples, kind, start_s
                ).to_dict()
                for kind in KINDS
            }
            for protocol, start_s in start_times(record.rate_hz, record.n_samples).items()
        }
    return of_builtins({"af_burden": burden(spans, record), "scored": scored}, Episodes)
