"""Score the R-peak detector and show how much each of its constants matters.

`python -m training.tune_detector score` prints EC57's QRS sensitivity and positive predictivity
over MIT-BIH, by halves of the records (constants are chosen on the first half: every other record
of the sorted list from the first on), the errors of R and the delays; then noise (nstdb) and, where
present, svdb_train. `sensitivity` changes one constant of `[qrs]` at a time by a quarter.

What is measured is the C core, compiled anew for each set of constants.
"""

import argparse
import copy
import hashlib
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import pipeline
from einthoven import ec57
from einthoven.annotations import Annotations, read_annotations
from einthoven.core import FLAG_LEARNING, FLAG_SEARCH_BACK, Beats, analyze
from einthoven.errors import EinthovenError
from einthoven.records import Record, find_database, read_record, record_names, to_board
from training.dataset import ADC_BITS, GAIN_LSB_PER_MV

CHANGE = 0.25
NOISE_SNRS = ("24", "18", "12", "06", "00", "_6")


@dataclass(frozen=True)
class Result:
    """Detections of one record, compared with its reference beats from five minutes on."""

    scores: ec57.Comparison
    error_ms: NDArray[np.float64]
    """[m] detected minus annotated R of the matched beats."""
    delay_ms: NDArray[np.float64]
    """[k] R to confirmation, of beats found neither by search-back nor while learning."""


@cache
def _load(data: Path | None, db: str, name: str) -> tuple[Record, NDArray[np.int16], Annotations]:
    folder = find_database(data, db)
    record = read_record(folder, name)
    rate_hz = pipeline.load()["pipeline"]["rate_hz"]
    return (
        record,
        to_board(record, rate_hz, GAIN_LSB_PER_MV, ADC_BITS),
        read_annotations(folder, name),
    )


def generated_for(spec: dict[str, Any], scratch: Path) -> Path:
    """Folder with the `ein_pipeline.h` of `spec`, under `scratch`."""
    text = pipeline.generate(spec)["ein_pipeline.h"]
    folder = scratch / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    (folder / "ein_pipeline.h").write_text(text)
    return folder


def _delays(beats: Beats) -> NDArray[np.int64]:
    """[k] samples from R to its confirmation: that is when the beat before it leaves the core.

    Only where nothing else held that beat back (its window) and R was found at first sight.
    """
    after = pipeline.load()["window"]["after_samples"]
    free = beats.t_emitted[:-1] - beats.t_samples[:-1] > after + 8
    prompt = (beats.flags[1:] & (FLAG_SEARCH_BACK | FLAG_LEARNING)) == 0
    known = beats.rr_next_samples[:-1] > 0
    delays: NDArray[np.int64] = beats.t_emitted[:-1] - beats.t_samples[1:]
    chosen: NDArray[np.int64] = delays[free & prompt & known]
    return chosen


def evaluate(
    data: Path | None, db: str, names: Iterable[str], generated: Path
) -> dict[str, Result]:
    """Run the core made for `generated` over records and score it. Raises RecordError."""
    rate_hz = float(pipeline.load()["pipeline"]["rate_hz"])
    results = {}
    for name in names:
        record, samples, reference = _load(data, db, name)
        beats = analyze(samples, GAIN_LSB_PER_MV, generated=generated)
        test = Annotations.of(beats.t_samples, ["N"] * len(beats), rate_hz)
        scores = ec57.compare(reference, test, record.rate_hz, record.n_samples)
        i, j = scores.matched.T
        error_s = beats.t_samples[j] / rate_hz - reference.samples[i] / record.rate_hz
        results[name] = Result(scores, error_s * 1000, _delays(beats) / rate_hz * 1000)
    return results


def _line(label: str, results: Iterable[Result]) -> str:
    listed = list(results)
    qrs = ec57.gross(r.scores for r in listed).qrs
    error = np.abs(np.concatenate([r.error_ms for r in listed]))
    delay = np.concatenate([r.delay_ms for r in listed])
    return (
        f"{label:28} {qrs.tp:6} {qrs.fn:5} {qrs.fp:5}  {qrs.se:8.3%} {qrs.ppv:8.3%}"
        f"  {np.median(error):5.1f} {np.percentile(error, 99):5.1f}"
        f"  {np.percentile(delay, 99):4.0f}"
    )


HEADER = (
    f"{'':28} {'TP':>6} {'FN':>5} {'FP':>5}  {'Se':>8} {'+P':>8}  |err| ms: med 99 %  delay 99 %"
)


def print_score(data: Path | None, generated: Path) -> None:
    """All figures of the detector, as docs/detector.md shows them."""
    names = sorted(record_names(find_database(data, "mitdb"), "all"))
    results = evaluate(data, "mitdb", names, generated)
    print(HEADER)
    print(_line("MIT-BIH, 48 records", results.values()))
    print(_line("  half that chose", [results[n] for n in names[0::2]]))
    print(_line("  other half", [results[n] for n in names[1::2]]))
    worst = sorted(names, key=lambda n: -(results[n].scores.qrs.fn + results[n].scores.qrs.fp))[:8]
    for name in worst:
        print(_line(f"  {name}", [results[name]]))
    for snr in NOISE_SNRS:
        noisy = evaluate(data, "nstdb", [f"118e{snr}", f"119e{snr}"], generated)
        f1 = ec57.gross(r.scores for r in noisy.values()).qrs.f1
        print(_line(f"noise, {snr.replace('_', '-')} dB, F1 {f1:.4f}", noisy.values()))
    svdb = record_names(find_database(data, "svdb_train"), "all")
    results = evaluate(data, "svdb_train", svdb, generated)
    print(_line(f"svdb_train, {len(svdb)} records", results.values()))


def print_sensitivity(data: Path | None, scratch: Path) -> None:
    """False negatives and positives when one constant of [qrs] is a quarter smaller or larger."""
    names = sorted(record_names(find_database(data, "mitdb"), "all"))
    base = pipeline.load()
    print(f"{'constant':22} {'value':>6} {'FN':>5} {'FP':>5} {'Se':>8} {'+P':>8}")
    for key, value in base["qrs"].items():
        changed = sorted({round(value * (1 - CHANGE)), value, round(value * (1 + CHANGE))})
        for other in changed:
            spec = copy.deepcopy(base)
            spec["qrs"][key] = other
            results = evaluate(data, "mitdb", names, generated_for(spec, scratch))
            qrs = ec57.gross(r.scores for r in results.values()).qrs
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
            if args.what == "score":
                print_score(args.data, generated_for(pipeline.load(), Path(scratch)))
            else:
                print_sensitivity(args.data, Path(scratch))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
