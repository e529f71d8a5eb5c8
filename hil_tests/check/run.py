"""One board through all of it, and many at the same time. What happens to one is no other's."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from einthoven.boards.board import Board, build, load_board, running
from einthoven.errors import EinthovenError
from einthoven.fleet import reach
from einthoven.fleet.checked import BoardCheck, Item
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.proof import fingerprint
from einthoven.hil_tests.check import device as of_device
from einthoven.hil_tests.check import firmware, signal
from einthoven.hil_tests.check.limits import limit
from einthoven.hil_tests.harness.device import Device


@dataclass(frozen=True)
class Subject:
    """A board to check."""

    name: str
    board: Board
    """As it is built here: what the board is held to."""
    reach: Callable[[], AbstractContextManager[str]]
    """Yields its URL while it is held."""
    id: str = ""
    """That it must say; "": any."""
    key: bytes | None = None
    program: Path | None = None
    """Of a process: the file that runs."""


@dataclass(frozen=True)
class Bench:
    """How they are checked."""

    seconds: float
    """Of signal that is looked at."""
    electrodes: str | None = None
    """Whether they are touched, or a simulator is there: "on", "off"; None: nobody knows."""


def one(board: str, port: str | None) -> Subject:
    """A board by its kind, on a port or as a process."""
    kind = load_board(board)
    return Subject(board, kind, lambda: running(kind, port))


def of_fleet(fleet: Fleet, entry: Entry) -> Subject:
    """A device of a fleet file. Raises KeysError, BoardError."""
    kind = load_board(reach.board_of(fleet, entry).name)
    is_process = kind.command is not None
    return Subject(
        name=entry.name,
        board=kind,
        reach=lambda: reach.reached(fleet, entry, "check"),
        id=entry.id,
        key=fleet.key(entry) if entry.key and kind.is_device else None,
        program=reach.board_of(fleet, entry).program if is_process else None,
    )


def check(
    subjects: Sequence[Subject],
    jobs: int,
    seconds: float | None = None,
    electrodes: str | None = None,
    progress: Callable[[BoardCheck], None] = lambda done: None,
) -> list[BoardCheck]:
    """Check them, `jobs` at a time; what came of each, in their order.

    `seconds`: how much signal is looked at, instead of check.toml's; `electrodes`: as of Bench;
    `progress` is told each board
    that is done. Raises BuildError: what a board is held to is built first.
    """
    for kind in {s.board.name: s.board for s in subjects}.values():
        build(kind)
    stretch = float(limit("clock", "seconds")) if seconds is None else seconds
    bench = Bench(stretch, electrodes)

    def done(subject: Subject) -> BoardCheck:
        found = check_one(subject, bench)
        progress(found)
        return found

    with ThreadPoolExecutor(max(1, min(jobs, len(subjects)))) as pool:
        futures = [pool.submit(done, subject) for subject in subjects]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # those at work come to their end
            raise


def check_one(subject: Subject, bench: Bench) -> BoardCheck:
    """All items of one board. What keeps it from being asked is an item, too: it never raises."""
    items: list[Item] = []
    about = {"id": subject.id}
    try:
        with subject.reach() as url, Device(url, baud=subject.board.baud) as device:
            who = device.hello
            about = {
                "id": who.serial or subject.id,
                "build": who.build,
                "model": who.model,
                "model_sha256": who.model_sha256,
            }
            items.extend(_items(subject, device, bench))
    except (EinthovenError, OSError) as error:
        why = str(error)
        if isinstance(error, OSError):
            why = f"{error.filename}: {error.strerror}"
        items.append(Item(name="answers", passed=False, measured=why, limit="every question"))
    proved = any(item.name == "key" and item.passed for item in items)
    return BoardCheck(
        name=subject.name,
        board=subject.board.name,
        key=fingerprint(subject.key) if proved and subject.key else "",
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        items=items,
        **about,
    )


def _items(subject: Subject, device: Device, bench: Bench) -> Iterator[Item]:
    board = subject.board
    yield from firmware.identity(device, board, subject.id)
    now = before = None
    if board.is_device:
        now = of_device.settled(device)
        yield of_device.own_check(now)
        yield of_device.battery(now)
        yield from of_device.key(device, subject.key)
        before = device.log_status()
    yield from firmware.memory(device, board, subject.program)
    yield firmware.engine(device)
    yield firmware.rhythm(device)
    taken = signal.take(device, bench.seconds)
    yield signal.signal(device, board, taken, bench.electrodes)
    yield from signal.clock(device, board, taken)
    yield of_device.watchdog(device, board.has_watchdog)
    yield signal.front_end(device)
    if before is not None:
        yield of_device.log(before, device.log_status())
