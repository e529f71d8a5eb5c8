"""From a name in the fleet file to a link that nobody else has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from einthoven.boards.board import build, load_board
from einthoven.errors import BoardError, KeysError
from einthoven.fleet import lock, reach
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.testing.machine import Machine
from einthoven.hil_tests.harness.device import Device


def _fleet(tmp_path: Path, *entries: Entry) -> Fleet:
    return Fleet(tmp_path / "fleet.toml", entries)


def test_a_port_is_where_its_socket_is_now(machine: Machine, tmp_path: Path) -> None:
    machine.plug("1-1", "1a86:7523", tty="ttyUSB")
    (mine,) = machine.plug("1-2", "1a86:7523", tty="ttyUSB")
    assert reach.port_of(Entry("a", port="usb:1-2")) == str(mine)
    assert reach.port_of(Entry("a", probe="usb:1-2")) == str(mine)
    assert reach.port_of(Entry("a", port="/dev/ttyAMA0", probe="usb:1-2")) == "/dev/ttyAMA0"
    assert reach.port_of(Entry("a")) is None
    device = Entry("a", board="blackpill_f411ce", port="usb:1-2")
    with reach.reached(_fleet(tmp_path, device), device) as url:
        assert url == str(mine)


def test_processes_are_devices_with_a_number_and_a_flash_of_their_own(
    machine: Machine, tmp_path: Path
) -> None:
    build(load_board("host"))
    fleet = _fleet(tmp_path, Entry("sim-1", "00a1", "host"), Entry("sim{2}", board="host"))
    for device, serial in zip(fleet.devices, ("00a1", "sim{2}"), strict=True):
        with reach.reached(fleet, device) as url, Device(url) as found:
            assert found.hello.serial == serial == reach.identity(device)
            reach.require_identity(device, serial, url)
        assert (fleet.folder(device) / "head").is_file()
    with pytest.raises(BoardError, match="what answers on url is 7, and sim-1 is 00a1"):
        reach.require_identity(fleet.devices[0], "7", "url")


def test_what_was_flashed_into_a_process_is_what_runs(tmp_path: Path) -> None:
    device = Entry("sim-1", board="host")
    fleet, board = _fleet(tmp_path, device), load_board("host")
    assert reach.board_of(fleet, device).program == board.program
    own = fleet.folder(device) / board.program.name
    own.parent.mkdir(parents=True)
    own.touch()
    assert reach.board_of(fleet, device).program == own


@pytest.mark.parametrize(
    ("device", "says"),
    [
        (Entry("a"), "say which board a is"),
        (Entry("Zürich-1", board="host"), "give Zürich-1 an 'id'"),
        (Entry("a", board="pico", words=("--adc", "x")), "a is no process"),
    ],
)
def test_a_line_that_is_not_enough(tmp_path: Path, device: Entry, says: str) -> None:
    with pytest.raises(KeysError, match=says):
        reach.board_of(_fleet(tmp_path, device), device)


def test_a_lock_tells_its_holder_and_ends_with_it(machine: Machine, tmp_path: Path) -> None:
    device, other = Entry("a", "00ff"), Entry("b")
    fleet = _fleet(tmp_path, device, other)
    code = (
        "from pathlib import Path; from einthoven.fleet import lock; import sys\n"
        "from einthoven.fleet.inventory import Entry, Fleet\n"
        "lock.FOLDER = Path(sys.argv[1])\n"
        "renamed = Entry('c', '00ff')\n"
        "with lock.held(Fleet(Path('x'), (renamed,)), renamed, 'flashing c'):\n"
        "    print('mine', flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(lock.FOLDER)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"mine\n"
        # The chip is the same, whatever a fleet file calls it.
        with (
            pytest.raises(
                BoardError,
                match=rf"a is in use by 'flashing c' of \S+ \(process {holder.pid}\) since 20",
            ),
            lock.held(fleet, device),
        ):
            pass
        (told,) = lock.holders()
        assert (told.device, told.process) == ("c", holder.pid)
        with lock.held(fleet, other):
            assert len(lock.holders()) == 2
        holder.kill()
        holder.wait()
    with lock.held(fleet, device, "by hand"):
        assert [(h.doing, h.process) for h in lock.holders()] == [("by hand", os.getpid())]
    assert lock.holders() == []
