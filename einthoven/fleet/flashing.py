"""Flashing devices of a fleet, all at once: each by its own tool, locked, verified, retried once,
asked who it is, and written into the ledger. What happens to one is no other's business.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from einthoven.boards.board import Board, find_port
from einthoven.errors import BoardError, EinthovenError, KeysError, LinkError
from einthoven.fleet import lock, reach, usb
from einthoven.fleet.firmware import Firmware, as_built, require_newer
from einthoven.fleet.flashers.dfu_util import ROM, rom_serial
from einthoven.fleet.flashers.job import Job
from einthoven.fleet.flashers.registry import COPY, Flasher, choose, environment
from einthoven.fleet.flashers.trouble import AGAIN, FlashError, Trouble
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.ledger import BEGUN, FLASHED, Flashed, Ledger

TRIES = 2
_LOOK_S = 0.2


@dataclass(frozen=True)
class Introduced:
    """Who a device says it is once it runs."""

    serial: str
    firmware: str
    model: str
    model_sha256: str
    pipeline_sha256: str
    key: str = ""
    """Fingerprint of the key that it has, if it is a device that takes one."""


Introduce = Callable[[Fleet, Entry, Board, bytes, str], Introduced]
"""Asks the device on a URL who it is, holds it to its image, gives it its key. EinthovenError."""
Progress = Callable[[str, float, str], None]
"""Told a device's name, how much is done, 0 to 1, and what is being done."""


@dataclass(frozen=True)
class Plan:
    """A device, and all that is needed to flash it."""

    device: Entry
    board: Board
    firmware: Firmware
    flasher: Flasher
    settings: Mapping[str, Any]


def plan(fleet: Fleet, device: Entry, board: Board, firmware: Firmware) -> Plan:
    """How a device is going to be flashed. Raises BoardError if its board has no such flasher."""
    flasher, settings = choose(board, device.flasher)
    if flasher.name == COPY:
        settings = {"folder": str(fleet.folder(device))}
    if firmware.address is not None:
        settings = {**settings, "address": firmware.address}
    return Plan(device, board, firmware, flasher, settings)


