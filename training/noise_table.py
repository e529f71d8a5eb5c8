"""Ventricular beats in noise: `nstdb` scored by EC57's rules, from clean to hopeless.

`python -m training.noise_table MODEL` for one model; with `--folds FOLDER` (of
`training.crossval --out`) each patient is judged by the network of the fold that has not seen it,
which the shipped model cannot say of 118 and 119: they are in DS1. The noise is `em` in all of
nstdb, and no network is trained on that (training/views.py).

The records go in unclipped, as `gqrs` and OSEA read them: `nst` leaves each stretch's
offset in the signal, which at -6 dB puts a 12-bit ADC at its rail for a fifth of the time
(`--bits 12` shows what that costs).
"""

import argparse
import json
import sys
from pathlib import Path

from einthoven import ec57
from einthoven.aami import CLASSES
from einthoven.annotations import Annotations
from einthoven.core import analyze
from einthoven.errors import EinthovenError, UsageError
from einthoven.records import (
    board_to_record_time,
    find_database,
    read_annotations,
    read_record,
    to_board,
)
from training.dataset import GAIN_LSB_PER_MV, RATE_HZ
from training.memory import Engine, engine_of

RECORDS = ("118", "119")
SNRS_DB = {"24": 24, "18": 18, "12": 12, "06": 6, "00": 0, "_6": -6}
OSEA_V = {24: 0.995, 18: 0.983, 12: 0.797, 6: 0.536, 0: 0.305, -6: 0.227}
"""V F1 of OSEA (EP Limited's open-source detector and classifier) on the same records."""


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


def score(judges: dict[str, Engine], snr: str, bits: int, data: Path | None) -> ec57.Scores:
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
        scores.append(ec57.compare(reference, test, record.rate_hz, record.n_samples))
    return ec57.gross(scores)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m training.noise_table", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--bits", type=int, default=16)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    try:
        judges = models(args.model, args.folds)
        print("| SNR dB | QRS F1 | V Se | V +P | V F1 | false V | OSEA V F1 |")
        print("|---|---|---|---|---|---|---|")
        for snr, snr_db in SNRS_DB.items():
            gross = score(judges, snr, args.bits, args.data)
            qrs, veb = gross.qrs, gross.veb
            print(
                f"| {snr_db} | {qrs.f1:.4f} | {veb.se:.3f} | {veb.ppv:.3f} | {veb.f1:.3f} "
                f"| {veb.fp} | {OSEA_V[snr_db]:.3f} |"
            )
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
