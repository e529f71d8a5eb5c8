"""Known answers, instructions and stack of the keys' C on bare targets in QEMU.

    python -m einthoven.codegen.testing.bare_keys

MACs are compared with hashlib, signatures with `cryptography`; the comparison of proofs must take
the same number of instructions wherever they differ.
"""

import hashlib
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from einthoven.codegen.testing import bare_target
from einthoven.fleet.image import layout
from einthoven.fleet.proof import Challenge
from einthoven.no_arguments import no_arguments
from einthoven.paths import FIRMWARE, GENERATED
from einthoven.third_party import monocypher

TARGETS = ("m4", "rv32")
_MACS = 6
_MESSAGE_BYTES = 200
_HEADERS = 4
_PROOF_ERROR = 2
"""-EIN_KEYS_ERR_PROOF."""
_SOURCES = ("keys", "keys_store", "image", "signature", "sha512")


@dataclass(frozen=True)
class Figures:
    """What one target costs."""

    wrong_answers: int
    """Of MACs, digests, signatures and refusals: must be 0."""
    compare: frozenset[int]
    """Instructions of comparing two proofs: one number if it is constant time."""
    prove_wrong: frozenset[int]
    """Of `ein_keys_prove` for proofs wrong at any byte: the same."""
    prove_right: int
    prove_stack: int
    """Bytes."""
    signature: int
    """Instructions of an Ed25519 check over a header."""
    signature_stack: int
    sha512_per_kb: int


def measure(target: str, folder: Path) -> Figures:
    """Build in `folder`, run in QEMU, compare. Raises AssertionError if a tool fails."""
    rng = random.Random(11)
    keys = [rng.randbytes(32) for _ in range(_MACS)]
    messages = [rng.randbytes(_MESSAGE_BYTES) for _ in range(_MACS)]
    signer = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    headers = [rng.randbytes(layout().signed_bytes) for _ in range(_HEADERS)]
    signed = [h + signer.sign(h) for h in headers]
    signed[1] = signed[1][:-1] + bytes([signed[1][-1] ^ 1])
    signed[2] = bytes([signed[2][0] ^ 0x80]) + signed[2][1:]
    # The device's nonces follow from the key alone where nothing is random: two boots' first two.
    asked = _challenges(keys[0])
    (folder / "case.h").write_text(
        "#include <stdint.h>\n"
        f"#define CASE_MACS {_MACS}\n#define CASE_MESSAGE_BYTES {_MESSAGE_BYTES}\n"
        f"#define CASE_HEADERS {_HEADERS}\n"
        + _array("case_keys", keys)
        + _array("case_messages", messages)
        + _array("case_headers", signed)
        + _array("case_public_key", [signer.public_key().public_bytes_raw()])
        + _array("case_set_proof", [asked[0].setting(keys[0], None)[1]])
        + _array("case_host_proof", [asked[1].host_proof(keys[0])])
        # It stands for one row.
        + "#define case_public_key case_public_key[0]\n#define case_set_proof case_set_proof[0]\n"
        "#define case_host_proof case_host_proof[0]\n"
    )
    library = monocypher()
    includes = (FIRMWARE / "keys", FIRMWARE / "wire", GENERATED, library)
    sources = [FIRMWARE / "keys" / f"ein_{name}.c" for name in _SOURCES]
    sources += [FIRMWARE / "wire" / "ein_crc32.c", library / "monocypher.c"]
    flags = ("-Os", "-std=c99", "-DBLAKE2_NO_UNROLLING", *(f"-I{i}" for i in includes))
    bare_target.compile_objects(target, sources, includes, folder, flags)
    words = iter(bare_target.printed(target, folder, flags, "-lc", "bare_keys.c"))
    wrong = 0
    for key, message in zip(keys, messages, strict=True):
        wrong += next(words) != hashlib.blake2b(message, key=key, digest_size=32).hexdigest()
        wrong += next(words) != hashlib.sha512(message).hexdigest()
    wrong += [int(next(words), 16) for _ in range(_HEADERS)] != [1, 0, 0, 1]
    compared = list(_pairs(words, 33))
    wrong += [differs for _, differs in compared] != [0] + [1] * 32
    proved = list(_pairs(words, 32))
    wrong += any(status != _PROOF_ERROR for _, status in proved)
    right, signature, kilobyte = (*_pairs(words, 2), int(next(words), 16))
    return Figures(
        wrong_answers=wrong,
        compare=frozenset(n for n, _ in compared),
        prove_wrong=frozenset(n for n, _ in proved),
        prove_right=right[0],
        prove_stack=right[1],
        signature=signature[0],
        signature_stack=signature[1],
        sha512_per_kb=kilobyte,
    )


def _pairs(words: Iterator[str], n: int) -> Iterator[tuple[int, int]]:
    for _ in range(n):
        yield int(next(words), 16), int(next(words), 16)


def _challenges(key: bytes) -> tuple[Challenge, Challenge]:
    """The two that the program asks for after a boot: without a key, and with this one."""

    def nonce(secret: bytes, count: int) -> bytes:
        counts = (1).to_bytes(4, "little") + count.to_bytes(4, "little")
        message = b"einthoven nonce1" + bytes(24) + counts
        return hashlib.blake2b(message, key=secret, digest_size=32).digest()

    zero = bytes(32)
    return Challenge("", zero, nonce(zero, 1)), Challenge("", zero, nonce(key, 2))


def _array(name: str, rows: Sequence[bytes]) -> str:
    body = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in rows)
    return f"static const uint8_t {name}[{len(rows)}][{len(rows[0])}] = {{\n{body}}};\n"


def main() -> int:
    """Command line: the table of docs/security.md."""
    print(
        "| target | compare two proofs | right proof, in all | stack | Ed25519 | stack | SHA-512 |"
    )
    print("|---|---|---|---|---|---|---|")
    for target in TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            f = measure(target, Path(folder))
        assert f.wrong_answers == 0
        print(
            f"| {target} | {'/'.join(map(str, sorted(f.compare)))} | {f.prove_right:,} | "
            f"{f.prove_stack:,} B | {f.signature:,} | {f.signature_stack:,} B | "
            f"{f.sha512_per_kb:,} a KB |"
        )
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
