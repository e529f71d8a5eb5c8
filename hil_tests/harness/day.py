"""A day of a device that works alone, in less time: does it lose a sample, a record, memory, time?

    python -m einthoven.hil_tests.harness.day [--hours 24] [--board host_device]
    python -m einthoven.hil_tests.harness.day --board qemu_stm32f405_device --front-end ad8232

The whole log is read afterwards: every minute must be there, and none may have lost a sample. The
front end's clock is off by PPM, as a crystal is; the log's minutes are counted in samples and
stamped by the device's clock, so that they show it. An emulated chip has the model of a front
end's part and a model of flash beside it (`boards/beside`, `boards/beside_flash`), with sectors as
large as an STM32F405's, which take as long to erase.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from einthoven.boards.board import Board, build, load_board, running
from einthoven.device_log.copy import sectors_of_image
from einthoven.errors import EinthovenError, UsageError
from einthoven.hil_tests.harness.alone import set_mode, status
from einthoven.hil_tests.harness.beside import (
    PARTS,
    Flash,
    compile_flash,
    image_for,
    with_file,
    with_flash,
    with_front_end,
)
from einthoven.hil_tests.harness.device import Device
from einthoven.native import log as native
from einthoven.native.log_spec import load
from einthoven.records.synth import Ectopy, Episode, make_record

RATE_HZ = 180
PPM = 30
"""What the front end's clock is off: the data sheets' crystals are within 20 to 50 ppm."""
START_MS, PRESS_MS = 1_000, 2_000
GROWN_MOST = 64
SECTORS, SECTOR_BYTES = 6, 0x20000
"""Of an STM32F405's log (docs/log.md)."""


Told = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Day:
    """What a day showed."""

    hours: float
    seconds: float
    """That it took."""
    samples: int
    samples_lost: int
    minutes: int
    """In the log."""
    failures: int
    """Records that could not be kept."""
    drift_ppm: float | None
    """Of the front end's clock, by the log's minutes."""
    grown: int
    """What it uses more at its end: a process KB of memory since its first hour, a chip, which has
    no heap, bytes of stack since its first minute."""

    def faults(self) -> list[str]:
        """What is not as it must be, a line each."""
        found = []
        if self.samples_lost:
            found.append(f"{self.samples_lost} samples lost")
        if self.failures:
            found.append(f"{self.failures} records that the log could not keep")
        whole = int(self.hours * 60)
        if self.minutes < whole:
            found.append(f"{self.minutes} minutes in the log of {whole}")
        if self.grown > GROWN_MOST:
            found.append(f"its memory grew by {self.grown}")
        if self.drift_ppm is not None and abs(self.drift_ppm - PPM) > 20:
            found.append(f"the log shows a drift of {self.drift_ppm:.1f} ppm, not of {PPM}")
        return found


def ecg(path: Path) -> None:
    """Ten minutes to be repeated: ectopic beats, noise, electrodes off, a saturated second."""
    episodes = (
        *(Episode("noisy", 100, 120), Episode("lead_off", 200, 215)),
        *(Episode("bigeminy", 300, 330), Episode("saturated", 400, 401)),
    )
    made = make_record(24, 600.0, float(RATE_HZ), ectopy=Ectopy(0.05, 0.05), episodes=episodes)
    made.samples.astype("<i2").tofile(path)


