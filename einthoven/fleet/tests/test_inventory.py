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


def test_a_device_that_the_file_has_gets_its_key_there(tmp_path: Path) -> None:
    """As `fleet scan --write` leaves it."""
    path = tmp_path / "fleet.toml"
    path.write_text('[[device]]\nname = "a"\nid = "00aa"\nboard = "host_device"\nsite = "x"\n')
    for words, says in (
        (("00bb",), "with another id or board"),
        (("00aa", "host"), "with another id or board"),
    ):
        with pytest.raises(KeysError, match=says):
            inventory.add(path, "a", *words)
    entry = inventory.add(path, "a", "00aa", "host_device")
    fleet = inventory.read(path)
    assert fleet.devices == (entry,) and len(fleet.key(entry)) == 32
    assert 'site = "x"' in path.read_text()
    with pytest.raises(KeysError, match=r"has a \(00aa\) already"):
        inventory.add(path, "a")
    with pytest.raises(KeysError, match=r"has a \(00aa\) already"):
        inventory.add(path, "b", "00aa")


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
        ('[fleet]\nsinged_by = "x"\n', r"\[fleet\] has 'singed_by': is 'signed_by' meant"),
        (_one('prot = "usb:1-2"'), "a has 'prot': is 'port' meant"),
        (_one('Port = "usb:1-2"'), "a has 'Port': is 'port' meant"),
        ('[[devices]]\nname = "a"\n', "the file has 'devices': is 'device' meant"),
        ('[[device]]\nname = "a"\n[[device]]\nname = "A"\n', "two devices have the name 'a'"),
        (_one('id = "b"') + '[[device]]\nname = "b"\n', "'b' is a name, and the id of a"),
        (_two('id = "00AA"').replace("00AA", "00aa", 1), "two devices have the id '00aa'"),
        (_one('id = "a b"'), "characters that no chip's has"),
        (_one('id = "a\\nb"'), "characters that no chip's has"),
        (_one(f'key = "{"0f" * 32}"'), "never the key itself"),
    ],
)
def test_a_fleet_file_that_makes_no_sense(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(KeysError, match=says):
        inventory.read(path)


def test_a_key_that_stands_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(_one(f'key = "{"0f" * 32}"'))
    with pytest.raises(KeysError) as caught:
        inventory.read(path)
    assert "0f0f" not in str(caught.value)


def test_an_id_in_capitals_is_the_chip_s(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(_one('id = "002F0021"'))
    fleet = inventory.read(path)
    assert fleet.by_id("002f0021") is fleet.device("002F0021") is fleet.device("a")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_any_editor_s(tmp_path: Path, mark: str, end: str) -> None:
    """Read, and added to, with all that was there left as it was."""
    path = tmp_path / "fleet.toml"
    lines = ["[[device]]", 'name = "a"  # é', "", "[[device]]", 'name = "b"']
    path.write_bytes((mark + end.join(lines)).encode())
    inventory.append(path, [Entry("c")])
    inventory.note_id(path, "a", "00aa")
    inventory.note_id(path, "b", "00bb")
    assert [(d.name, d.id) for d in inventory.read(path).devices] == [
        *(("a", "00aa"), ("b", "00bb"), ("c", "")),
    ]
    lines[1:1] = ['id = "00aa"']
    lines[5:5] = ['id = "00bb"']
    lines += ["", "[[device]]", 'name = "c"', ""]
    assert path.read_bytes() == (mark + end.join(lines)).encode()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    for content in ("é".encode("latin1"), "[fleet]".encode("utf-16")):
        path.write_bytes(content)
        with pytest.raises(KeysError, match="is not written in UTF-8"):
            inventory.read(path)
    path.write_bytes(b"\0")
    with pytest.raises(KeysError, match="is no TOML"):
        inventory.read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(KeysError, match="cannot be read: Is a directory"):
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
