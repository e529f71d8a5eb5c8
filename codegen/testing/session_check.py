"""The whole session on an emulated core beside the host: every event and verdict of many records.

    python -m einthoven.codegen.testing.session_check --db cinc2017                  every strip
    python -m einthoven.codegen.testing.session_check --records ds1 --target rv32

Core, engine, vote, confidence, rhythm and verdict, compiled for the core with the firmware's flags
and called as the host calls them, on whole records. Without application and serial port, which a
replay has, and which take most of its time. The last line says how many records differ in a bit;
exit code 1 if any does.
"""

import argparse
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.testing import core_bench
from einthoven.codegen.testing.bare_target import BARE, SECTIONS, TARGETS, WARNINGS
from einthoven.codegen.testing.tools import run
from einthoven.errors import EinthovenError, RecordError
from einthoven.native import core, session
from einthoven.paths import GENERATED
from einthoven.records.adc import to_board
from einthoven.records.database import DEFAULT_DATABASE, record_names
from einthoven.records.download import find_database
from einthoven.records.record import read_record

_ROOM = 0x100000 - core_bench.RECORD_OFFSET - 4
"""Bytes of records that one run of the emulator has place for."""

Int16 = NDArray[np.int16]
Named = tuple[str, Int16]


@dataclass(frozen=True)
class Said:
    """What a record's session told: so many events, and the CRC of them and of the verdict."""

    events: int
    crc: int


def build(target: str, folder: Path) -> Path:
    """Compile and link the session with its harness. Raises BuildError."""
    chosen, elf = TARGETS[target], folder / f"session_{target}.elf"
    at = core_bench.ORIGIN[target] + core_bench.RECORD_OFFSET
    run([
        *chosen.compiler, *WARNINGS, *core_bench.FIRMWARE_FLAGS, *SECTIONS,
        *core_bench.LIBRARY[target], "-nostartfiles", f"-DSESSION_RECORDS={at:#x}u",
        *(f"-I{d}" for d in (BARE, *session.includes(GENERATED))),
        f"-T{BARE / f'bare_{chosen.machine}.ld'}", "-Wl,--gc-sections,--no-warn-rwx-segments",
        str(BARE / "bare_session.c"), str(BARE / f"bare_{chosen.machine}.c"),
        *map(str, session.sources(GENERATED)), "-o", str(elf),
    ])  # fmt: skip
    return elf


def on_core(elf: Path, target: str, records: Sequence[Int16], data: Path) -> list[tuple[Said, int]]:
    """What the emulated core tells of `records`, which go to the file `data`; and instructions."""
    data.write_bytes(struct.pack("<I", len(records)) + b"".join(map(_packed, records)))
    at = core_bench.ORIGIN[target] + core_bench.RECORD_OFFSET
    command = [
        *TARGETS[target].emulator, str(elf),
        "-device", f"loader,file={data},addr={at:#x},force-raw=on",
    ]  # fmt: skip
    words = [int(word, 16) for word in run(command).split()]
    rows = zip(*(words[i::4] for i in range(4)), strict=True)
    return [(Said(events, crc), (high << 32) + low) for events, crc, high, low in rows]


def on_host(samples: Int16) -> Said:
    """What the host tells."""
    told, verdict = session.told(samples, core_bench.GAIN_LSB_PER_MV, core_bench.RAILS)
    words = struct.pack("<7I", *astuple(verdict))
    return Said(len(told), zlib.crc32(words, zlib.crc32(told.tobytes())))


def _packed(samples: Int16) -> bytes:
    head = struct.pack("<IIii", len(samples), core_bench.GAIN_LSB_PER_MV, *core_bench.RAILS)
    return head + np.pad(samples, (0, len(samples) % 2)).astype("<i2").tobytes()


def portions(records: Iterable[Named]) -> Iterator[list[Named]]:
    """As many as one run has place for. A record that has none by itself is told and left out."""
    some: list[Named] = []
    taken = 0
    for name, samples in records:
        size = len(_packed(samples))
        if size > _ROOM:
            print(f"{name}: {len(samples):,} samples are too many: left out", file=sys.stderr)
            continue
        if taken + size > _ROOM:
            yield some
            some, taken = [], 0
        some.append((name, samples))
        taken += size
    if some:
        yield some


def _read(folder: Path, names: Sequence[str]) -> Iterator[Named]:
    for name in names:
        try:
            record = read_record(folder, name)
        except RecordError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        yield name, to_board(record, core.rate_hz(), core_bench.GAIN_LSB_PER_MV, core_bench.BITS)


def main(argv: list[str] | None = None) -> int:
    """Compare, and say; exit code 1 when anything differs, 2 for what a user can cause."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.session_check", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--target", choices=sorted(core_bench.ORIGIN), default="m4")
    parser.add_argument("--records", default="all", help="as `einthoven replay` takes them")
    parser.add_argument("--data", type=Path, help="folder of databases")
    parser.add_argument("--db", default=DEFAULT_DATABASE)
    parser.add_argument("--jobs", type=int, default=2, help="emulators at a time (default 2)")
    args = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _compare(args, Path(folder))
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _compare(args: argparse.Namespace, scratch: Path) -> int:
    folder = find_database(args.data, args.db, args.records)
    names = record_names(folder, args.records)
    elf = build(args.target, scratch)
    done = events = differing = instructions = 0
    samples = 0

    def run(numbered: tuple[int, list[Named]]) -> list[tuple[Said, int]]:
        number, some = numbered
        data = scratch / f"{number}.records"
        try:
            return on_core(elf, args.target, [record for _, record in some], data)
        finally:
            data.unlink(missing_ok=True)

    with ThreadPoolExecutor(max(1, args.jobs)) as pool:
        todo = list(enumerate(portions(_read(folder, names))))
        for (_, some), told in zip(todo, pool.map(run, todo), strict=True):
            for (name, record), (said, count) in zip(some, told, strict=True):
                done, events, samples = done + 1, events + said.events, samples + len(record)
                instructions += count
                expected = on_host(record)
                if said != expected:
                    differing += 1
                    print(f"{name}: {said} on {args.target}, {expected} on the host")
            print(f"{done:,} of {len(names):,} records, {differing:,} differ", flush=True)
    hours = samples / core.rate_hz() / 3600
    print(
        f"{args.target}: {done:,} records ({hours:.1f} h), {events:,} events, "
        f"{instructions / max(hours, 1e-9) / 1e6:,.0f} million instructions an hour: "
        f"{differing:,} records differ"
    )
    return 1 if differing or not done else 0


if __name__ == "__main__":
    sys.exit(main())
