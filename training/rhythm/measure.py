"""What the firmware's rhythm stage tells on records, held against their annotations.

The chain is the device's own session on the host, from the samples that a 12-bit ADC delivers to
episodes and alarms, one lead, own beats. No record's annotations are seen by it.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.native import core, rhythm, session
from einthoven.records.adc import to_board
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.database import record_names
from einthoven.records.record import read_record
from einthoven.scoring.comparison import LEARNING_S
from einthoven.scoring.episodes import NOTHING, EpisodeScores, compare_episodes, episodes, marks
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV

RESAMPLED = 2000
FLUTTER = ("(VFL", "(VFIB", "(VF")
"""Rhythm labels of vfdb that count as ventricular flutter or fibrillation."""
TACHYCARDIA = (*FLUTTER, "(VT")
BEFORE_S, AFTER_S = 16.0, 10.0
"""An alarm of the Challenge is raised if the device's is told by AFTER_S after it, and still lasts
or ended not more than BEFORE_S before it."""
ALARMS = {
    "Asystole": "asystole",
    "Bradycardia": "alarm: extreme bradycardia",
    "Tachycardia": "alarm: extreme tachycardia",
    "Ventricular_Flutter_Fib": "ventricular flutter or fibrillation",
    "Ventricular_Tachycardia": "alarm: ventricular tachycardia",
}


@dataclass(frozen=True)
class Told:
    """What the device told on one record."""

    name: str
    rate_hz: float
    """Of the record."""
    length: int
    """Of the record, in its samples."""
    events: rhythm.RhythmEvents

    def seconds(self, title: str) -> list[tuple[float, float, float]]:
        """(begin, end, when it was told to have begun) of a kind's episodes, in s."""
        e, code = self.events, rhythm.kinds().index(title)
        begun = (e.kind == code) & (e.phase == rhythm.BEGIN)
        told = dict(zip(e.begin_samples[begun].tolist(), e.t_emitted[begun].tolist(), strict=True))
        over = (e.kind == code) & (e.phase == rhythm.END)
        columns = (e.begin_samples[over], e.end_samples[over], e.t_emitted[over])
        rate = core.rate_hz()
        return [
            (b / rate, x / rate, told.get(b, t) / rate)
            for b, x, t in zip(*(c.tolist() for c in columns), strict=True)
        ]

    def annotations(self, kind: str, title: str) -> Annotations:
        """The episodes of a kind ("af", "vf") as annotations at the record's rate."""
        spans: list[tuple[int, int | None]] = [
            (round(begin * self.rate_hz), round(end * self.rate_hz))
            for begin, end, _ in self.seconds(title)
        ]
        return marks(Annotations.of([], [], self.rate_hz), {kind: spans})


def tell(folder: Path, name: str) -> Told:
    """What the device tells on a record. Raises RecordError."""
    record = read_record(folder, name)
    samples = to_board(record, core.rate_hz(), GAIN_LSB_PER_MV, ADC_BITS)
    events, _ = session.run(samples, GAIN_LSB_PER_MV)
    columns = (events.rhythm[name].astype(np.int64) for name in rhythm.FIELDS)
    return Told(name, record.rate_hz, record.n_samples, rhythm.RhythmEvents(*columns))


