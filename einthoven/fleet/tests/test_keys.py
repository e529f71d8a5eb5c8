"""The operator's own keys, sealed exports, and the proofs of a device's key."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from einthoven.errors import KeysError
from einthoven.fleet import operator
from einthoven.fleet.proof import Challenge, new_key


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
