"""Both sides' proofs that they have a device's key (firmware/keys/ein_keys.h), host side.

Keyed BLAKE2b by Python's own hashlib, beside Monocypher's on the device: two implementations that
have to agree.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

KEY_BYTES = 32
NONCE_BYTES = 32
_ID_BYTES = 24


def new_key() -> bytes:
    """A device's key: 32 bytes from the system's source of randomness."""
    return secrets.token_bytes(KEY_BYTES)


def new_nonce() -> bytes:
    """What a host adds to a challenge, so that no old answer of a device serves again."""
    return secrets.token_bytes(NONCE_BYTES)


def fingerprint(key: bytes) -> str:
    """What may be printed and compared in place of a key: 16 hexadecimal digits."""
    return hashlib.blake2b(b"einthoven name 1", key=key, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Challenge:
    """What a proof is made over: the device's identity (its serial), and both nonces."""

    device_id: str
    host_nonce: bytes
    device_nonce: bytes

    def host_proof(self, key: bytes) -> bytes:
        """What the host sends: 32 bytes."""
        return self._mac(key, b"einthoven host 1")

    def is_device_proof(self, key: bytes, proof: bytes) -> bool:
        """Whether the device has the key, too."""
        return hmac.compare_digest(self._mac(key, b"einthoven dev  1"), proof)

    def setting(self, new: bytes, old: bytes | None) -> tuple[bytes, bytes]:
        """Key and proof of the message `set_key`: masked where there is an old key."""
        mask = self._mac(old, b"einthoven mask 1") if old else bytes(KEY_BYTES)
        masked = bytes(a ^ b for a, b in zip(new, mask, strict=True))
        return masked, self._mac(new, b"einthoven set  1")

    def _mac(self, key: bytes, purpose: bytes) -> bytes:
        name = self.device_id.encode("ascii")[:_ID_BYTES].ljust(_ID_BYTES, b"\0")
        message = purpose + name + self.host_nonce + self.device_nonce
        return hashlib.blake2b(message, key=key, digest_size=32).digest()
