"""A log's strips as WFDB records: signal, beats and rhythm, for PhysioNet's programs and `wfdb`.

`strip_00002_00007.hea`, `.dat` (format 16) and `.ein`, the annotator that Einthoven's runs use,
too: beats with labels N S V F Q, `num` the confidence in percent, `subtype` 1 where the beat is
unsure; rhythm changes as `+`, flutter of the ventricles between `[` and `]`. `RECORDS` lists them.
Samples that were lost have WFDB's value for it (-32768). Header and signal are written by `wfdb`.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import wfdb

from einthoven.aami import CLASSES
from einthoven.device_log.description import DeviceLog, Span, Strip
from einthoven.device_log.files import whole_files
from einthoven.device_log.spans import FLUTTER, rhythm_changes, spans
from einthoven.device_log.times import Clock
from einthoven.device_log.words import NOTICE, device_words, verdict_reasons, verdict_words
from einthoven.records.annotations import ANNOTATOR, write_annotations

LEAD = "ECG"
INVALID = -32768


def write_wfdb(log: DeviceLog, folder: Path, clock: Clock) -> int:
    """Write every strip, and `RECORDS`; returns how many. Raises RecordError, OSError."""
    strips = [s for s in log.strips if len(s.samples)]
    with whole_files(folder) as scratch:
        for strip in strips:
            _write_signal(strip, scratch, clock.at(strip.at), _comments(strip, log, clock))
            write_marks(strip, scratch, spans(strip, log.episodes))
        here = {path.stem for path in folder.glob("strip_*.hea")}
        names = sorted({strip.name for strip in strips} | here)
        (scratch / "RECORDS").write_text("".join(f"{n}\n" for n in names), encoding="ascii")
    return len(strips)


def _write_signal(
    strip: Strip, folder: Path, when: datetime | None, comments: Sequence[str]
) -> None:
    samples = np.maximum(strip.samples.astype(np.int64), INVALID + 1)
    for first, number in strip.lost:
        samples[first : first + number] = INVALID
    wfdb.wrsamp(
        strip.name,
        fs=strip.rate_hz,
        units=["mV"],
        sig_name=[LEAD],
        d_signal=samples.reshape(-1, 1),
        fmt=["16"],
        adc_gain=[strip.lsb_per_mv],
        baseline=[0],
        comments=list(comments),
        base_time=None if when is None else when.time(),
        base_date=None if when is None else when.date(),
        write_dir=str(folder),
    )


def _comments(strip: Strip, log: DeviceLog, clock: Clock) -> list[str]:
    lines = [
        f"Device: {device_words(log.device)}",
        f"Recorded: {clock.text(strip.at)}"
        + (f" {clock.zone_name}" if clock.at(strip.at) else " after it was switched on"),
    ]
    if verdict_words(strip):
        lines.append(f"The device says: {verdict_words(strip)}")
        lines += [f"Reason: {reason}" for reason in verdict_reasons(strip)]
    if not strip.complete:
        lines.append("Not complete: the device was cut off, or a part of it cannot be read")
    lines.append(NOTICE)
    # A header's comment is ASCII for PhysioNet's older programs.
    return [line.encode("ascii", "replace").decode("ascii") for line in lines]


def write_marks(
    strip: Strip,
    folder: Path,
    found: Sequence[Span],
    notes: Sequence[tuple[int, str]] = (),
    name: str = "",
) -> None:
    """Write the annotation file of a strip: beats, rhythm, and `notes` (sample, text).

    `name`: the record's, if it is not the strip's own. Raises RecordError.
    """
    rows: list[tuple[int, int, str, int, int, str]] = [
        (int(b["sample"]), 1, CLASSES[b["label"]], int(b["unsure"]), percent(b["confidence"]), "")
        for b in strip.beats
    ]
    rows += [(at, 0, "+", 0, 0, text) for at, text in rhythm_changes(found)]
    for span in found:
        if span.kind == FLUTTER:
            rows += [(span.begin, 0, "[", 0, 0, ""), (span.end, 2, "]", 0, 0, "")]
    rows += [(at, 3, '"', 0, 0, text) for at, text in notes]
    rows.sort(key=lambda row: row[:2])
    write_annotations(
        folder,
        name or strip.name,
        ANNOTATOR,
        [min(row[0], len(strip.samples) - 1) for row in rows],
        [row[2] for row in rows],
        strip.rate_hz,
        subtype=[row[3] for row in rows],
        num=[row[4] for row in rows],
        aux=[row[5] for row in rows],
    )


def percent(confidence: int) -> int:
    """A confidence in 1/255 as WFDB's `num` and the tables have it."""
    return round(100 * int(confidence) / 255)