def fibrillation(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Atrial fibrillation on records of mitdb: by EC57, whole, and with flutter left out."""
    title = rhythm.kinds()[9]
    columns: dict[str, list[EpisodeScores]] = {"ec57": [], "whole": [], "ec57_flutter_apart": []}
    for name in names:
        told = tell(folder, name)
        reference, test = read_annotations(folder, name), told.annotations("af", title)
        for column, start_s, apart in (
            ("ec57", LEARNING_S, False),
            ("whole", 0.0, False),
            ("ec57_flutter_apart", LEARNING_S, True),
        ):
            columns[column].append(
                compare_episodes(reference, test, told.rate_hz, told.length, "af", start_s, apart)
            )
    return _table(names, columns)


def flutter(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Ventricular flutter or fibrillation on vfdb, whose rhythm labels are turned into marks.

    `ec57`: VFL, VFIB and VF are such; `with_tachycardia`: VT as well. `delays_s`: from the begin of
    each of the former that was found to the alarm.
    """
    title = rhythm.kinds()[10]
    columns: dict[str, list[EpisodeScores]] = {"ec57": [], "with_tachycardia": []}
    delays: list[float] = []
    for name in names:
        told = tell(folder, name)
        labels, test = read_annotations(folder, name), told.annotations("vf", title)
        for column, kinds in (("ec57", FLUTTER), ("with_tachycardia", TACHYCARDIA)):
            reference = marked(labels, kinds, told.rate_hz)
            columns[column].append(
                compare_episodes(reference, test, told.rate_hz, told.length, "vf", LEARNING_S)
            )
        for begin, end in episodes(marked(labels, FLUTTER, told.rate_hz), "vf", told.length):
            first, last = begin / told.rate_hz, end / told.rate_hz
            delays += [
                round(max(when - first, 0.0), 2)
                for b, e, when in told.seconds(title)
                if b <= last and e >= first
            ][:1]
    return {**_table(names, columns), "delays_s": delays}


def marked(labels: Annotations, kinds: Sequence[str], rate_hz: float) -> Annotations:
    """`[` and `]` where rhythm labels of these kinds begin and end."""
    spans: list[tuple[int, int | None]] = []
    begin: int | None = None
    rows = zip(labels.samples.tolist(), labels.symbols.tolist(), labels.aux, strict=True)
    for time, symbol, aux in rows:
        if symbol != "+":
            continue
        if begin is not None and aux not in kinds:
            spans.append((begin, time))
            begin = None
        elif begin is None and aux in kinds:
            begin = time
    if begin is not None:
        spans.append((begin, None))
    return marks(Annotations.of([], [], rate_hz), {"vf": spans})


def alarms(folder: Path) -> dict[str, Any]:
    """The Challenge 2015's alarms: how many true and false ones the device raises, by kind."""
    path = folder / "ALARMS"
    try:
        rows = list(csv.DictReader(path.read_text().splitlines()))
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    records: list[dict[str, Any]] = []
    for row in rows:
        told = tell(folder, row["record"])
        at_s = int(row["alarm_at_sample"]) / told.rate_hz
        raised = any(
            when <= at_s + AFTER_S and end >= at_s - BEFORE_S
            for _, end, when in told.seconds(ALARMS[row["alarm"]])
        )
        records.append(
            {"record": row["record"], "alarm": row["alarm"], "true": row["true"] == "1"}
            | {"raised": raised}
        )
    kinds = {}
    for alarm in ALARMS:
        mine = [r for r in records if r["alarm"] == alarm]
        true = [bool(r["raised"]) for r in mine if r["true"]]
        false = [not r["raised"] for r in mine if not r["true"]]
        kinds[alarm] = {"true_raised": _share(true), "false_not_raised": _share(false)}
    return {"kinds": kinds, "records": records}


def _share(hits: list[bool]) -> dict[str, Any]:
    return {
        "n": len(hits),
        "hits": sum(hits),
        "interval": _resampled(np.array(hits, dtype=np.float64)[:, None], lambda s: s[0], len(hits))
        if hits
        else None,
    }


def _table(names: Sequence[str], columns: dict[str, list[EpisodeScores]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for column, scores in columns.items():
        values = np.array([_numbers(s) for s in scores], dtype=np.float64)
        table[column] = {
            "gross": sum(scores, NOTHING).to_dict(),
            "intervals": {
                "duration_se": _resampled(values, lambda s: _part(s[4], s[5])),
                "duration_ppv": _resampled(values, lambda s: _part(s[6], s[7])),
                "episode_se": _resampled(values, lambda s: _part(s[0], s[0] + s[1])),
                "episode_ppv": _resampled(values, lambda s: _part(s[2], s[2] + s[3])),
            },
            "records": [
                {"record": name, **s.to_dict()}
                for name, s in zip(names, scores, strict=True)
                if s.reference_s or s.test_s
            ],
        }
    return table


def _numbers(s: EpisodeScores) -> tuple[float, ...]:
    return (s.found, s.missed, s.true, s.false, s.found_s, s.reference_s, s.true_s, s.test_s)


def _part(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _resampled(
    values: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], float | None],
    divisor: int = 1,
) -> list[float] | None:
    """2.5 and 97.5 % of a statistic of sums over records that are drawn with replacement."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLED):
        drawn = values[rng.integers(0, len(values), len(values))].sum(axis=0) / divisor
        value = statistic(drawn)
        if value is not None:
            found.append(value)
    if not found:
        return None
    return [round(float(q), 4) for q in np.quantile(found, [0.025, 0.975])]


def all_names(folder: Path) -> list[str]:
    """The records of a database."""
    return record_names(folder, "all")
