"""The model of the Cortex-M4 beside cycles that others have measured on STM32F407s.

    python -m einthoven.codegen.testing.published_cycles

What is compared is AES by one table of 1 KB with all rounds unrolled, as P. Schwabe and
K. Stoffelen describe it in "All the AES you need on Cortex-M3 and M4" (SAC 2016) and J. Oleksiewicz
publishes it with longer rows of loads. It is written anew here, with such rows, too; what a round
takes can hardly be otherwise: for a byte of the state an UXTB or LSRS, a load and an EOR, and four
loads of the key. The code is 2 to 3 KB without a branch: twice what the flash's accelerator keeps,
so that wait states show in full.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from einthoven.codegen.testing.bare_target import compile_objects, printed
from einthoven.codegen.testing.counted_steps import first_counted
from einthoven.codegen.testing.m4_cycles import Memory, Steps, cycles
from einthoven.codegen.testing.tools import symbols
from einthoven.errors import EinthovenError
from einthoven.no_arguments import no_arguments

BLOCK = bytes(range(0, 256, 17))
"""The plain text of FIPS 197, appendix C. The keys are 0, 1, 2, ..., as there."""
SCHWABE = "Schwabe, Stoffelen: https://github.com/Ko-/aes-armcortexm"
OLEKSIEWICZ = "Oleksiewicz: https://github.com/jnk0le/cortexm-AES"


@dataclass(frozen=True)
class Published:
    """Measured cycles of a block: code in flash, and, where that has wait states, data in RAM."""

    rounds: int
    wait_states: int
    cycles: float
    source: str


PUBLISHED = (
    Published(10, 0, 644.7, SCHWABE),
    Published(10, 0, 602, OLEKSIEWICZ),
    Published(12, 0, 712, OLEKSIEWICZ),
    Published(14, 0, 822, OLEKSIEWICZ),
    Published(10, 5, 779, OLEKSIEWICZ),
    Published(12, 5, 922, OLEKSIEWICZ),
    Published(14, 5, 1067, OLEKSIEWICZ),
)


@dataclass(frozen=True)
class Encryption:
    """One block's steps, from a reading of the counter to the next, and where its data lie."""

    steps: Steps
    data: range

    def cycles(self, of: Published) -> int:
        """By the model, where `of` was measured."""
        return int(cycles(self.steps, Memory(of.wait_states, (self.data,))).sum())


def encryption(rounds: int, folder: Path) -> Encryption:
    """Build and run AES of `rounds` rounds in `folder`. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    key = bytes(range(4 * (rounds - 6)))
    (folder / "aes.S").write_text("\n".join([*_code(rounds), *_data(key, rounds), ""]))
    compile_objects("m4", [folder / "aes.S"], (), folder, ())
    expected = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(BLOCK)
    said = printed("m4", folder, main="bare_aes.c")
    assert said == [expected.hex()], f"{said} is not the cipher text"
    elf = folder / "bare.elf"
    at = {symbol.name: symbol["st_value"] for symbol in symbols(elf)}
    return Encryption(first_counted(elf), range(at["aes_data"], at["aes_data_end"]))


STATE = ("r4", "r5", "r6", "r7")
SUMS = ("r0", "r1", "r2", "r3")
FIRST_HALF = {
    (0, 0): "r0", (1, 0): "r1", (0, 1): "r8", (1, 1): "r9", (0, 2): "r10", (1, 2): "r11",
    (0, 3): "r2", (1, 3): "r3",
}  # fmt: skip
SECOND_HALF = {
    (2, 0): "r2", (2, 1): "r8", (2, 2): "r9", (2, 3): "r3",
    (3, 0): "r7", (3, 1): "r4", (3, 2): "r5", (3, 3): "r6",
}  # fmt: skip
"""Registers of the bytes that make a column, by column and row; the last four take the places of
what they come from."""


def _code(rounds: int) -> Iterator[str]:
    """The state's columns in r4 to r7, the table in r12, the round keys at lr."""
    yield from (
        ".syntax unified", ".thumb", ".text", ".p2align 4", ".global aes_encrypt",
        ".type aes_encrypt, %function", "aes_encrypt:", "push.w {r2, r4-r11, lr}", "mov.w lr, r0",
        "movw r12, #:lower16:aes_table", "movt r12, #:upper16:aes_table", "ldm.w r1, {r0-r3}",
    )  # fmt: skip
    yield from _add_key(0)
    for number in range(1, rounds):
        yield from _columns("ldr.w", lambda row: f"ror #{32 - 8 * row}")
        yield from _add_key(number)
    yield "add.w r12, r12, #1"  # the second byte of a word of the table is the S-box'
    yield from _columns("ldrb.w", lambda row: f"lsl #{8 * row}")
    yield from _add_key(rounds)
    yield from ("pop.w {r2}", "stm.w r2, {r4-r7}", "pop.w {r4-r11, pc}")


