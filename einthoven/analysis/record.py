"""One record through the firmware on the host: annotations, and a line of what was found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.errors import DISK_FULL, EinthovenError, RecordError
from einthoven.native import core, rhythm, session
from einthoven.records.adc import BoardStream, board_to_record_time
from einthoven.records.record import NOTHING_KNOWN, Known, open_record
from einthoven.records.recording import Recording
from einthoven.report import judgement
from einthoven.report.description import (
    Count,
    Entry,
    Label,
    Protocols,
    Seconds,
    Share,
    SignalRead,
    Verdict,
)
from einthoven.scoring import quality
from einthoven.scoring.strips import read_labels

GAIN_LSB_PER_MV = 200
BITS = 12
"""The board that is imagined: the recorder of MIT-BIH, as the host board's ADC is."""


class Lasting(Entry, kw_only=True, frozen=True):
    """Episodes of one kind of rhythm: how many, and for how long in all."""

    episodes: Count
    seconds: Seconds


class Analysis(Entry, kw_only=True, frozen=True):
    """What the device says of one record: a line of `einthoven analyze`.

    `beats` by AAMI class, `unsure` of them; `rate_bpm`: the median of the rates of all intervals
    between sure beats, null without one; `rhythm`: episodes by the rhythm stage's kinds, each with
    the seconds of all of them; `af_burden`: share of the time in atrial fibrillation. `verdict` is
    there for a strip of at most two minutes, `protocols`, EC57's scores, if they were asked for and
    the record has reference annotations.
    """

    record: str
    lead: str
    record_rate_hz: float
    seconds: Seconds
    signal: SignalRead
    beats: dict[Label, Count]
    unsure: Count
    rate_bpm: float | None
    rhythm: dict[str, Lasting]
    af_burden: Share
    verdict: Verdict | UnsetType = UNSET
    protocols: Protocols | UnsetType = UNSET


@dataclass(frozen=True)
class Task:
    """A record to analyze: all that another process or machine needs to know."""

    folder: Path
    name: str
    lead: str | None = None
    known: Known = NOTHING_KNOWN
    out: Path | None = None
    """Folder for the annotation file; None: none is written."""
    score: bool = False
    """Compare with the reference annotations, where there are any."""


def analyze(task: Task) -> Analysis:
    """What the firmware says of a record, written as `<out>/<name>.ein`, too, if asked for.

    Raises RecordError for a record that cannot be read, EinthovenError for a file that cannot be
    written.
    """
    record = open_record(task.folder, task.name, task.lead, known=task.known)
    signal = BoardStream(record, core.rate_hz(), GAIN_LSB_PER_MV, BITS)
    low = -(1 << (BITS - 1))
    events, raw = session.run(signal.pieces(), GAIN_LSB_PER_MV, (low, -low - 1), signal.gaps)
    beats = events.beats
    t_record = board_to_record_time(beats["t_samples"], record, core.rate_hz())
    numbers = np.bincount(beats["label"], minlength=len(CLASSES))
    share = quality.shares(events.states, signal.n_samples)
    spans = judgement.spans(events.rhythm, record, core.rate_hz())
    if task.out is not None:
        found = judgement.annotations(beats, t_record, spans, record)
        judgement.write(task.out, task.name, found, record)
    return Analysis(
        record=task.name,
        lead=record.lead,
        record_rate_hz=record.rate_hz,
        seconds=signal.n_samples / core.rate_hz(),
        signal=judgement.signal_read(record, signal, share),
        beats=dict(zip(CLASSES, numbers.tolist(), strict=True)),
        unsure=int(beats["unsure"].sum()),
        rate_bpm=_rate_bpm(beats),
        rhythm=_told(events.rhythm),
        af_burden=judgement.burden(spans, record),
        verdict=judgement.verdict(raw, raw, read_labels(task.folder).get(task.name)),
        protocols=_scores(task.folder, beats, t_record, record) if task.score else UNSET,
    )


def analyze_or_say(task: Task) -> Analysis | str:
    """`analyze`, or in one line why the record cannot be: for a run that goes on with the others.

    Raises EinthovenError for what would befall the others, too.
    """
    try:
        return analyze(task)
    except RecordError as error:
        return str(error)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise EinthovenError(f"disk full: make room and try again ({error})") from None
        return f"record {task.name}: {error.filename or task.name}: {error.strerror or error}"


def _scores(
    folder: Path, beats: NDArray[np.void], t_record: NDArray[np.int64], record: Recording
) -> Protocols | UnsetType:
    reference = judgement.read_reference(folder, record.name)
    labels = [CLASSES[i] for i in beats["label"]]
    return judgement.protocols_of(reference, t_record, labels, record) or UNSET


def _rate_bpm(beats: NDArray[np.void]) -> float | None:
    whole = (beats["flags"] & core.FLAG_BREAK) == 0
    intervals = beats["rr_prev"][whole & (beats["rr_prev"] > 0) & (beats["unsure"] == 0)]
    if not len(intervals):
        return None
    return round(60.0 * core.rate_hz() / float(np.median(intervals)), 1)


def _told(events: NDArray[np.void]) -> dict[str, Lasting]:
    over = events[events["phase"] == rhythm.END]
    told: dict[str, Any] = {}
    for index, kind in enumerate(rhythm.kinds()):
        mine = over[over["kind"] == index]
        if len(mine):
            samples = (mine["end_samples"].astype(np.int64) - mine["begin_samples"]).sum()
            seconds = round(float(samples) / core.rate_hz(), 3)
            told[kind] = Lasting(episodes=len(mine), seconds=max(seconds, 0.0))
    return told