class Flashing:
    """Devices that are flashed together."""

    def __init__(
        self,
        fleet: Fleet,
        ledger: Ledger | None,
        introduce: Introduce | None,
        progress: Progress = lambda name, done, what: None,
        allow_downgrade: bool = False,
    ) -> None:
        self.stop = threading.Event()
        """Set: tools are ended, and nothing more begins."""
        self._fleet, self._ledger, self._introduce = fleet, ledger, introduce
        self._progress, self._allow_downgrade = progress, allow_downgrade
        self._seen: dict[str, str] = {}
        self._seen_lock = threading.Lock()

    def run(
        self, plans: Sequence[Plan], jobs: int, asked: Callable[[], bool] = lambda: False
    ) -> list[Flashed]:
        """Flash them, `jobs` at a time; what came of each, in their order.

        `asked`: whether an end is asked for: then tools are ended, and all outcomes noted and told.
        """
        with ThreadPoolExecutor(max(1, min(jobs, len(plans)))) as pool:
            futures = [pool.submit(self._one, one) for one in plans]
            try:
                while wait(futures, _LOOK_S).not_done:
                    if asked():
                        self.stop.set()
                return [future.result() for future in futures]
            except BaseException:
                self.stop.set()
                raise

    def _one(self, one: Plan) -> Flashed:
        began = time.monotonic()
        note = Flashed(
            time=_now(),
            fleet=self._fleet.name or self._fleet.path.stem,
            name=one.device.name,
            id=one.device.id,
            board=one.board.name,
            outcome=BEGUN,
            firmware_sha256=one.firmware.sha256,
            version=one.firmware.version,
            flasher=one.flasher.name,
            probe=one.device.probe,
            port=one.device.port,
        )
        touched = False
        try:
            self._require_allowed(one)
            with lock.held(self._fleet, one.device):
                if self._ledger is not None:
                    self._ledger.add(note)
                touched = True
                note = self._write(one, note)
                note = self._meet(one, note)
        except FlashError as error:
            note = _with(note, outcome=error.trouble.value, message=str(error))
        except KeysError as error:
            note = _with(note, outcome=Trouble.REFUSED.value, message=str(error))
        except lock.InUseError as error:
            note = _with(note, outcome=Trouble.IN_USE.value, message=str(error))
        except (EinthovenError, OSError) as error:
            note = _with(note, outcome=Trouble.FAILED.value, message=str(error))
        note = _with(note, time=_now(), seconds=round(time.monotonic() - began, 1))
        if self._ledger is not None and touched:
            try:
                self._ledger.add(note)
            except BoardError as error:
                note = _with(note, outcome=Trouble.FAILED.value, message=str(error))
        self._progress(note.name, 1.0 if note.outcome == FLASHED else 0.0, note.outcome)
        return note

    def _require_allowed(self, one: Plan) -> None:
        if self.stop.is_set():
            raise FlashError(Trouble.STOPPED, f"{one.device.name}: stopped before it began")
        if one.board.is_device and one.device.key:
            try:
                self._fleet.key(one.device)
            except KeysError as error:
                raise FlashError(Trouble.NO_KEY, f"{one.device.name}: {error}") from None
        if self._ledger is not None and one.firmware.version and not self._allow_downgrade:
            before = self._ledger.version(one.device.id, one.device.name)
            require_newer(one.device.name, one.firmware.version, before)

    def _write(self, one: Plan, note: Flashed) -> Flashed:
        for number in range(1, TRIES + 1):
            again = "" if number == 1 else ", second try"
            try:
                verified = self._call(one, again)
            except FlashError as error:
                if error.trouble not in AGAIN or number == TRIES or self.stop.is_set():
                    raise FlashError(error.trouble, f"{error}{_tried(number)}") from None
                continue
            break
        return _with(note, tries=number, verified=verified)

    def _call(self, one: Plan, again: str) -> str:
        plugged = usb.plugged_in()
        probe = find_probe(one, plugged)
        port = flash_port(one) if one.flasher.needs_port else None
        for place in (f"usb:{probe.path}" if probe else None, port):
            if place is not None:
                self._claim(place, one.device.name)
        with tempfile.TemporaryDirectory(prefix="einthoven-flash-") as scratch:
            job = Job(
                name=one.device.name,
                board=one.board.name,
                program=one.firmware.program,
                image=one.firmware.image,
                settings=one.settings,
                id=one.device.id,
                probe=probe,
                port=port,
                scratch=Path(scratch),
                environment=environment(one.board, one.flasher),
            )
            words = f"{one.flasher.name}{again}"
            self._progress(job.name, 0.0, words)
            return one.flasher.write(
                job, lambda done: self._progress(job.name, 0.95 * done, words), self.stop
            )

    def _claim(self, what: str, name: str) -> None:
        """Two lines of the file may name one thing in two ways. Raises FlashError."""
        with self._seen_lock:
            other = self._seen.setdefault(what, name)
        if other != name:
            raise FlashError(
                Trouble.WRONG_CHIP,
                f"{name}: {what} is where {other} is, too: correct the fleet file",
            )

    def _meet(self, one: Plan, note: Flashed) -> Flashed:
        """Ask the device who it is, now that it runs what was written."""
        if self._introduce is None:
            return _with(note, outcome=FLASHED)
        if not may_be_met(one):
            return _with(note, outcome=FLASHED, message="not asked who it is: it has no port")
        self._progress(one.device.name, 0.95, "asking who it is")
        image = one.firmware.image.read_bytes()
        try:
            with reach.link(self._fleet, one.device) as url:
                found = self._introduce(self._fleet, one.device, one.board, image, url)
        except KeysError as error:
            raise FlashError(Trouble.OTHER_KEY, f"{one.device.name}: {error}") from None
        except LinkError as error:
            raise FlashError(Trouble.SILENT, f"{one.device.name}: {error}") from None
        serial = found.serial or one.device.id
        known = self._fleet.by_id(serial)
        other = known.name if known is not None else one.device.name
        if serial and other == one.device.name:
            with self._seen_lock:
                other = self._seen.setdefault(serial, other)
        if other != one.device.name:
            raise FlashError(
                Trouble.WRONG_CHIP,
                f"{one.device.name}: it says that it is {serial}, and so does {other}: two lines "
                "of the fleet file lead to one chip, or a board carries another's number",
            )
        return _with(
            note,
            outcome=FLASHED,
            id=serial,
            firmware=found.firmware,
            model=found.model,
            model_sha256=found.model_sha256,
            pipeline_sha256=found.pipeline_sha256,
            key=found.key,
        )