def of_process(board: Board, hours: float, folder: Path) -> Day:
    """The day of a process, whose time passes at once where it sleeps. `folder`: for its files."""
    program = build(board)
    end_ms = START_MS + PRESS_MS + round(hours * 3_600_000)
    script = (
        f"{START_MS} press {PRESS_MS}\n{end_ms + 2000} press {PRESS_MS}\n{end_ms + 9000} end 0\n"
    )
    (folder / "script").write_text(script)
    ecg(folder / "ecg")
    words = [str(program), "--listen", "0", "--fast", "--adc", str(folder / "ecg")]
    words += ["--adc-ppm", str(PPM), "--script", str(folder / "script"), "--log"]
    begin = time.monotonic()
    resident: list[int] = []
    with subprocess.Popen([*words, str(folder / "log")], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            resident.append(_resident_kb(process.pid))
            time.sleep(0.05)
    if process.returncode != 0:
        raise EinthovenError(f"the device ended with code {process.returncode}")
    seconds = time.monotonic() - begin
    return _from_log(folder / "log", hours, seconds, [r for r in resident if r])


def _resident_kb(pid: int) -> int:
    """0 if it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    rows = [line.split() for line in text.splitlines() if line.startswith("VmRSS")]
    return int(rows[0][1]) if rows else 0


def _from_log(path: Path, hours: float, seconds: float, resident: Sequence[int]) -> Day:
    sectors, _ = sectors_of_image(path.read_bytes())
    stamps: list[int] = []
    lost = failures = 0
    for sequence in sorted(sectors):
        sector = native.scan(bytes(sectors[sequence]))
        for record in sector.records if sector else ():
            kind = load().kind(record.kind)
            if kind is None:
                continue
            fields = record.fields(kind)
            if kind.name == "minute":
                stamps.append(record.t_s)
                lost += fields["lost_samples"]
            elif kind.name == "lost":
                failures += fields["records"]
    whole = stamps[:-1]  # the last one is what was left of a minute
    drift = None
    if len(whole) > 30:
        # A minute of samples of a fast clock is over too early.
        told = (len(whole) - 1) * 60
        drift = (told / (whole[-1] - whole[0]) - 1) * 1e6
        drift = drift if hours >= 12 else None  # stamps are whole seconds: 23 ppm in 12 h
    warm = resident[len(resident) // 8 :] or [0]
    return Day(
        hours=hours, seconds=seconds, samples=len(whole) * 60 * RATE_HZ, samples_lost=lost,
        minutes=len(whole), failures=failures, drift_ppm=drift, grown=warm[-1] - warm[0],
    )  # fmt: skip


def of_emulator(
    board: Board, hours: float, folder: Path, part: str | None = None, told: Told | None = None,
    most_s: float = math.inf,
) -> Day:  # fmt: skip
    """The day of an emulated chip, asked once a second of ours: from a file, or by `part`.

    told: called each hour of the device's, with hours, samples and samples lost; most_s: seconds of
    ours after which it is over, with whatever hours it had by then.
    """
    board = image_for(board, part, flash=True)
    build(board)
    ecg(folder / "ecg")
    flash = Flash(folder / "log", SECTORS, SECTOR_BYTES)
    wanted = round(hours * 3600 * RATE_HZ)
    with (
        _fed(board, folder, part) as fed,
        with_flash(fed, flash, compile_flash(folder)),
        running(fed) as url,
        Device(url) as device,
    ):
        while status(device).mode == "check":
            time.sleep(0.1)
        begin = time.monotonic()
        set_mode(device, "continuous")
        now, stack, hour = status(device), 0, 1
        while now.samples < wanted and time.monotonic() - begin < most_s:
            time.sleep(1.0)
            now = status(device)
            if stack == 0 and now.samples > 60 * RATE_HZ:
                stack = device.info()["stack_used_bytes"]
            if told is not None and now.samples >= hour * 3600 * RATE_HZ:
                told(hour, now.samples, now.samples_lost)
                hour += 1
        seconds = time.monotonic() - begin
        grown = device.info()["stack_used_bytes"] - stack
        set_mode(device, "ready")
        now = status(device)
    had = min(hours, now.samples / RATE_HZ / 3600)
    found = _from_log(folder / "log", had, seconds, ())
    return replace(
        found, samples_lost=max(found.samples_lost, now.samples_lost), grown=grown,
        failures=found.failures + now.log_failures,
        drift_ppm=None if part is None else found.drift_ppm,
    )  # fmt: skip


def _fed(board: Board, folder: Path, part: str | None) -> AbstractContextManager[Board]:
    if part is None:
        return nullcontext(with_file(board, folder / "ecg"))
    # Halved: an AD8232 with a gain of 1100 saturates at 1.5 mV.
    halved = np.fromfile(folder / "ecg", "<i2") // 2
    return with_front_end(board, part, halved, folder, clock_ppm=PPM)


def run(
    name: str, hours: float, part: str | None = None, told: Told | None = None,
    most_s: float = math.inf,
) -> Day:  # fmt: skip
    """The day of a device; `part`: of an emulated chip's front end, whose model is beside it.

    told, most_s: of an emulated chip (`of_emulator`).

    Raises UsageError for a board that is none.
    """
    board = load_board(name)
    if not board.is_device or board.command is None:
        raise UsageError(f"{name} is no device that runs here: choose host_device")
    with tempfile.TemporaryDirectory() as folder:
        if board.mcu != "host":
            return of_emulator(board, hours, Path(folder), part, told, most_s)
        if part is not None:
            raise UsageError("a process has a file: leave out --front-end, or name another --board")
        return of_process(board, hours, Path(folder))


def _tell(hours: int, samples: int, lost: int) -> None:
    print(f"after {hours} h: {samples:,} samples, {lost} lost", flush=True)


def main(argv: list[str] | None = None) -> int:
    """A summary; exit code 1 if anything was lost, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="A day of a device that works alone.")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--board", default="host_device")
    parser.add_argument("--front-end", choices=PARTS, help="of an emulated chip; else a file")
    parser.add_argument(
        "--most", type=float, default=math.inf, metavar="MINUTES",
        help="of ours, after which an emulated chip's day is over",
    )  # fmt: skip
    args = parser.parse_args(argv)
    try:
        day = run(args.board, args.hours, args.front_end, _tell, args.most * 60)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{args.board}: {day.samples:,} samples in {day.seconds:.0f} s")
    print(f"log: {day.minutes} minutes, {day.failures} records not kept")
    print(
        f"memory: grew by {day.grown} {'KB' if args.board == 'host_device' else 'bytes of stack'}"
    )
    if day.drift_ppm is not None:
        print(f"front end's clock: {day.drift_ppm:+.0f} ppm by the log, {PPM:+d} set")
    faults = day.faults()
    for line in faults:
        print(f"fault: {line}")
    print(f"{day.hours:.4g} h: {day.samples_lost} samples lost")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
