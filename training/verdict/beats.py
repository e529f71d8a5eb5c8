"""Ectopic beats that strips are told to have, with and without the quality gate.

Normal strips have none, those in atrial fibrillation none called S: what is told there is false.
What the gate costs is counted on annotated records: MIT-BIH's DS1 and `svdb_train`, with the
shipped model, which was trained on them. DS2 is not looked at.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.records.adc import to_board
from einthoven.records.annotations import read_annotations
from einthoven.records.database import locate_database, record_names
from einthoven.records.record import read_record
from einthoven.scoring.strips import SYMBOLS
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ, match
from einthoven.training.verdict.data import CLAIMS, Chain, Strips

DATABASES = (("mitdb", "ds1"), ("svdb_train", "all"))


def table(
    strips: Strips, chain: Chain, data: Path | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """`strips`: by label, before and after the gate; `records`: by database, F1 of S and V."""
    records = {}
    for db, selection in DATABASES:
        folder = locate_database(data, db)
        if folder is not None:
            names = record_names(folder, selection)
            records[db] = _records(folder, names, chain, progress)
    return {
        "strips": {
            symbol: {
                "before": _shares(strips.before[strips.label == k]),
                "after": _shares(strips.after[strips.label == k]),
            }
            for k, symbol in enumerate(SYMBOLS)
        },
        "records": records,
    }


def _shares(claims: NDArray[np.int64]) -> dict[str, float]:
    """Percent of strips with a beat called S or V, with a sure one, and of beats called S, V."""
    beats, s, v, sure_s, sure_v = (claims[:, CLAIMS.index(name)] for name in CLAIMS)

    def percent(part: Any, whole: Any) -> float:
        return round(100.0 * float(part) / float(whole), 2)

    return {
        "strips_with_s_or_v": percent(np.sum(s + v > 0), len(beats)),
        "strips_with_sure_s_or_v": percent(np.sum(sure_s + sure_v > 0), len(beats)),
        "beats_called_s": percent(s.sum(), beats.sum()),
        "beats_called_v": percent(v.sum(), beats.sum()),
    }


def _records(
    folder: Path, names: list[str], chain: Chain, progress: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """F1 of S and V, literature's classes, whole records, main lead; before and after."""
    counts = {when: np.zeros((len(CLASSES), 3), dtype=np.int64) for when in ("before", "after")}
    for name in names:
        progress(f"record {name}")
        record = read_record(folder, name)
        found = chain.run(to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS))
        notes = read_annotations(folder, name)
        marked = [
            (sample / record.rate_hz, CLASSES.index(label))
            for sample, symbol in zip(notes.samples.tolist(), notes.symbols.tolist(), strict=True)
            if (label := literature_class(symbol)) is not None
        ]
        reference = np.array([label for _, label in marked])
        own = found["beats"].t_samples / RATE_HZ
        at = match(np.array([time for time, _ in marked]), own)
        truth = np.where(at >= 0, reference[np.maximum(at, 0)], -1)
        for when, total in counts.items():
            told = found[when][0]
            for k in range(len(CLASSES)):
                hit = int(np.sum((told == k) & (truth == k)))
                total[k] += hit, int(np.sum(told == k)) - hit, int(np.sum(reference == k)) - hit
    return {
        when: {
            CLASSES[k]: round(float(2 * tp / (2 * tp + fp + fn)), 4)
            for k, (tp, fp, fn) in enumerate(total.tolist())
            if CLASSES[k] in "SV"
        }
        for when, total in counts.items()
    }
