"""How much smaller the device's log makes ECG: its own C, on records as a board has them.

    python -m einthoven.native.log_ratio FOLDER ... [--records N] [--strips N]

Strips of 30 s from each record's beginning (a shorter record is one strip), 12 bits, 200 counts per
mV, 180 Hz. Each strip is read back and compared; all bytes of its records are counted.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import EinthovenError, RecordError
from einthoven.native.log import Log, decode_ecg, scan
from einthoven.native.log_spec import load
from einthoven.records.adc import to_board
from einthoven.records.record import read_record

RATE_HZ, GAIN, BITS = 180, 200.0, 12
STRIP_SAMPLES = 30 * RATE_HZ
_SECTORS, _SECTOR_BYTES = 3, 1 << 16
_AROUND = 8
"""Bytes of a record around its payload."""


def stored_bytes(samples: NDArray[np.int16]) -> int:
    """Bytes of the log's records that hold the samples. Raises RecordError if they come back wrong.

    `samples`: int16 [n], n up to STRIP_SAMPLES.
    """
    log = Log(_SECTORS, _SECTOR_BYTES)
    log.ecg(1, samples, 0)
    kind = next(kind for kind in load().kinds if kind.name == "ecg")
    found = scan(log.sectors[0])
    records = [r for r in found.records if r.kind == kind.code] if found else []
    pieces = []
    for record in records:
        fields = kind.unpack(record.payload)
        code = fields.pop("code_bytes")
        assert isinstance(code, bytes)
        pieces.append(decode_ecg({name: int(value) for name, value in fields.items()}, code))
    if not pieces or not np.array_equal(np.concatenate(pieces), samples):
        raise RecordError("the log gave other samples back than it took")
    return sum(_AROUND + len(record.payload) for record in records)


def strips(folder: Path, records: int, strips_each: int) -> Iterator[NDArray[np.int16]]:
    """Strips of so many records, drawn by a fixed seed; those unreadable are left out."""
    names = sorted(path.stem for path in folder.rglob("*.hea"))
    places = {path.stem: path.parent for path in folder.rglob("*.hea")}
    random.Random(1).shuffle(names)
    for name in names[:records]:
        try:
            samples = to_board(read_record(places[name], name), RATE_HZ, GAIN, BITS)
        except RecordError:
            continue
        for k in range(strips_each):
            strip = samples[k * STRIP_SAMPLES : (k + 1) * STRIP_SAMPLES]
            if len(strip) >= RATE_HZ:
                yield strip


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: a line a folder."""
    parser = argparse.ArgumentParser(prog="python -m einthoven.native.log_ratio")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--records", type=int, default=48)
    parser.add_argument("--strips", type=int, default=4, help="of a record, at most")
    args = parser.parse_args(argv)
    try:
        for folder in args.folders:
            sizes = [(len(s), stored_bytes(s)) for s in strips(folder, args.records, args.strips)]
            if not sizes:
                raise RecordError(f"{folder}: no record to read")
            samples, stored = (sum(column) for column in zip(*sizes, strict=True))
            print(
                f"{folder.name}: {len(sizes)} strips, {2 * samples / stored:.2f} : 1, "
                f"{stored * STRIP_SAMPLES / samples:.0f} bytes for 30 s"
            )
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
