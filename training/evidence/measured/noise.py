"""Beats and ventricular beats in noise: `nstdb` scored by EC57's rules, from clean to hopeless.

`python -m einthoven.training.evidence.measured.noise MODEL --folds FOLDER` judges 118 and 119 by
MODEL, and, with the folds of `einthoven.training.model.crossval --out`, each by the network of the
fold that has not seen it, which the shipped model cannot say of them: they are in DS1. The noise is
`em` in all of nstdb, and no network is trained on that (training/data/views.py). `--json` writes
`docs/results/noise.json`, from which the tables of docs/accuracy.md and docs/detector.md are made.

The records go in unclipped, as `gqrs` and OSEA read them, and as a board with 12 bits has them:
`nst` leaves each stretch's offset in the signal, which at -6 dB puts a 12-bit ADC at its rail for a
fifth of the time.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from einthoven.aami import CLASSES
from einthoven.codegen import pipeline
from einthoven.errors import UsageError
from einthoven.native.core import analyze
from einthoven.paths import ROOT, require_checkout
from einthoven.records.adc import board_to_record_time, to_board
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.download import find_database
from einthoven.records.record import read_record
from einthoven.report.run import write_text
from einthoven.scoring import comparison
from einthoven.training.adaptation.memory import Engine, engine_of
from einthoven.training.command_line import one_line_errors
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, PIPELINE, RATE_HZ
from einthoven.training.markdown import f1_cell, percent, table
from einthoven.training.results import dump

RESULTS = ROOT / "docs" / "results" / "noise.json"
RECORDS = ("118", "119")
SNRS_DB = {"24": 24, "18": 18, "12": 12, "06": 6, "00": 0, "_6": -6}
BITS = (16, ADC_BITS)
RIVALS = {
    "OSEA": {
        "qrs": (0.9997, 0.999, 0.961, 0.863, 0.794, 0.727),
        "veb": (0.995, 0.983, 0.797, 0.536, 0.305, 0.227),
    },
    "gqrs": {"qrs": (0.999, 0.993, 0.918, 0.817, 0.731, 0.687)},
}
"""F1 at SNRS_DB of EP Limited's open-source detector and classifier, and of PhysioNet's detector,
on the same records with 16 bits, by the same rules; measured once, elsewhere."""
UNSEEN, SHIPPED = "not trained on the patient", "the model itself"


def models(model: Path, folds: Path | None) -> dict[str, Engine]:
    """Which model judges each of RECORDS. Raises UsageError if no fold holds one out."""
    if folds is None:
        return dict.fromkeys(RECORDS, engine_of(model))
    found: dict[str, Engine] = {}
    for path in sorted(folds.glob("fold*/held_out.json")):
        patients = json.loads(path.read_text())
        held_out = [name for name in RECORDS if f"mitdb/{name}" in patients]
        if held_out:
            found |= dict.fromkeys(held_out, engine_of(path.parent / "ptq"))
    if found.keys() != set(RECORDS):
        raise UsageError(f"{folds} has no fold that holds out each of {', '.join(RECORDS)}")
    return found


def score(judges: dict[str, Engine], snr: str, bits: int, data: Path | None) -> comparison.Scores:
    """Gross of both records at one of SNRS_DB's levels. Raises RecordError."""
    folder = find_database(data, "nstdb")
    rails = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    scores = []
    for name, judge in judges.items():
        record = read_record(folder, f"{name}e{snr}")
        reference = read_annotations(folder, record.name)
        beats = analyze(to_board(record, RATE_HZ, GAIN_LSB_PER_MV, bits), GAIN_LSB_PER_MV, rails)
        logits = judge.host.infer(beats.signal, beats.features)
        classes = judge.vote.of(logits, beats).argmax(axis=1)
        times = board_to_record_time(beats.t_samples, record, RATE_HZ)
        test = Annotations.of(times, [CLASSES[i] for i in classes], record.rate_hz)
        scores.append(comparison.compare(reference, test, record.rate_hz, record.n_samples))
    return comparison.gross(scores)


def rows(judge: str, judges: dict[str, Engine], data: Path | None) -> list[dict[str, Any]]:
    """All of BITS and SNRS_DB: `judge`, `bits`, `snr_db`, the rates `qrs` and `veb`."""
    found = []
    for bits in BITS:
        for snr, snr_db in SNRS_DB.items():
            gross = score(judges, snr, bits, data)
            about = {"judge": judge, "bits": bits, "snr_db": snr_db}
            found.append(about | {"qrs": gross.qrs.to_dict(), "veb": gross.veb.to_dict()})
    return found


def read() -> list[dict[str, Any]]:
    """The committed rows."""
    kept: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    return kept


def f1(found: Sequence[Mapping[str, Any]], judge: str, bits: int, kind: str) -> list[float]:
    """F1 of `qrs` or `veb` at SNRS_DB."""
    chosen = [r for r in found if (r["judge"], r["bits"]) == (judge, bits)]
    return [r[kind]["f1"] for r in chosen]


def table_of(found: Sequence[Mapping[str, Any]]) -> str:
    """V by judge and bits, beside OSEA: F1, Se/+P, false V."""
    lines = []
    for judge in dict.fromkeys(r["judge"] for r in found):
        for bits in BITS:
            cells = [f1_cell(v) for v in f1(found, judge, bits, "veb")]
            lines.append([f"V F1, {judge}, {bits} bits", *cells])
    lines.append(["V F1, OSEA, 16 bits", *map(f1_cell, RIVALS["OSEA"]["veb"])])
    for bits in BITS:
        chosen = [r["veb"] for r in found if (r["judge"], r["bits"]) == (found[0]["judge"], bits)]
        rates = [f"{percent(v['se'])}/{percent(v['ppv'])}" for v in chosen]
        lines.append([f"V Se/+P, {found[0]['judge']}, {bits} bits", *rates])
        lines.append(
            [f"false V, {found[0]['judge']}, {bits} bits", *(str(v["fp"]) for v in chosen)]
        )
    return table(("SNR dB", *map(str, SNRS_DB.values())), lines)


def qrs_table(found: Sequence[Mapping[str, Any]]) -> str:
    """F1 of detection beside the rivals'."""
    lines = []
    for bits in BITS:
        values = f1(found, found[0]["judge"], bits, "qrs")
        lines.append([f"**this detector, {bits} bits**", *(f1_cell(v, 4) for v in values)])
    for name, rival in RIVALS.items():
        lines.append([f"{name}, 16 bits", *(f"{v:g}".removeprefix("0") for v in rival["qrs"])])
    return table(("SNR dB, `nstdb`", *map(str, SNRS_DB.values())), lines)


@one_line_errors()
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.training.evidence.measured.noise", description=__doc__
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--json", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    if args.json:
        require_checkout("docs/")
    if args.json and args.folds is None:
        raise UsageError("--json needs --folds: the page shows patients not trained on")
    found = []
    if args.folds is not None:
        found += rows(UNSEEN, models(args.model, args.folds), args.data)
    own = models(args.model, None)
    found += rows(SHIPPED, own, args.data)
    print(table_of(found), qrs_table(found), sep="\n\n")
    if args.json:
        about = {"pipeline_sha256": pipeline.sha256(PIPELINE)}
        about["model_sha256"] = own[RECORDS[0]].model.sha256
        write_text(RESULTS, dump({**about, "rows": found}))


if __name__ == "__main__":
    main()
