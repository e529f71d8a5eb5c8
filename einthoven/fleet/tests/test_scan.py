"""What is plugged in becomes a fleet file; what is in the way is found, with what mends it."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from einthoven.fleet import doctor, inventory, lock, usb
from einthoven.fleet.doctor import NOTE, OK, PROBLEM, Finding, examine
from einthoven.fleet.flashers.dfu_util import ROM, rom_serial
from einthoven.fleet.inventory import Entry, Fleet
from einthoven.fleet.ledger import BEGUN, FLASHED, Flashed, Ledger
from einthoven.fleet.scan import Found, Who, scan, toml
from einthoven.fleet.testing.machine import Machine

UID = "002f00213137510538333233"
CH340, ST_LINK = "1a86:7523", "0483:374b"


def _nobody(port: str, baud: int) -> Who | None:
    return None


def _scan(
    *entries: Entry, ask: Callable[[str, int], Who | None] = _nobody
) -> tuple[list[Found], dict[str, dict[str, str]]]:
    found = scan(Fleet(Path("fleet.toml"), entries), usb.plugged_in(), ask)
    tables = tomllib.loads(toml(found)).get("device", [])
    return found, {table["name"]: table for table in tables}


def test_two_adapters_of_a_kind_are_asked_and_named_by_their_sockets(machine: Machine) -> None:
    (first,) = machine.plug("1-1", CH340, product="USB Serial", tty="ttyUSB")
    (second,) = machine.plug("1-2", CH340, product="USB Serial", tty="ttyUSB")
    asked: list[tuple[str, int]] = []

    def ask(port: str, baud: int) -> Who | None:
        asked.append((port, baud))
        return Who("blackpill_f411ce", UID) if port == str(second) else None

    found, tables = _scan(ask=ask)
    assert [f.state for f in found] == ["new", "new"]
    assert {port for port, _ in asked} == {str(first), str(second)}
    assert tables["blackpill_f411ce-01"] == {
        "name": "blackpill_f411ce-01",
        "id": UID,
        "board": "blackpill_f411ce",
        "port": "usb:1-2",
    }
    assert tables["device-01"] == {"name": "device-01", "port": "usb:1-1"}
    text = toml(found)
    assert "# USB Serial (1a86:7523) at usb:1-1\n# say which: board = " in text
    assert "blackpill_f411ce | " in text and "/dev/" not in text


def test_a_probe_with_a_port_is_one_device(machine: Machine) -> None:
    machine.plug("1-1", ST_LINK, "066CFF31", "ST-LINK/V2.1", "ttyACM")
    machine.plug("1-2", "046d:c31c", product="Keyboard")
    (found,), tables = _scan()
    assert found.entry == Entry("nucleo_f446re-01", board="nucleo_f446re", port="serial:066CFF31")
    assert tables["nucleo_f446re-01"]["board"] == "nucleo_f446re"


def test_chips_in_their_loaders(machine: Machine) -> None:
    machine.plug("1-1", ROM, rom_serial(UID), "STM32  BOOTLOADER")
    machine.plug("1-2", "2e8a:0003", "E0C9125B0D9B", "RP2 Boot", drive="sdb")
    found, tables = _scan(Entry("clinic-01", UID, "blackpill_f411ce", port="usb:1-7"))
    assert next((f.state, f.entry.name) for f in found) == ("known", "clinic-01")
    (new,) = [table for table in tables.values() if table.get("probe") == "usb:1-2"]
    assert "pico" in str(new) or any("pico" in f.boards for f in found)


def test_what_the_file_has_is_left_alone(machine: Machine) -> None:
    machine.plug("1-1", CH340, tty="ttyUSB")
    entries = (
        Entry("here", board="blackpill_f411ce", port="usb:1-1"),
        Entry("away", board="blackpill_f411ce", port="usb:1-9"),
        Entry("simulated", board="host"),
    )
    found, tables = _scan(*entries)
    assert [(f.state, f.entry.name) for f in found] == [("known", "here"), ("absent", "away")]
    assert tables == {} and "usb:1-9" in found[1].what
    moved = Entry("moved", UID, "blackpill_f411ce", port="usb:1-9")
    found, tables = _scan(moved, ask=lambda port, baud: Who("blackpill_f411ce", UID))
    assert tables == {}
    assert [f.state for f in found] == ["absent", "known"]
    assert f"answers as {UID}: correct its place to usb:1-1" in found[1].what


def test_a_machine_without_sysfs_is_told_by_pyserial(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr(usb, "SYSFS", machine.sys / "nowhere")
    ports = [
        SimpleNamespace(device=d, vid=v, pid=0x7523, location=at, serial_number=None, product="x")
        for d, v, at in (("/dev/cu.1", 0x1A86, "20-2"), ("/dev/cu.2", 0x1A86, "20-1:1.0"))
    ]
    ports.append(SimpleNamespace(device="/dev/cu.B", vid=None, pid=None, location=None))
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    found = usb.plugged_in()
    assert [(d.path, str(d.ports[0][1])) for d in found] == [
        ("20-1", "/dev/cu.2"),
        ("20-2", "/dev/cu.1"),
    ]
    assert usb.address(found[0], found) == "usb:20-1"


def test_what_a_device_says_of_itself_is_no_line_of_the_file(
    machine: Machine, tmp_path: Path
) -> None:
    """A text of USB's may hold anything."""
    said = ('x\n[fleet]\nsigned_by = "mine"', "\x1b[2J", "a\rb", "a\x85b", "a\u2028b", 'q"\\', "\0")
    for i, text in enumerate(said, 1):
        machine.plug(f"1-{i}", ST_LINK, text, text, "ttyACM")
    found = scan(Fleet(tmp_path / "x", ()), usb.plugged_in(), lambda port, baud: None, [])
    path = tmp_path / "fleet.toml"
    inventory.append_text(path, toml(found))
    fleet = inventory.read(path)
    assert len(fleet.devices) == len(said) and fleet.signed_by is None
    assert all(one.what.isprintable() for one in found)


