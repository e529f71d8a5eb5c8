"""Many devices at once: what fails harms no other, is tried again, refused or left alone, noted."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from einthoven.boards.board import Board, load_board
from einthoven.errors import BoardError, KeysError, LinkError
from einthoven.fleet import firmware, flashing, inventory, lock, operator, reach, release, usb
from einthoven.fleet.firmware import Firmware
from einthoven.fleet.flashers.dfu_util import ROM, rom_serial
from einthoven.fleet.flashers.job import Job
from einthoven.fleet.flashers.trouble import FlashError, Trouble
from einthoven.fleet.flashing import Flashing, Introduced, Plan
from einthoven.fleet.image import sign, version_number
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.ledger import BEGUN, FLASHED, Flashed, Ledger
from einthoven.fleet.testing.machine import Machine
from einthoven.fleet.testing.stm32_rom import FLASH, Stm32Rom

IMAGE = bytes(range(1, 256)) * 4
UID = "002f00213137510538333233"


@pytest.fixture
def board() -> Board:
    """An STM32 that is flashed over a line without parity."""
    settings = {"address": FLASH, "parity": "none", "device_id": 0x431}
    return dataclasses.replace(
        load_board("blackpill_f411ce"), flash_tools={"stm32flash": {}}, flash_settings=settings
    )


@pytest.fixture
def image(tmp_path: Path) -> Firmware:
    path = tmp_path / "firmware.bin"
    path.write_bytes(IMAGE)
    return Firmware("blackpill_f411ce", path, path)


@pytest.fixture
def chips() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _plans(fleet: Fleet, board: Board, image: Firmware) -> list[Plan]:
    return [flashing.plan(fleet, device, board, image) for device in fleet.devices]


def _who(serial: str) -> Introduced:
    return Introduced(serial, "build", "model", "00" * 32, "11" * 32)


def test_what_fails_harms_no_other(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, chips: ExitStack
) -> None:
    faults: dict[str, dict[str, Any]] = {
        "good-1": {},
        "pulled": {"cable": 500},
        "locked": {"locked": True},
        "other": {"device_id": 0x413},
        "good-2": {},
    }
    there = {name: chips.enter_context(Stm32Rom(**fault)) for name, fault in faults.items()}
    entries = [Entry(name, port=chip.port) for name, chip in there.items()]
    entries.append(Entry("absent", port="usb:1-9"))
    fleet = Fleet(tmp_path / "fleet.toml", tuple(entries), "spring")
    ledger = Ledger(fleet.path)
    seen: dict[str, list[float]] = {}
    work = Flashing(fleet, ledger, None, lambda n, d, w: seen.setdefault(n, []).append(d))
    done = {f.name: f for f in work.run(_plans(fleet, board, image), 16)}
    assert {name: f.outcome for name, f in done.items()} == {
        "good-1": FLASHED,
        "pulled": Trouble.NOT_THERE,  # at the second try, for its line is gone
        "locked": Trouble.LOCKED,
        "other": Trouble.WRONG_CHIP,
        "good-2": FLASHED,
        "absent": Trouble.NOT_THERE,
    }
    assert done["pulled"].message.endswith("; tried twice")
    for name in ("good-1", "good-2"):
        assert bytes(there[name].flash[: len(IMAGE)]) == IMAGE
        assert (done[name].tries, done[name].verified) == (1, "read back by stm32flash")
        assert seen[name] == sorted(seen[name]) and seen[name][-1] == 1.0
    entries_kept = ledger.entries()
    assert [e.outcome for e in entries_kept].count(BEGUN) == 6 and len(entries_kept) == 12
    assert {e.name: e for e in entries_kept} == done
    rows = ledger.table.read_text().splitlines()
    assert len(rows) == 7 and rows[0].startswith("time,fleet,name,id,board,outcome,")
    assert all(e.fleet == "spring" and len(e.firmware_sha256) == 64 for e in entries_kept)


def test_what_a_second_try_mends(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, chips: ExitStack
) -> None:
    chip = chips.enter_context(Stm32Rom(worn=frozenset({FLASH + 10})))
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", port=chip.port),))

    def heal(name: str, done: float, what: str) -> None:
        if "second try" in what:
            chip.worn = frozenset()

    (done,) = Flashing(fleet, None, None, heal).run(_plans(fleet, board, image), 1)
    assert (done.outcome, done.tries) == (FLASHED, 2), done
    chip.worn = frozenset({FLASH + 10})
    (done,) = Flashing(fleet, None, None).run(_plans(fleet, board, image), 1)
    assert done.outcome == Trouble.NOT_VERIFIED and done.message.endswith("tried twice")


def test_two_boards_that_say_one_id(machine: Machine, tmp_path: Path, image: Firmware) -> None:
    host = load_board("host")
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", board="host"), Entry("b", board="host")))
    plans = _plans(fleet, dataclasses.replace(host, program=image.program), image)
    asked: list[str] = []

    def introduce(_: Fleet, device: Entry, __: Board, written: bytes, url: str) -> Introduced:
        assert written == IMAGE and url.startswith("socket://")
        asked.append(device.name)
        return _who("00ff")

    # What is written is no program; what runs is the board's own.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "link", _link)
        done = Flashing(fleet, None, introduce).run(plans, 1)
    assert asked == ["a", "b"]
    assert [f.outcome for f in done] == [FLASHED, Trouble.WRONG_CHIP]
    assert done[0].id == "00ff" and "it says that it is 00ff, and so does a" in done[1].message
    known = Fleet(fleet.path, (Entry("a", board="host"), Entry("b", "00ff", "host")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "link", _link)
        (first, second) = Flashing(known, None, introduce).run(_plans(known, host, image), 1)
    assert first.outcome == Trouble.WRONG_CHIP and "so does b" in first.message
    assert second.outcome == FLASHED


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (KeysError("wrong key"), Trouble.OTHER_KEY),
        (LinkError("nobody answers"), Trouble.SILENT),
        (BoardError("another board"), Trouble.FAILED),
    ],
)
def test_what_was_written_and_is_not_well(
    machine: Machine, tmp_path: Path, image: Firmware, error: Exception, trouble: Trouble
) -> None:
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", board="host"),))
    host = dataclasses.replace(load_board("host"), program=image.program)

    def introduce(*_: object) -> Introduced:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "link", _link)
        (done,) = Flashing(fleet, Ledger(fleet.path), introduce).run(_plans(fleet, host, image), 1)
    assert (done.outcome, done.verified, done.tries) == (trouble, "read back", 1)
    assert str(error) in done.message and Ledger(fleet.path).entries()[-1] == done


class _link:  # noqa: N801 - stands for a function
    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> str:
        return "socket://nobody"

    def __exit__(self, *_: object) -> None:
        pass


def test_a_device_that_somebody_has_is_left_alone(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, chips: ExitStack
) -> None:
    chip = chips.enter_context(Stm32Rom())
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", UID, port=chip.port),))
    ledger = Ledger(fleet.path)
    with lock.held(fleet, fleet.devices[0], "a check"):
        (done,) = Flashing(fleet, ledger, None).run(_plans(fleet, board, image), 1)
    assert done.outcome == Trouble.IN_USE and "a is in use by 'a check'" in done.message
    assert chip.written == 0 and ledger.entries() == []


def test_a_stop_ends_what_runs_and_begins_nothing(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware
) -> None:
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", port="/dev/ttyAMA9"),))
    work = Flashing(fleet, Ledger(fleet.path), None)
    work.stop.set()
    (done,) = work.run(_plans(fleet, board, image), 1)
    assert done.outcome == Trouble.STOPPED and Ledger(fleet.path).entries() == []


def test_a_disk_without_room_for_a_scratch_file_fails_one_device(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", port="/dev/ttyAMA9"),))

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    (done,) = Flashing(fleet, None, None).run(_plans(fleet, board, image), 1)
    assert done.outcome == Trouble.FAILED and "No space left" in done.message


# Which device is meant


def _plan(device: Entry, board: str) -> Plan:
    fleet = Fleet(Path("fleet.toml"), (device,))
    nothing = Firmware(board, Path(), Path())
    return flashing.plan(fleet, device, load_board(board), nothing)


def test_the_probe_is_the_named_one_or_the_only_one(machine: Machine) -> None:
    nucleo = Entry("a", board="nucleo_f446re")
    with pytest.raises(
        FlashError, match=r"a: nothing that openocd flashes through is plugged in .see:"
    ):
        flashing.find_probe(_plan(nucleo, nucleo.board), usb.plugged_in())
    machine.plug("1-1", "0483:374b", "066C", "ST-LINK", "ttyACM")
    plugged = usb.plugged_in()
    assert flashing.find_probe(_plan(nucleo, nucleo.board), plugged) == plugged[0]
    machine.plug("1-2", "0483:374b", "066D", "ST-LINK", "ttyACM")
    plugged = usb.plugged_in()
    with pytest.raises(FlashError, match="name its probe, one of serial:066C, serial:066D"):
        flashing.find_probe(_plan(nucleo, nucleo.board), plugged)
    named = dataclasses.replace(nucleo, probe="serial:066D")
    assert flashing.find_probe(_plan(named, nucleo.board), plugged) == plugged[1]
    by_port = dataclasses.replace(nucleo, port="serial:066C")  # as `fleet scan` proposes it
    assert flashing.find_probe(_plan(by_port, nucleo.board), plugged) == plugged[0]
    with pytest.raises(FlashError, match="a is not plugged in: nothing at serial:066E"):
        flashing.find_probe(
            _plan(dataclasses.replace(nucleo, probe="serial:066E"), nucleo.board), plugged
        )


def test_a_probe_that_is_away_is_not_there_for_a_tool_on_a_port_either(machine: Machine) -> None:
    pill = Entry("a", board="blue_pill", probe="serial:066E")
    plan = _plan(pill, pill.board)
    assert plan.flasher.needs_port
    with pytest.raises(FlashError, match="nothing at serial:066E") as caught:
        flashing.find_probe(plan, usb.plugged_in())
    assert caught.value.trouble is Trouble.NOT_THERE


def test_one_probe_under_two_names_flashes_one(
    machine: Machine, tmp_path: Path, image: Firmware
) -> None:
    machine.plug("1-1", "0483:374b", "066C", "ST-LINK", "ttyACM")
    entries = (Entry("a", probe="serial:066C"), Entry("b", probe="usb:1-1"))
    fleet = Fleet(tmp_path / "fleet.toml", entries)
    plans = _plans(fleet, load_board("nucleo_f446re"), image)
    written: list[str] = []

    def write(job: Job, *_: object) -> str:
        written.append(job.name)
        return "read back"

    plans = [
        dataclasses.replace(p, flasher=dataclasses.replace(p.flasher, write=write)) for p in plans
    ]
    done = Flashing(fleet, None, None).run(plans, 1)
    assert written == ["a"] and done[1].outcome == Trouble.WRONG_CHIP
    assert "b: usb:1-1 is where a is, too" in done[1].message


def test_of_two_chips_in_their_usb_loaders_the_one_with_its_id(machine: Machine) -> None:
    machine.plug("1-1", ROM, rom_serial(UID[:-1] + "4"), "STM32  BOOTLOADER")
    machine.plug("1-2", ROM, rom_serial(UID), "STM32  BOOTLOADER")
    plugged = usb.plugged_in()
    device = Entry("a", UID, "blackpill_f411ce")
    assert flashing.find_probe(_plan(device, device.board), plugged) == plugged[1]
    with pytest.raises(FlashError, match="hold BOOT0 while plugging it in"):
        flashing.find_probe(_plan(dataclasses.replace(device, id="1" * 24), device.board), plugged)


# Signed firmware


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Board]:
    """A release of version 0.3.0, and its board; keys in `own` and `other`."""
    board = load_board("qemu_stm32f405_device")
    assert board.slots is not None
    for name in ("own", "other"):
        operator.make(tmp_path / name)
    key = operator.signing_key(tmp_path / "own" / "operator-sign.key")
    version = version_number("0.3.0")
    images = tuple(sign(b"firmware", board.name, version, at, key) for _, at in board.slots.images)
    made = release.Release(b"boot stage", board.slots.boot_address, images)
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / f"{board.name}.bin").write_bytes(release.whole(made))
    return folder, board


def test_a_release_is_flashed_if_the_operator_signed_it(
    signed: tuple[Path, Board], tmp_path: Path
) -> None:
    folder, board = signed
    own, other = (
        operator.verifying_key(tmp_path / name / "operator-sign.pub") for name in ("own", "other")
    )
    found = firmware.released(folder, board, own)
    assert (found.version, found.address) == ("0.3.0", 0x08000000)
    with pytest.raises(KeysError, match="is not signed by this operator"):
        firmware.released(folder, board, other)
    assert firmware.released(folder, board, None).version == "0.3.0"
    path = folder / f"{board.name}.bin"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(KeysError, match="damaged"):
        firmware.released(folder, board, own)
    path.write_bytes(content[:1000])
    with pytest.raises(KeysError, match="holds no signed image"):
        firmware.released(folder, board, own)
    with pytest.raises(KeysError, match="pico has no slots"):
        firmware.released(folder, load_board("pico"), own)


def test_a_fleet_whose_operator_signs_takes_nothing_else(
    signed: tuple[Path, Board], tmp_path: Path
) -> None:
    folder, board = signed
    fleet = Fleet(tmp_path / "fleet.toml", (), signed_by=tmp_path / "own" / "operator-sign.pub")
    firmware.require_signed(fleet, board, folder, False)
    with pytest.raises(KeysError, match="name the release with --release DIR; or flash with --un"):
        firmware.require_signed(fleet, board, None, False)
    with pytest.raises(KeysError, match="pico cannot have signed firmware"):
        firmware.require_signed(fleet, load_board("pico"), folder, False)
    firmware.require_signed(fleet, load_board("pico"), None, True)
    firmware.require_signed(dataclasses.replace(fleet, signed_by=None), board, None, False)
    assert firmware.trusted_key(fleet, True) is None
    assert firmware.trusted_key(fleet, False) is not None


def test_an_older_version_needs_a_word(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, chips: ExitStack
) -> None:
    chip = chips.enter_context(Stm32Rom())
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", port=chip.port),))
    ledger = Ledger(fleet.path)

    def flash(version: str, allow: bool = False) -> Flashed:
        plans = _plans(fleet, board, dataclasses.replace(image, version=version))
        return Flashing(fleet, ledger, None, allow_downgrade=allow).run(plans, 1)[0]

    assert flash("0.10.0").outcome == FLASHED
    refused = flash("0.9.9")
    assert refused.outcome == Trouble.REFUSED
    assert "a has 0.10.0, and 0.9.9 is older: flash it with --allow-downgrade" in refused.message
    assert flash("0.10.0").outcome == flash("0.9.9", allow=True).outcome == FLASHED
    assert flash("0.9.9").outcome == FLASHED


# The ledger


def _entry(name: str, outcome: str = FLASHED, **more: Any) -> Flashed:
    return Flashed(
        time="2026-01-01T00:00:00Z",
        fleet="f",
        name=name,
        id=more.pop("id", ""),
        board="b",
        outcome=outcome,
        **more,
    )


def test_a_device_is_known_by_its_id_even_under_another_name(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "fleet.toml")
    assert ledger.version("1", "a") == ""
    ledger.add(_entry("a", id="1", version="0.1.0"))
    ledger.add(_entry("b", id="2", version="0.2.0"))
    ledger.add(_entry("a", Trouble.LINK_LOST, id="1", version="0.5.0"))
    assert ledger.version("1", "renamed") == "0.1.0"
    assert ledger.version("2", "a") == "0.2.0"
    assert ledger.version("", "b") == "0.2.0"
    with ledger.lines.open("a") as file:
        file.write("{}\n")
    with pytest.raises(BoardError, match="line 4, is damaged"):
        ledger.entries()


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    """What the machine's own end, in the middle of a line, has left."""
    ledger = Ledger(tmp_path / "fleet.toml")
    ledger.lines.write_text('{"time": "20')
    ledger.add(_entry("a", FLASHED))
    assert json.loads(ledger.lines.read_text().splitlines()[1])["name"] == "a"
    with pytest.raises(BoardError, match=r"line 1, is damaged .*: look at it, and take it out"):
        ledger.entries()


