"""The operator's own keys: one signs firmware (Ed25519), exports are sealed to the other (X25519).

Each is a pair of PEM files as OpenSSL writes them: `NAME.key`, which only its owner may read, and
`NAME.pub`, which goes to others. Sealed files are HPKE (RFC 9180, base mode, X25519, HKDF-SHA256,
ChaCha20-Poly1305) behind a line that says so; all of it by the package `cryptography`.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from einthoven.errors import KeysError
from einthoven.fleet.keys import require_secret

SIGN = "operator-sign"
SEAL = "operator-seal"
"""Names of the two pairs."""
_MAGIC = b"einthoven sealed 1\n"
_INFO = b"einthoven export"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def make(folder: Path) -> list[Path]:
    """Make both pairs in `folder`. Raises KeysError if one is there already."""
    signing, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    made: list[Path] = []
    for name in (SIGN, SEAL):
        for suffix in (".key", ".pub"):
            if (folder / (name + suffix)).exists():
                raise KeysError(f"{folder / (name + suffix)} is there already: move it away first")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, key in ((SIGN, signing), (SEAL, sealing)):
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        made += [
            _write(folder / f"{name}.key", private, 0o600),
            _write(folder / f"{name}.pub", public, 0o644),
        ]
    return made


def _write(path: Path, content: bytes, mode: int) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    return path


def _private(path: Path) -> object:
    require_secret(path)
    try:
        return serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise KeysError(f"{path} is no private key in PEM, or has a password: {error}") from error


def _public(path: Path) -> object:
    try:
        return serialization.load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise KeysError(f"no {path}: the operator has it (einthoven keys operator)") from None
    except ValueError as error:
        raise KeysError(f"{path} is no public key in PEM: {error}") from error


def signing_key(path: Path) -> Ed25519PrivateKey:
    """What signs firmware. Raises KeysError."""
    key = _private(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError(f"{path} is no Ed25519 key: name {SIGN}.key")
    return key


def verifying_key(path: Path) -> Ed25519PublicKey:
    """What signatures are checked with. Raises KeysError."""
    key = _public(path)
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError(f"{path} is no Ed25519 key: name {SIGN}.pub")
    return key


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Whether `signature`, 64 bytes, is the operator's over `content`."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def seal(content: bytes, to: Path) -> bytes:
    """`content` so that only the operator can read it: `to` is the file of a public key.

    Raises KeysError if it is no X25519 key.
    """
    key = _public(to)
    if not isinstance(key, X25519PublicKey):
        raise KeysError(f"{to} is no X25519 key: exports are sealed to {SEAL}.pub")
    return _MAGIC + _SUITE.encrypt(content, key, _INFO)


def unseal(sealed: bytes, key_file: Path) -> bytes:
    """What was sealed, with the operator's private key in `key_file`.

    Raises KeysError if it is not sealed, damaged, or sealed to somebody else.
    """
    key = _private(key_file)
    if not isinstance(key, X25519PrivateKey):
        raise KeysError(f"{key_file} is no X25519 key: name {SEAL}.key")
    if not sealed.startswith(_MAGIC):
        raise KeysError("this file is not sealed: it can be read as it is")
    try:
        return _SUITE.decrypt(sealed.removeprefix(_MAGIC), key, _INFO)
    except (InvalidTag, ValueError) as error:
        raise KeysError(
            f"it does not open with {key_file}: it is damaged, or was sealed to another key"
        ) from error
