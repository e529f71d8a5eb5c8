"""The operator's files: fleet.toml, key files that others may not read, sealed exports."""

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from einthoven.errors import KeysError
from einthoven.fleet import keys, operator
from einthoven.fleet.proof import Challenge, fingerprint, new_key


def test_a_new_device_is_noted_and_its_key_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    keys.add(path, "clinic-01", "00aa", "blackpill_f411ce")
    keys.add(path, "clinic-02")
    fleet = keys.read(path)
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
    before = '# ours\n[[device]]\nname = "a"\nprobe = "usb:1-2"\n\n[site]\nname = "here"\n'
    path.write_text(before)
    keys.add(path, "b")
    assert path.read_text().startswith(before)
    assert len(keys.read(path).devices) == 2


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text('[[device]]\nname = "a"\nkey = "env:A_KEY"\n')
    fleet = keys.read(path)
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
    ],
)
def test_a_fleet_file_that_makes_no_sense(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(KeysError, match=says):
        keys.read(path)


def test_what_is_missing_or_unsafe_is_said(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    with pytest.raises(KeysError, match="keys new NAME"):
        keys.read(path)
    keys.add(path, "a")
    made, fleet = tmp_path / "keys" / "a.key", keys.read(path)
    with pytest.raises(KeysError, match="has no device 'b': it has a"):
        fleet.device("b")
    with pytest.raises(KeysError, match=r"has a .* already"):
        keys.add(path, "a")
    made.chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        fleet.key(fleet.device("a"))
    made.chmod(0o600)
    made.write_text("not a key\n")
    with pytest.raises(KeysError, match="holds no key"):
        fleet.key(fleet.device("a"))
    path.unlink()
    with pytest.raises(KeysError, match="may be the only copy"):
        keys.add(path, "a")
    made.unlink()
    with pytest.raises(KeysError, match="restore it"):
        fleet.key(fleet.device("a"))


def test_an_export_is_sealed_to_the_operator_alone(tmp_path: Path) -> None:
    operator.make(tmp_path / "own")
    operator.make(tmp_path / "other")
    public, private = (tmp_path / "own" / f"operator-seal.{s}" for s in ("pub", "key"))
    content = bytes(range(256)) * 1000
    sealed = operator.seal(content, public)
    assert content[:64] not in sealed and sealed != operator.seal(content, public)
    assert operator.unseal(sealed, private) == content
    for at in (30, len(sealed) // 2, len(sealed) - 1):
        damaged = bytearray(sealed)
        damaged[at] ^= 1
        with pytest.raises(KeysError, match="damaged, or was sealed to another"):
            operator.unseal(bytes(damaged), private)
    for cut in (20, 50, len(sealed) - 1):
        with pytest.raises(KeysError, match="damaged, or was sealed to another"):
            operator.unseal(sealed[:cut], private)
    with pytest.raises(KeysError, match="sealed to another key"):
        operator.unseal(sealed, tmp_path / "other" / "operator-seal.key")
    with pytest.raises(KeysError, match="not sealed"):
        operator.unseal(content, private)
    with pytest.raises(KeysError, match="is no X25519 key"):
        operator.seal(content, tmp_path / "own" / "operator-sign.pub")
    with pytest.raises(KeysError, match="is there already"):
        operator.make(tmp_path / "own")
    with pytest.raises(KeysError, match="no public key in PEM"):
        operator.seal(content, private)


def test_openssl_reads_the_operator_s_keys(tmp_path: Path) -> None:
    """They are files of a common format: what OpenSSL signs with them is the operator's."""
    operator.make(tmp_path)
    private, public = tmp_path / "operator-sign.key", tmp_path / "operator-sign.pub"
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"firmware")
    words = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(private), "-in", str(message)]
    subprocess.run([*words, "-out", str(signature)], check=True)
    key = operator.verifying_key(public)
    assert operator.is_signed(key, signature.read_bytes(), b"firmware")
    assert not operator.is_signed(key, signature.read_bytes(), b"Firmware")
    with pytest.raises(KeysError, match="no Ed25519"):
        operator.signing_key(tmp_path / "operator-seal.key")
    locked = serialization.BestAvailableEncryption(b"password")
    pem = operator.signing_key(private).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    private.write_bytes(pem)
    with pytest.raises(KeysError, match="has a password"):
        operator.signing_key(private)


def test_a_proof_is_for_one_purpose_one_device_and_one_challenge() -> None:
    key = new_key()
    asked = Challenge("device", bytes(32), bytes(32))
    proofs = {
        asked.host_proof(key),
        asked.setting(key, None)[1],
        Challenge("devicf", bytes(32), bytes(32)).host_proof(key),
        Challenge("device", b"\1" * 32, bytes(32)).host_proof(key),
        Challenge("device", bytes(32), b"\1" * 32).host_proof(key),
        asked.host_proof(new_key()),
    }
    assert len(proofs) == 6
