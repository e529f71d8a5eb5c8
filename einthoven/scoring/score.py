"""Score annotation files: one pair, or the records of two folders, with intervals.

Two protocols are always given side by side: "ec57", as the standard asks (the first five
minutes not scored), and "whole", as most of the literature does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.errors import RecordError, UsageError
from einthoven.records.annotations import ANNOTATOR, Annotations, read_annotations
from einthoven.records.database import record_names, recording_path
from einthoven.records.record import rate_and_length
from einthoven.scoring.comparison import LEARNING_S, Comparison, Rate, compare_from, gross
from einthoven.scoring.episode_text import episode_table
from einthoven.scoring.episodes import KINDS, EpisodeScores, compare_episodes
from einthoven.scoring.runs import RunScores, compare_runs
from einthoven.scoring.text import beat_table, literature_table, run_table

PROTOCOLS = {"ec57": LEARNING_S, "whole": 0.0}
"""Name to the second from which beats are scored, of records that are longer."""

NAMED = 20
"""So many records are named in a line of text."""


@dataclass(frozen=True)
class RecordScore:
    """One record by both protocols."""

    record: str
    protocols: dict[str, Comparison]
    ventricular_runs: RunScores
    supraventricular_runs: RunScores
    episodes: dict[str, dict[str, EpisodeScores]]
    """Kind ("af", "vf") to protocol to scores."""


def start_times(rate_hz: float, end_sample: int | None) -> dict[str, float]:
    """Protocol to the second from which a record of that length is scored.

    EC57 leaves out the first five minutes; a record that is not longer is scored whole by both.
    """
    longer = end_sample is None or end_sample / rate_hz > LEARNING_S
    return {name: start if longer else 0.0 for name, start in PROTOCOLS.items()}


def learning_note(starts: Mapping[str, float]) -> str:
    """What of these records (name to the second that EC57's scores start at) is not scored.

    The one place that says so: in terminal and page, of a replay, a comparison, an evaluation.
    """
    short = [name for name, start_s in starts.items() if start_s < LEARNING_S]
    if not short:
        return "first 5 minutes not scored"
    if len(short) == len(starts):
        return "scored whole: no record is longer than the 5 minutes that it leaves out"
    more = f" and {len(short) - NAMED} more" if len(short) > NAMED else ""
    return f"first 5 minutes not scored; shorter and scored whole: {', '.join(short[:NAMED])}{more}"


def score(
    record: str, reference: Annotations, test: Annotations, rate_hz: float, end_sample: int | None
) -> RecordScore:
    """Compare two annotators of one record; arguments as of `ec57.compare`.

    A record that is shorter than the learning period is scored whole by both protocols.
    """
    starts = start_times(rate_hz, end_sample)
    start_s = starts["ec57"]
    return RecordScore(
        record=record,
        protocols=beat_by_beat(reference, test, rate_hz, end_sample),
        ventricular_runs=compare_runs(reference, test, rate_hz, end_sample, "V", start_s),
        supraventricular_runs=compare_runs(reference, test, rate_hz, end_sample, "S", start_s),
        episodes={
            kind: {
                name: compare_episodes(reference, test, rate_hz, end_sample, kind, start)
                for name, start in starts.items()
            }
            for kind in KINDS
        },
    )


def beat_by_beat(
    reference: Annotations, test: Annotations, rate_hz: float, end_sample: int | None
) -> dict[str, Comparison]:
    """The comparison of beats alone, by protocol; arguments as of `score`."""
    starts = start_times(rate_hz, end_sample)
    found = compare_from(tuple(starts.values()), reference, test, rate_hz, end_sample)
    return dict(zip(starts, found, strict=True))


def score_files(reference: Path, test: Path) -> list[RecordScore]:
    """Score two annotation files of one record, such as `mitdb/100.atr` and `out/100.ein`.

    The rate and the length come from the header beside the reference (else beside the test,
    else from the annotation file, and the record ends with the last reference beat).
    Raises RecordError.
    """
    if not reference.suffix or not test.suffix:
        raise UsageError(f"{reference} and {test} need an annotator's name, as in 100.atr")
    return [_score_pair(_split(reference), _split(test))]


def score_folders(
    reference: Path,
    test: Path,
    annotator: str = ANNOTATOR,
    reference_annotator: str = "atr",
    selection: str | None = None,
) -> list[RecordScore]:
    """Score the records of two folders, in order of their names.

    `selection` as of `database.record_names`; None: every record that `test` has annotations of.
    Raises RecordError, also when a record that was selected lacks annotations on either side.
    """
    if selection is None:
        names = sorted(
            p.relative_to(test).with_suffix("").as_posix() for p in test.rglob(f"*.{annotator}")
        )
        if not names:
            raise RecordError(f"{test} has no annotation files *.{annotator}: see --annotator")
    else:
        names = record_names(reference, selection)
    return [
        _without_pairs(_score_pair((reference, name, reference_annotator), (test, name, annotator)))
        for name in names
    ]


def _without_pairs(found: RecordScore) -> RecordScore:
    """Counts alone: which beat was paired with which is as long as the record, and not printed."""
    none = np.zeros((0, 2), dtype=np.int64)
    kept = {name: replace(c, pairs=none) for name, c in found.protocols.items()}
    return replace(found, protocols=kept)


_File = tuple[Path, str, str]


def _split(path: Path) -> _File:
    return path.parent, path.stem, path.suffix[1:]


def _score_pair(reference: _File, test: _File) -> RecordScore:
    ref, tst = read_annotations(*reference), read_annotations(*test)
    rate_hz, end_sample = _rate_and_length(reference) or _rate_and_length(test) or (None, None)
    # Without a header, each file's own time resolution is all there is.
    rate_hz = rate_hz or ref.rate_hz or tst.rate_hz
    if rate_hz is None:
        raise RecordError(
            f"the sampling rate of {reference[1]} is unknown: put its header {reference[1]}.hea "
            f"into {reference[0]}"
        )
    return score(reference[1], ref, tst, rate_hz, end_sample)


def _rate_and_length(file: _File) -> tuple[float, int | None] | None:
    folder, name, _ = file
    return rate_and_length(folder, name) if recording_path(folder, name).is_file() else None


def text_report(scores: Sequence[RecordScore]) -> str:
    """The tables of all records for a terminal: both protocols, classes, runs."""
    by_protocol = {p: [(s.record, s.protocols[p]) for s in scores] for p in PROTOCOLS}
    ventricular = [(s.record, s.ventricular_runs) for s in scores]
    supraventricular = [(s.record, s.supraventricular_runs) for s in scores]
    note = learning_note({name: s.start_s for name, s in by_protocol["ec57"]})
    parts = {
        f"EC57, beat by beat ({note})": beat_table(by_protocol["ec57"]),
        "Whole records, beat by beat": beat_table(by_protocol["whole"]),
        "Whole records, classes as the literature maps them": literature_table(
            gross(s for _, s in by_protocol["whole"])
        ),
        "EC57, ventricular runs": run_table(ventricular),
        "EC57, supraventricular runs": run_table(supraventricular, supraventricular=True),
    }
    for kind, name in KINDS.items():
        for protocol, title in (("ec57", "EC57"), ("whole", "Whole records")):
            listed = [(s.record, s.episodes[kind][protocol]) for s in scores]
            if any(e.reference_s or e.test_s for _, e in listed):
                parts[f"{title}, episodes of {name}"] = episode_table(listed, kind)
    return "\n".join(f"{title}\n\n{table}" for title, table in parts.items())


def to_dict(scores: Sequence[RecordScore]) -> dict[str, Any]:
    """`protocols` of summary.json: {"ec57" | "whole": {"gross": …, "records": [{"record": …}]}}."""
    return {
        protocol: {
            "gross": gross(s.protocols[protocol] for s in scores).to_dict(),
            "records": [{"record": s.record, **s.protocols[protocol].to_dict()} for s in scores],
        }
        for protocol in PROTOCOLS
    }


def bootstrap_f1(
    rates: Sequence[Rate], n: int = 10_000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the gross F1, by drawing whole records with replacement (percentile method).

    Beats of one patient are alike, so records are what is independent: an interval over beats
    would be far too narrow. `rates`: one per record. Returns (low, high), 0 to 1. Raises
    UsageError if there are no records or nothing to find in any.
    """
    counts = np.array([(r.tp, r.fn, r.fp) for r in rates], dtype=np.int64).reshape(-1, 3)
    if not counts.any():
        raise UsageError("an interval needs records with at least one beat of the class")
    rng = np.random.default_rng(seed)
    drawn = counts[rng.integers(0, len(counts), size=(n, len(counts)))].sum(axis=1)
    total = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
    f1 = 2 * drawn[total > 0, 0] / total[total > 0]
    low, high = np.quantile(f1, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
