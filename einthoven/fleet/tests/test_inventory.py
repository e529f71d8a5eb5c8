"""fleet.toml: what it may say, and that its keys are kept apart from others' eyes."""

import stat
from pathlib import Path

import pytest

from einthoven.errors import KeysError
from einthoven.fleet import inventory
from einthoven.fleet.inventory import Entry
from einthoven.fleet.proof import fingerprint


def _one(line: str) -> str:
    return f'[[device]]\nname = "a"\n{line}\n'


def _two(line: str) -> str:
    return _one(line) + _one(line).replace('"a"', '"b"')


def test_all_that_a_fleet_file_may_say(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text('[fleet]\nname = "spring"\nsigned_by = "operator-sign.pub"\n')
    entries = [
        Entry("a", "00ff", "blackpill_f411ce", "env:A", "usb:1-2.3", "serial:066C", "openocd"),
        Entry("b", board="nucleo_f446re", port="serial:0670FF"),
        Entry("c", port="usb:3-1:1.2", probe="usb:3-1"),
        Entry("d", port="socket://bench:4000"),
        Entry("e", port="/dev/ttyAMA0"),
        Entry("f", board="host", words=("--adc", 'with "quotes" and é')),
    ]
    inventory.append(path, entries[:4])
    inventory.append(path, entries[4:])
    fleet = inventory.read(path)
    assert fleet.devices == tuple(entries)
    assert (fleet.name, fleet.signed_by) == ("spring", tmp_path / "operator-sign.pub")


def test_devices_are_chosen_by_name_or_id_in_the_file_s_order(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    inventory.append(path, [Entry("a", "1"), Entry("b", "2"), Entry("c")])
    fleet = inventory.read(path)
    assert [d.name for d in fleet.choose([])] == ["a", "b", "c"]
    assert [d.name for d in fleet.choose(["c", "1", "a"])] == ["a", "c"]
    with pytest.raises(KeysError, match="no device 'z': it has a, b, c"):
        fleet.choose(["a", "z"])
    path.write_text("[fleet]\n")
    with pytest.raises(KeysError, match="einthoven fleet scan"):
        inventory.read(path).choose([])


def test_a_new_device_is_noted_and_its_key_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    inventory.add(path, "clinic-01", "00aa", "blackpill_f411ce")
    inventory.add(path, "clinic-02")
    fleet = inventory.read(path)
    assert [d.name for d in fleet.devices] == ["clinic-01", "clinic-02"]
    assert fleet.by_id("00aa") == fleet.device("clinic-01") == fleet.device("00aa")
    assert fleet.by_id("") is None
    first, second = (fleet.key(d) for d in fleet.devices)
    assert first != second and len(first) == 32
    assert first.hex() not in path.read_text()
    made = tmp_path / "keys" / "clinic-01.key"
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600
    assert fingerprint(first) not in made.read_text()


def test_what_others_write_into_the_fleet_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    before = '# ours\n[[device]]\nname = "a"\nsite = "attic"\n\n[site]\nname = "here"\n'
    path.write_text(before)
    inventory.add(path, "b")
    assert path.read_text().startswith(before)
    assert len(inventory.read(path).devices) == 2


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text('[[device]]\nname = "a"\nkey = "env:A_KEY"\n')
    fleet = inventory.read(path)
    with pytest.raises(KeysError, match=r"\$A_KEY, which is not set"):
        fleet.key(fleet.device("a"))
    monkeypatch.setenv("A_KEY", "0f" * 32)
    assert fleet.key(fleet.device("a")) == b"\x0f" * 32
    monkeypatch.setenv("A_KEY", "0f" * 31)
    with pytest.raises(KeysError, match="64 hexadecimal digits"):
        fleet.key(fleet.device("a"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[device]\n", "is no TOML"),
        ("device = 3\n", "written as"),
        ('[[device]]\nname = "a/b"\n', "a device's name is"),
        ("[[device]]\nname = 3\n", "must be a text"),
        ('[[device]]\nname = "a"\n[[device]]\nname = "a"\n', "two devices have the name 'a'"),
        ('[[device]]\nname = "a"\nid = "1"\n[[device]]\nname = "b"\nid = "1"\n', "the id '1'"),
        (_two('port = "usb:1-2"'), "two devices are at 'usb:1-2'"),
        (_two('probe = "serial:AB"'), "two devices are at 'serial:AB'"),
        (
            _one('port = "usb:1-2"') + '[[device]]\nname = "b"\nprobe = "usb:1-2"\n',
            "two devices are at 'usb:1-2'",
        ),
        (_one('port = "/dev/ttyUSB0"'), "ttyUSB0 may be another device tomorrow"),
        (_one('port = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"'), "may be another"),
        (_one('port = "COM3"'), "the port of a is 'usb:1-2.3' or 'serial:NUMBER', not 'COM3'"),
        (_one('probe = "socket://host:1"'), "the probe of a is"),
        (_one("words = [1]"), "must be a list of texts"),
        (_one("probe = 3"), "'probe' must be a text"),
        ("fleet = 3\n", r"is written as \[fleet\]"),
        ("[fleet]\nsigned_by = 1\n", "'signed_by' must be a text"),
    ],
)
def test_a_fleet_file_that_makes_no_sense(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(KeysError, match=says):
        inventory.read(path)


def test_what_is_missing_or_unsafe_is_said(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    with pytest.raises(KeysError, match="keys new NAME"):
        inventory.read(path)
    inventory.add(path, "a")
    made, fleet = tmp_path / "keys" / "a.key", inventory.read(path)
    with pytest.raises(KeysError, match="has no device 'b': it has a"):
        fleet.device("b")
    with pytest.raises(KeysError, match=r"has a .* already"):
        inventory.add(path, "a")
    made.chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        fleet.key(fleet.device("a"))
    made.chmod(0o600)
    made.write_text("not a key\n")
    with pytest.raises(KeysError, match="holds no key"):
        fleet.key(fleet.device("a"))
    path.unlink()
    with pytest.raises(KeysError, match="may be the only copy"):
        inventory.add(path, "a")
    made.unlink()
    with pytest.raises(KeysError, match="restore it"):
        fleet.key(fleet.device("a"))
