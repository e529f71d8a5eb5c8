"""Measure the R-peak detector, and how much each of its constants matters.

`python -m einthoven.training.evidence.detector` is the command. The mechanisms and most constants
were found while looking at all records; of the first version the last choice among neighbouring
values was made on the first half alone (every other record from the first on), so the other half is
a check and not an independent test.
"""

import copy
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.codegen import pipeline
from einthoven.records.database import record_names
from einthoven.records.download import find_database
from einthoven.scoring import comparison
from einthoven.training.detector.disturbances import all_kinds
from einthoven.training.detector.score import (
    Result,
    evaluate,
    generated_for,
    rate_hz,
    read_mixed,
    read_signal,
)

CHANGE = 0.25
SNRS_DB = (24, 18, 12, 6, 0, -6)
MIXED = ("100", "103", "113", "115", "117", "122", "123", "220", "230")
"""Clean records of MIT-BIH other than nstdb's 118 and 119, to which noise is added."""
NOISES = ("em", "ma", "bw")
DISTURBED_S, RECOVERY_S, WATCHED_S = 903.0, 3.0, 30.0
FAR_MS = 40.0
"""An R position that is further off than this is counted."""


def _database(data: Path | None, db: str, generated: Path) -> dict[str, Result]:
    names = sorted(record_names(find_database(data, db), "all"))
    return {name: evaluate(read_signal(data, db, name), generated) for name in names}


def _qrs(results: Iterable[Result]) -> comparison.Rate:
    return comparison.gross(r.scores for r in results).qrs


def _summary(label: str, results: Sequence[Result]) -> dict[str, Any]:
    """Of records together: `ec57` rate, R's errors and delays in ms, what the noisy flag says."""
    error = np.abs(np.concatenate([r.error_ms for r in results]))
    said = [r.unflagged for r in results]
    return {
        "label": label,
        "ec57": _qrs(results).to_dict(),
        "average": {
            kind: float(np.mean([getattr(r.scores.qrs, kind) or 0.0 for r in results]))
            for kind in ("se", "ppv")
        },
        "error_ms": {
            "median": float(np.median(error)),
            "p99": float(np.percentile(error, 99)),
            "far": int((error > FAR_MS).sum()),
        },
        "delay_p99_ms": float(np.percentile(np.concatenate([r.delay_ms for r in results]), 99)),
        "noisy_share": float(np.mean([r.noisy_share for r in results])),
        "unflagged": comparison.Rate(
            *(sum(getattr(rate, k) for rate in said) for k in ("tp", "fn", "fp"))
        ).to_dict(),
    }


def measure_clean(data: Path | None, generated: Path) -> dict[str, Any]:
    """Records as they are: `groups` of MIT-BIH and svdb_train, `records` of MIT-BIH one by one."""
    found = _database(data, "mitdb", generated)
    whole = {
        name: evaluate(read_signal(data, "mitdb", name), generated, start_s=0.0).scores
        for name in found
    }
    names, results = list(found), list(found.values())
    svdb = list(_database(data, "svdb_train", generated).values())
    groups = {
        f"MIT-BIH, {len(names)} records": results,
        "half that chose": results[0::2],
        "other half": results[1::2],
        f"svdb_train, {len(svdb)} records": svdb,
    }
    return {
        "groups": [_summary(label, group) for label, group in groups.items()],
        "whole": comparison.gross(whole.values()).qrs.to_dict(),
        "records": [
            {**_summary(name, [result]), "whole": whole[name].qrs.to_dict()}
            for name, result in found.items()
        ],
    }


def measure_noise(data: Path | None, generated: Path) -> list[dict[str, Any]]:
    """nstdb, and MIXED with each noise, at each ratio."""
    found = []
    for noise in ("nstdb", *NOISES):
        for snr in SNRS_DB:
            if noise == "nstdb":
                suffix = f"{snr:02}".replace("-", "_")
                signals = [read_signal(data, noise, f"{name}e{suffix}") for name in ("118", "119")]
            else:
                signals = [read_mixed(data, name, noise, snr) for name in MIXED]
            results = [evaluate(signal, generated) for signal in signals]
            found.append({**_summary(noise, results), "snr_db": snr})
    return found


def measure_disturbances(data: Path | None, generated: Path) -> list[dict[str, Any]]:
    """Errors over MIT-BIH from 3 to 30 s after each, beside the same seconds undisturbed.

    `records`: of those with more errors than undisturbed, false negatives and positives, then
    the undisturbed ones'. The last entry is the first 30 s of the records.
    """
    names = record_names(find_database(data, "mitdb"), "all")
    signals = {name: read_signal(data, "mitdb", name) for name in names}
    found = []
    for label, (disturb, over_s) in all_kinds(DISTURBED_S, rate_hz()).items():
        one = partial(
            evaluate, generated=generated, start_s=over_s + RECOVERY_S, end_s=over_s + WATCHED_S
        )
        plain = {n: one(s) for n, s in signals.items()}
        changed = {n: one(s, disturb=disturb) for n, s in signals.items()}
        worse = {
            n: [*_errors(changed[n]), *_errors(plain[n])]
            for n in names
            if sum(_errors(changed[n])) > sum(_errors(plain[n]))
        }
        rates = {"ec57": _qrs(changed.values()), "undisturbed": _qrs(plain.values())}
        about = {"label": label, "records": worse}
        found.append(about | {key: rate.to_dict() for key, rate in rates.items()})
    start = {n: evaluate(s, generated, start_s=0.0, end_s=WATCHED_S) for n, s in signals.items()}
    wrong = {n: _errors(r) for n, r in start.items() if any(_errors(r))}
    rate = _qrs(start.values()).to_dict()
    return [*found, {"label": "the first 30 s", "ec57": rate, "records": wrong}]


def _errors(result: Result) -> list[int]:
    """False negatives and positives."""
    return [result.scores.qrs.fn, result.scores.qrs.fp]


def measure(data: Path | None, generated: Path) -> dict[str, Any]:
    """The content of detector.json. Raises RecordError."""
    return {
        "pipeline_sha256": pipeline.sha256(pipeline.load()),
        "far_ms": FAR_MS,
        **measure_clean(data, generated),
        "disturbances": measure_disturbances(data, generated),
        "noise": measure_noise(data, generated),
    }


def print_sensitivity(data: Path | None, scratch: Path) -> None:
    """False negatives and positives when one constant of [qrs] is a quarter smaller or larger."""
    base = pipeline.load()
    print(f"{'constant':22} {'value':>6} {'FN':>5} {'FP':>5} {'Se':>8} {'+P':>8}")
    for key, value in base["qrs"].items():
        changed = sorted({round(value * (1 - CHANGE)), value, round(value * (1 + CHANGE))})
        for other in changed:
            spec = copy.deepcopy(base)
            spec["qrs"][key] = other
            qrs = _qrs(_database(data, "mitdb", generated_for(spec, scratch)).values())
            mark = "*" if other == value else " "
            print(
                f"{key:22} {other:5}{mark} {qrs.fn:5} {qrs.fp:5} {qrs.se:8.3%} {qrs.ppv:8.3%}",
                flush=True,
            )
