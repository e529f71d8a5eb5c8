"""Which device is which: by number, by socket, and never by the order of plugging in."""

import pytest

from einthoven.errors import BoardError
from einthoven.fleet import usb
from einthoven.fleet.testing.machine import Machine

CH340, ST_LINK, CP2102 = "1a86:7523", "0483:374b", "10c4:ea60"


def test_two_adapters_without_a_number_differ_by_their_sockets(machine: Machine) -> None:
    machine.hub("1-2")
    (first,) = machine.plug("1-2.10", CH340, tty="ttyUSB")
    (second,) = machine.plug("1-2.9", CH340, tty="ttyUSB")
    found = usb.plugged_in()
    assert [d.path for d in found] == ["1-2.9", "1-2.10"]
    assert [usb.address(d, found) for d in found] == ["usb:1-2.9", "usb:1-2.10"]
    assert usb.serial_port("usb:1-2.9", found) == second
    assert usb.serial_port("usb:1-2.10", found) == first
    with pytest.raises(BoardError, match=r"clinic-01 is not plugged in: nothing at usb:1-2\.1 "):
        usb.serial_port("usb:1-2.1", found, "clinic-01")


def test_two_probes_are_told_apart_by_number(machine: Machine) -> None:
    (one,) = machine.plug("1-1", ST_LINK, "066CFF31", "ST-LINK/V2.1", "ttyACM")
    (two,) = machine.plug("1-3", ST_LINK, "066DFF31", "ST-LINK/V2.1", "ttyACM")
    found = usb.plugged_in()
    assert [usb.address(d, found) for d in found] == ["serial:066CFF31", "serial:066DFF31"]
    assert usb.serial_port("serial:066CFF31", found) == one
    assert usb.serial_port("serial:066DFF31", found) == two


def test_a_number_that_is_not_its_own_names_nothing(machine: Machine) -> None:
    machine.plug("1-1", CP2102, "0001", tty="ttyUSB")
    machine.plug("1-2", CP2102, "ABC", tty="ttyUSB")
    machine.plug("1-3", CP2102, "ABC", tty="ttyUSB")
    machine.plug("1-4", CP2102, "with blank", tty="ttyUSB")
    found = usb.plugged_in()
    assert [usb.address(d, found) for d in found] == [f"usb:1-{n}" for n in (1, 2, 3, 4)]
    with pytest.raises(BoardError, match=r"2 USB devices have the number 'ABC', a among them.*1-3"):
        usb.serial_port("serial:ABC", found, "a")


def test_of_several_ports_the_interface_is_named(machine: Machine) -> None:
    ports = machine.plug("2-1", "0403:6011", "FT1", "Quad RS232-HS", "ttyUSB", interfaces=4)
    found = usb.plugged_in()
    with pytest.raises(BoardError, match=r"several serial ports: name for a one of usb:2-1:1.0, "):
        usb.serial_port("serial:FT1", found, "a")
    assert usb.serial_port("usb:2-1:1.2", found) == ports[2]
    with pytest.raises(BoardError, match="has no serial port there"):
        usb.serial_port("usb:2-1:1.7", found)


def test_a_drive_and_what_has_no_port(machine: Machine) -> None:
    machine.plug("1-1", "2e8a:0003", "E0C9125B0D9B", "RP2 Boot", drive="sdb")
    (found,) = usb.plugged_in()
    assert found.drives == ("sdb", "sdb1") and found.node == machine.dev / "bus/usb/001/001"
    assert usb.address(found, [found]) == "usb:1-1"
    with pytest.raises(BoardError, match=r"RP2 Boot .2e8a:0003. at usb:1-1 has no serial port:"):
        usb.serial_port("usb:1-1", [found])


def test_a_machine_without_sysfs_has_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb, "SYSFS", machine.sys / "nowhere")
    assert usb.plugged_in() == []
