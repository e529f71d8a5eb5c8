"""Score the R-peak detector and show how much each of its constants matters.

`python -m training.tune_detector score` prints every figure of docs/detector.md: EC57's QRS
sensitivity and positive predictivity over MIT-BIH, by halves of the records (constants are chosen
on the first half: every other record of the sorted list from the first on), the errors of R and
the delays; svdb_train; noise (nstdb, and other clean records with its noises added), what the noisy
flag says and costs; disturbances. `sensitivity` changes one constant of `[qrs]` at a time by a
quarter.
"""

import argparse
import copy
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from codegen import pipeline
from einthoven import ec57
from einthoven.errors import EinthovenError
from einthoven.records import find_database, record_names
from training.detector_score import (
    Result,
    evaluate,
    generated_for,
    rate_hz,
    read_mixed,
    read_signal,
)
from training.disturbances import all_kinds

CHANGE = 0.25
SNRS_DB = (24, 18, 12, 6, 0, -6)
MIXED = ("100", "103", "113", "115", "117", "122", "123", "220", "230")
"""Clean records of MIT-BIH other than nstdb's 118 and 119, to which noise is added."""
NOISES = ("em", "ma", "bw")
DIFFICULT = (
    "102",
    "104",
    "105",
    "107",
    "108",
    "116",
    "201",
    "203",
    "207",
    "208",
    "217",
    "222",
    "228",
)
DISTURBED_S, RECOVERY_S, WATCHED_S = 903.0, 3.0, 30.0


def _database(data: Path | None, db: str, generated: Path) -> dict[str, Result]:
    names = sorted(record_names(find_database(data, db), "all"))
    return {name: evaluate(read_signal(data, db, name), generated) for name in names}


def _qrs(results: Iterable[Result]) -> ec57.Rate:
    return ec57.gross(r.scores for r in results).qrs


HEADER = (
    f"{'':28} {'TP':>6} {'FN':>5} {'FP':>5}  {'Se':>8} {'+P':>8}  |err| ms: med 99 %  delay 99 %"
    "  noisy"
)


def _line(label: str, results: Sequence[Result]) -> str:
    qrs = _qrs(results)
    error = np.abs(np.concatenate([r.error_ms for r in results]))
    delay = np.concatenate([r.delay_ms for r in results])
    return (
        f"{label:28} {qrs.tp:6} {qrs.fn:5} {qrs.fp:5}  {qrs.se:8.3%} {qrs.ppv:8.3%}"
        f"  {np.median(error):5.1f} {np.percentile(error, 99):5.1f}"
        f"  {np.percentile(delay, 99):4.0f} {np.mean([r.noisy_share for r in results]):12.2%}"
    )


def _average_line(results: Sequence[Result]) -> str:
    """EC57's average: every record counts the same."""
    rates = [r.scores.qrs for r in results]
    se = np.mean([rate.se or 0.0 for rate in rates])
    ppv = np.mean([rate.ppv or 0.0 for rate in rates])
    return f"{'  average of the records':28} {'':18}  {se:8.3%} {ppv:8.3%}"


def print_clean(data: Path | None, generated: Path) -> None:
    """Records as they are: MIT-BIH, the difficult ones among them, svdb_train."""
    print(HEADER)
    results = _database(data, "mitdb", generated)
    names = list(results)
    print(_line("MIT-BIH, 48 records", list(results.values())))
    print(_average_line(list(results.values())))
    print(_line("  half that chose", [results[n] for n in names[0::2]]))
    print(_line("  other half", [results[n] for n in names[1::2]]))
    for name in DIFFICULT:
        print(_line(f"  {name}", [results[name]]))
    svdb = list(_database(data, "svdb_train", generated).values())
    print(_line(f"svdb_train, {len(svdb)} records", svdb))
    for label, listed in (("MIT-BIH", list(results.values())), ("svdb_train", svdb)):
        _print_flag(label, listed)


def _print_flag(label: str, results: Sequence[Result]) -> None:
    qrs = _qrs(results)
    said = [r.unflagged for r in results]
    rest = ec57.Rate(*(sum(getattr(r, k) for r in said) for k in ("tp", "fn", "fp")))
    share = np.mean([r.noisy_share for r in results])
    print(
        f"{label:20} F1 {qrs.f1:.4f}  FN {qrs.fn:5} FP {qrs.fp:5}  Se {qrs.se:7.2%} "
        f"+P {qrs.ppv:7.2%}  flagged {share:6.2%}  not flagged: Se {rest.se:7.2%} "
        f"+P {rest.ppv:7.2%}",
        flush=True,
    )


def print_noise(data: Path | None, generated: Path) -> None:
    """nstdb, and MIXED with each noise, at each ratio: all detections, and those not flagged."""
    for snr in SNRS_DB:
        suffix = f"{snr:02}".replace("-", "_")
        names = [f"{name}e{suffix}" for name in ("118", "119")]
        results = [evaluate(read_signal(data, "nstdb", n), generated) for n in names]
        _print_flag(f"nstdb, {snr} dB", results)
    for noise in NOISES:
        for snr in SNRS_DB:
            mixed = (read_mixed(data, name, noise, snr) for name in MIXED)
            _print_flag(f"9 and {noise}, {snr} dB", [evaluate(s, generated) for s in mixed])


def print_disturbances(data: Path | None, generated: Path) -> None:
    """False negatives and positives from 3 to 30 s after each, over MIT-BIH; the first 30 s."""
    names = record_names(find_database(data, "mitdb"), "all")
    signals = [read_signal(data, "mitdb", name) for name in names]
    kinds = {"none": (lambda x: x, DISTURBED_S), **all_kinds(DISTURBED_S, rate_hz())}
    for label, (disturb, over_s) in kinds.items():
        window = {"start_s": over_s + RECOVERY_S, "end_s": over_s + WATCHED_S}
        qrs = _qrs([evaluate(s, generated, disturb=disturb, **window) for s in signals])
        print(f"disturbed: {label:20} FN {qrs.fn:3} FP {qrs.fp:3}")
    qrs = _qrs([evaluate(s, generated, start_s=0.0, end_s=WATCHED_S) for s in signals])
    print(f"{'the first 30 s':31} FN {qrs.fn:3} FP {qrs.fp:3}")


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


def main(argv: list[str] | None = None) -> int:
    """Command line: see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m training.tune_detector", description=__doc__)
    parser.add_argument("what", choices=("score", "sensitivity"))
    parser.add_argument("--data", type=Path, help="folder of databases (mitdb, nstdb, svdb_train)")
    args = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            if args.what == "sensitivity":
                print_sensitivity(args.data, Path(scratch))
                return 0
            generated = generated_for(pipeline.load(), Path(scratch))
            for print_part in (print_clean, print_disturbances, print_noise):
                print_part(args.data, generated)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