def test_a_message_with_commas_and_quotes_is_one_row(tmp_path: Path) -> None:
    import csv

    ledger = Ledger(tmp_path / "fleet.toml")
    ledger.add(_entry("a", Trouble.FAILED, message='it said "no, not me", and ended'))
    with ledger.table.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["message"] == 'it said "no, not me", and ended' and row["outcome"] == "failed"


def test_a_full_disk_stops_before_a_chip_is_touched(
    machine: Machine, tmp_path: Path, board: Board, image: Firmware, chips: ExitStack
) -> None:
    chip = chips.enter_context(Stm32Rom())
    fleet = Fleet(tmp_path / "fleet.toml", (Entry("a", port=chip.port),))
    ledger = Ledger(fleet.path)
    ledger.lines = Path("/dev/full")
    (done,) = Flashing(fleet, ledger, None).run(_plans(fleet, board, image), 1)
    assert done.outcome == Trouble.FAILED and chip.written == 0
    assert "could not be written (its disk is full): make room, and keep this line: {" in (
        done.message
    )


def test_a_disk_that_fills_in_the_middle_leaves_whole_lines(tmp_path: Path) -> None:
    """A file-size limit cuts the second line in its middle."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from einthoven.fleet.ledger import Flashed, Ledger\n"
        "from einthoven.errors import BoardError\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "entry = Flashed(time='t', fleet='f', name='a', id='1', board='b', outcome='flashed')\n"
        "ledger.add(entry)\n"
        "most = ledger.lines.stat().st_size + 50\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
        "try: ledger.add(entry)\n"
        "except BoardError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "fleet.toml")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "its disk is full" in done.stdout
    line = json.loads(done.stdout.partition("keep this line: ")[2])
    assert line["name"] == "a"
    ledger = Ledger(tmp_path / "fleet.toml")
    assert len(ledger.entries()) == 1 and len(ledger.table.read_text().splitlines()) == 2


# The fleet file learns ids


def test_an_id_is_noted_and_all_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    text = '# ours\n[[device]] # first\nname = "a"\n\n[[device]]\nname = "b" # no id\nsite = "x"\n'
    path.write_text(text)
    inventory.note_id(path, "b", "00ff")
    fleet = inventory.read(path)
    assert [d.id for d in fleet.devices] == ["", "00ff"]
    assert path.read_text().replace('id = "00ff"\n', "") == text
    path.write_text('device = [{ name = "a" }]\n')
    with pytest.raises(KeysError, match='write id = "1" into the table of a'):
        inventory.note_id(path, "a", "1")
    assert path.read_text() == 'device = [{ name = "a" }]\n' and len(list(tmp_path.iterdir())) == 1