def _columns(load: str, turn: Callable[[int], str]) -> Iterator[str]:
    """From the state the sums of table entries, in two halves."""
    for half in (FIRST_HALF, SECOND_HALF):
        for (column, row), register in half.items():
            source = STATE[(column + row) % 4]
            shift = "lsrs" if row == 3 and register in SUMS + STATE else "uxtb"
            yield f"{shift} {register}, {source}" + (
                ", #24" if shift == "lsrs" else f", ror #{8 * row}" if row else ""
            )
        yield from (f"{load} {r}, [r12, {r}, lsl #2]" for r in half.values())
        for (column, row), register in half.items():
            if row:
                before = half[column, 0] if row == 1 else SUMS[column]
                yield f"eor.w {SUMS[column]}, {before}, {register}, {turn(row)}"


def _add_key(number: int) -> Iterator[str]:
    yield from (f"ldr.w {r}, [lr, #{16 * number + 4 * i}]" for i, r in enumerate(STATE))
    yield from (f"eors {r}, {total}" for r, total in zip(STATE, SUMS, strict=True))


def _data(key: bytes, rounds: int) -> Iterator[str]:
    box = _s_box()
    table = [_double(s) | s << 8 | s << 16 | (_double(s) ^ s) << 24 for s in box]
    yield from (".section .rodata", ".p2align 4", ".global aes_round_keys, aes_block", "aes_data:")
    yield "aes_table: .word " + ", ".join(map(hex, table))
    yield "aes_round_keys: .byte " + ", ".join(map(str, _round_keys(key, rounds, box)))
    yield "aes_block: .byte " + ", ".join(map(str, BLOCK))
    yield "aes_data_end:"


def _double(value: int) -> int:
    """Times x in GF(2^8) (FIPS 197, section 4.2.1)."""
    return value << 1 ^ (0x11B if value & 0x80 else 0)


def _s_box() -> list[int]:
    """FIPS 197, section 5.1.1: the inverse, by powers of the generator x + 1, and an affine map."""
    powers = [1]
    while len(powers) < 255:
        powers.append(_double(powers[-1]) ^ powers[-1])
    box = [0x63] * 256
    for exponent, value in enumerate(powers):
        inverse = powers[-exponent % 255]
        spread = inverse ^ inverse << 1 ^ inverse << 2 ^ inverse << 3 ^ inverse << 4
        box[value] = (spread ^ spread >> 8) & 0xFF ^ 0x63
    return box


def _round_keys(key: bytes, rounds: int, box: list[int]) -> bytes:
    """FIPS 197, section 5.2."""
    words = [key[i : i + 4] for i in range(0, len(key), 4)]
    length, constant = len(words), 1
    for i in range(length, 4 * (rounds + 1)):
        last = words[-1]
        if i % length == 0:
            last = bytes(box[b] for b in last[1:] + last[:1])
            last = bytes([last[0] ^ constant]) + last[1:]
            constant = _double(constant)
        elif length > 6 and i % length == 4:
            last = bytes(box[b] for b in last)
        words.append(bytes(a ^ b for a, b in zip(words[-length], last, strict=True)))
    return b"".join(words)


def main() -> int:
    """Print the comparison; exit code 2 when a tool is missing."""
    print(f"{'':30}{'measured':>10}{'model':>8}{'error':>8}")
    known: dict[int, Encryption] = {}
    try:
        for of in PUBLISHED:
            if of.rounds not in known:
                with tempfile.TemporaryDirectory() as folder:
                    known[of.rounds] = encryption(of.rounds, Path(folder))
            found = known[of.rounds].cycles(of)
            name = f"AES-{32 * (of.rounds - 6)}, {of.wait_states} wait states"
            error = f"{found / of.cycles - 1:+8.1%}"
            print(f"{name:30}{of.cycles:10}{found:8}{error}  {of.source}")
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main())