# The doctor


@pytest.fixture
def healthy(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which nothing runs, with every tool."""
    (tmp_path / "proc").mkdir()
    monkeypatch.setattr(doctor, "PROC", tmp_path / "proc")
    monkeypatch.setattr(doctor, "RULES", (tmp_path / "rules",))
    monkeypatch.setattr("shutil.which", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    return machine


def _problems(found: list[Finding]) -> list[Finding]:
    assert all(one.mend for one in found if one.state == PROBLEM)
    return [one for one in found if one.state == PROBLEM]


def test_a_healthy_machine(healthy: Machine, tmp_path: Path) -> None:
    healthy.plug("1-1", ST_LINK, "066C", "ST-LINK", "ttyACM")
    path = tmp_path / "fleet.toml"
    device = Entry("a", board="nucleo_f446re", port="serial:066C")
    inventory.append(path, [device, Entry("b", board="host")])
    found = examine(path)
    assert _problems(found) == []
    about = {one.about: one for one in found}
    assert about["a"] == Finding("a", OK, "nucleo_f446re, flashed by openocd")
    assert "ST-LINK (0483:374b) at usb:1-1: serial:066C" in about["plugged in"].found
    with lock.held(inventory.read(path), device, "a check"):
        (held,) = [one for one in examine(path) if one.about == "in use"]
    assert "a by 'a check'" in held.found


def test_what_a_fleet_needs_is_a_problem_and_the_rest_a_note(
    healthy: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: None)
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    found = examine(tmp_path / "none.toml")
    assert _problems(found) == []
    path = tmp_path / "fleet.toml"
    inventory.append(
        path,
        [
            Entry("a", board="nucleo_f446re"),
            Entry("b", board="blackpill_f411ce", flasher="stm32loader"),
        ],
    )
    problems = {one.found.partition(" ")[0]: one.mend for one in _problems(examine(path))}
    assert set(problems) == {"arm-none-eabi-gcc", "openocd", "stm32loader"}
    assert problems["openocd"] == "sudo apt-get install openocd"
    assert problems["stm32loader"].endswith("-m pip install stm32loader")


def test_what_may_not_be_opened(
    healthy: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy.plug("1-1", ROM, "385C", "STM32  BOOTLOADER")
    healthy.plug("1-2", CH340, tty="ttyUSB")
    healthy.plug("1-3", CH340)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    rule, group, driver = _problems(examine(tmp_path / "none.toml"))
    assert 'ATTR{idProduct}=="df11"' in rule.mend and "udevadm control --reload" in rule.mend
    assert group.mend.startswith("sudo adduser $USER dialout") and "ttyUSB0" in group.found
    assert driver.mend == "sudo modprobe ch341"


def test_what_is_in_the_way(healthy: Machine, tmp_path: Path) -> None:
    for number, name in ((1, "systemd"), (77, "ModemManager"), (78, "brltty")):
        (tmp_path / "proc" / str(number)).mkdir()
        (tmp_path / "proc" / str(number) / "comm").write_text(f"{name}\n")
    (modem,) = _problems(examine(tmp_path / "none.toml"))
    assert modem.mend == "sudo systemctl disable --now ModemManager"
    healthy.plug("1-2", CH340, tty="ttyUSB")
    assert [p.mend for p in _problems(examine(tmp_path / "none.toml"))] == [
        "sudo systemctl disable --now ModemManager",
        "sudo apt-get remove brltty",
    ]


def test_a_fleet_file_with_troubles(healthy: Machine, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text("[[device]\n")
    assert [p.about for p in _problems(examine(path))] == ["fleet"]
    path.unlink()
    entries = [
        Entry("away", board="nucleo_f446re", port="serial:066C"),
        Entry("keyless", board="host_device", key="file:keys/none.key"),
        Entry("strange", board="nonsense"),
    ]
    inventory.append(path, entries)
    about = {one.about: one for one in examine(path)}
    assert about["away"].state == NOTE and "is not plugged in" in about["away"].found
    assert about["keyless"].state == PROBLEM and "restore it" in about["keyless"].found
    assert about["strange"].state == PROBLEM and "no board 'nonsense'" in about["strange"].found


def test_a_chip_of_which_nobody_knows_what_is_in_it(healthy: Machine, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    inventory.append(path, [Entry("a", board="host"), Entry("b", board="host")])
    ledger = Ledger(path)
    when = "2026-01-02T03:04:05Z"
    for name, outcome in (("a", BEGUN), ("b", BEGUN), ("a", FLASHED)):
        entry = Flashed(time=when, fleet="f", name=name, id="", board="host", outcome=outcome)
        ledger.add(entry)
    (problem,) = _problems(examine(path))
    assert problem.about == "b" and problem.mend == "einthoven flash b"
    assert f"began at {when}" in problem.found
    ledger.lines.write_text("no line of a ledger\n")
    (problem,) = _problems(examine(path))
    assert problem.about == "ledger" and "line 1, is damaged" in problem.found


def test_a_disk_without_room(healthy: Machine, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "FREE_BYTES", 1 << 62)
        (disk,) = _problems(examine(tmp_path / "none.toml"))
    assert disk.about == "disk" and disk.mend.startswith("rm -r ")