def flash_board(board: Board, port: str | None = None) -> None:
    """Write a board that was built, which no fleet file names. Raises BoardError."""
    device = Entry(board.name, board=board.name, port=port or "")
    fleet = Fleet(Path("fleet.toml"), (device,))
    one = plan(fleet, device, board, as_built(board))
    # PlatformIO's own upload asks nobody anything afterwards.
    outcome = Flashing(fleet, None, None).run([one], 1)[0]
    if outcome.outcome != FLASHED:
        raise BoardError(outcome.message)


def not_begun(fleet: Fleet, device: Entry, error: EinthovenError) -> Flashed:
    """The outcome for a device that there is no firmware for."""
    return Flashed(
        time=_now(),
        fleet=fleet.name or fleet.path.stem,
        name=device.name,
        id=device.id,
        board=device.board,
        outcome=Trouble.FAILED.value,
        message=f"{device.name}: {error}",
    )


def may_be_met(one: Plan) -> bool:
    """Whether there is a port to ask through: a process has one, others if a line names it."""
    if one.board.command is not None or one.device.port:
        return True
    if not one.device.probe:
        return False
    try:
        return bool(usb.find(one.device.probe, usb.plugged_in()).ports)
    except BoardError:
        return False


def find_probe(one: Plan, plugged: Sequence[usb.UsbDevice]) -> usb.UsbDevice | None:
    """The USB device that the flasher goes through; None: it goes through a port.

    Named by the fleet file; else the chip itself, by its id, in its boot loader; else the only one
    of its kind that is plugged in. Raises FlashError.
    """
    name, kinds = one.device.name, one.flasher.probes
    place = one.device.probe or (_own_probe(one, plugged) if kinds else "")
    if place:
        try:
            return usb.find(place, plugged, name)
        except BoardError as error:
            raise FlashError(Trouble.NOT_THERE, str(error)) from None
    if not kinds:
        return None
    there = [d for d in plugged if d.kind in kinds]
    if ROM in kinds and (number := rom_serial(one.device.id)):
        there = [d for d in there if d.serial == number]
    if len(there) > 1:
        places = ", ".join(usb.address(d, plugged) for d in there)
        raise FlashError(
            Trouble.NOT_THERE,
            f"{name}: several devices could flash it: name its probe, one of {places}",
        )
    if not there and usb.SYSFS.is_dir():
        hint = f": {one.flasher.wake}" if one.flasher.wake else ""
        raise FlashError(
            Trouble.NOT_THERE,
            f"{name}: nothing that {one.flasher.name} flashes through is plugged in{hint} "
            "(see: einthoven doctor)",
        )
    return there[0] if there else None


def _own_probe(one: Plan, plugged: Sequence[usb.UsbDevice]) -> str:
    """The place of its port, if that is a probe's, as on a Nucleo; "" if it is not."""
    place = one.device.port
    if not place.startswith(("usb:", "serial:")):
        return ""
    try:
        found = usb.find(place, plugged, one.device.name)
    except BoardError:
        return ""
    return place if found.kind in one.flasher.probes else ""


def flash_port(one: Plan) -> str:
    """The port that the device is flashed through. Raises FlashError if it is not there."""
    try:
        return reach.port_of(one.device) or find_port(one.board)
    except BoardError as error:
        raise FlashError(Trouble.NOT_THERE, f"{one.device.name}: {error}") from None


def _with(note: Flashed, **changes: Any) -> Flashed:
    return msgspec.structs.replace(note, **changes)


def _tried(number: int) -> str:
    return "; tried twice" if number > 1 else ""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
