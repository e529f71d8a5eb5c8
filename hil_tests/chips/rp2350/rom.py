"""The RP2350's boot ROM: how it finds an image, and its functions, by its data sheet's chapter 5.

Its code is not here: what it does to the chip is done by the model, where the core comes to one of
the places that its tables name. Raspberry Pi's source (pico-bootrom-rp2350, A2: varm_flash_boot.c,
varm_launch_image.c, varm_apis.c, varm_generic_flash.c, rom_table.S) was read for what the data
sheet leaves open: which words reboot() writes, and that the window is read by EBh with the clock
divided by 3 after a boot, and by 03h with it divided by 12 after flash_enter_cmd_xip(). Left out:
partitions, signatures, hashes, versions, other windows than the flash's first.
"""

import struct
from dataclasses import dataclass

from unicorn import Uc

from einthoven.hil_tests.chips.rp.block import Stop
from einthoven.hil_tests.chips.rp.flash import Flash
from einthoven.hil_tests.chips.rp2350.blocks import BY_03H, Qmi

SIZE = 0x8000
TABLE, ARM_LOOKUP, RISCV_LOOKUP, STUBS = 0x7C00, 0x0200, 0x7A00, 0x0400
POINTERS = {0x14: TABLE, 0x16: ARM_LOOKUP | 1, 0x18: (ARM_LOOKUP + 16) | 1}
RISCV_POINTERS = {0x7DF8: RISCV_LOOKUP + 16, 0x7DFA: RISCV_LOOKUP}
FOR_RISCV, FOR_ARM = 0x0003, 0x0004
FUNCTIONS = ("IF", "EX", "RE", "RP", "FC", "CX", "GS")
ARM_RETURN, RISCV_RETURN = b"\x70\x47", b"\x82\x80"
"""BX lr, C.JR ra."""
UNDEFINED = b"\x00\xde"

SEARCHED, BEGIN, END = 4096, 0xFFFFDED3, 0xAB123579
IMAGE_TYPE, LAST = 0x42, 0xFF
EXECUTABLE, SECURE, RP2350 = 1, 2, 1
SYS_INFO_CHIP = 1


@dataclass(frozen=True)
class Image:
    """What the ROM's search has found: for which cores it is."""

    riscv: bool


def find_image(flash: bytes) -> Image | None:
    """The image definition in the first 4 KB [5.9.5]. None: the chip would wait for USB instead."""
    words = struct.unpack("<1024I", flash[:SEARCHED])
    for at, word in enumerate(words):
        if word == BEGIN and (found := _block(words, at)):
            return found
    return None


def _block(words: tuple[int, ...], begin: int) -> Image | None:
    at, kind = begin + 1, None
    while at < len(words):
        item = words[at] & 0xFF
        size = words[at] >> 8 & (0xFFFF if item == LAST else 0xFF)
        if item == LAST:
            whole = at - begin - 1 == size and words[at + 1 : at + 3] == (0, END)
            return _image(kind) if whole and kind is not None else None
        if item == IMAGE_TYPE and size == 1:
            kind = words[at] >> 16
        if size == 0:
            return None
        at += size
    return None


def _image(kind: int) -> Image | None:
    """By the flags of an IMAGE_TYPE [5.9.3.1]: an executable for this chip, Secure on Arm."""
    riscv = kind >> 8 & 7 == 1
    secure = kind >> 4 & 3
    good = kind & 15 == EXECUTABLE and kind >> 12 & 7 == RP2350 and kind >> 8 & 7 < 2
    return Image(riscv) if good and (riscv or secure == SECURE) else None


def content(riscv: bool) -> tuple[bytes, dict[int, str]]:
    """The ROM's bytes, as far as a program reads them; and where it calls which function.

    An entry of the table is two letters, who may use it, and for each bit of that a half-word: for
    RISC-V two that are a jump, for Arm a pointer.
    """
    rom = bytearray(UNDEFINED * (SIZE // 2))
    rom[0x10:0x14] = b"Mu\x02\x02"
    places: dict[int, str] = {}

    def place(at: int, name: str, back: bytes) -> None:
        rom[at : at + 2] = back
        places[at] = name

    for at, value in (POINTERS | RISCV_POINTERS).items():
        struct.pack_into("<H", rom, at, value)
    if riscv:
        place(RISCV_LOOKUP, "lookup", RISCV_RETURN)
    else:
        place(ARM_LOOKUP, "lookup", ARM_RETURN)
    at = TABLE
    for i, name in enumerate(FUNCTIONS):
        stub = STUBS + 16 * i
        struct.pack_into("<2sH4xH", rom, at, name.encode(), FOR_RISCV | FOR_ARM, stub | 1)
        if riscv:
            place(at + 4, name, RISCV_RETURN)
        else:
            place(stub, name, ARM_RETURN)
        at += 10
    struct.pack_into("<H", rom, at, 0)
    return bytes(rom), places


def lookup(rom: bytes, code: int, mask: int) -> int:
    """rom_table_lookup_val() of Arm, ..._entry() of RISC-V [5.4.1]; 0: there is none."""
    at = TABLE
    while True:
        (name,) = struct.unpack_from("<H", rom, at)
        if name == 0:
            return 0
        (who,) = struct.unpack_from("<H", rom, at + 2)
        if name == code and who & mask:
            if mask & FOR_RISCV:
                return at + 4
            (pointer,) = struct.unpack_from("<H", rom, at + 4 + 2 * (who & FOR_RISCV).bit_count())
            return int(pointer)
        at += 4 + 2 * who.bit_count()


def sys_info(identity: int, package: int) -> list[int]:
    """What get_sys_info() tells of CHIP_INFO [5.4.8.17]: words, of which the first says what."""
    return [SYS_INFO_CHIP, package, identity & 0xFFFFFFFF, identity >> 32]


class Functions:
    """What its functions do to a chip. `content`: of the ROM; `about`: the chip, as `sys_info`."""

    def __init__(
        self, uc: Uc, content: bytes, about: list[int], flash: Flash, qmi: Qmi, stop: Stop
    ) -> None:
        self._uc, self._content, self._about = uc, content, about
        self._flash, self._qmi, self._stop = flash, qmi, stop

    def call(self, name: str, values: list[int]) -> int | None:
        """Do what that function does, by its letters, with these arguments. None: it returns
        nothing.
        """
        first, second, third, fourth = values[:4]
        if name == "lookup":
            return lookup(self._content, first, second)
        if name == "GS":
            return self._sys_info(first, second, third)
        if name == "IF":
            self._flash.connect()
        elif name == "EX":
            self._qmi.by(BY_03H)
            self._flash.exit_xip()
        elif name == "RE":
            self._flash.erase(first, second, third, fourth & 0xFF)
        elif name == "RP":
            self._flash.program(first, bytes(self._uc.mem_read(second, third)))
        elif name == "FC":
            self._flash.flush_cache()
        elif name == "CX":
            self._qmi.by(BY_03H)
            self._flash.enter_xip()
        return None

    def _sys_info(self, to: int, room_words: int, asked: int) -> int:
        """Of CHIP_INFO alone: more is not modelled."""
        if asked != SYS_INFO_CHIP or room_words < len(self._about):
            self._stop(f"get_sys_info() is asked for {asked:#x} in {room_words} words")
            return -1
        self._uc.mem_write(to, struct.pack(f"<{len(self._about)}I", *self._about))
        return len(self._about)
