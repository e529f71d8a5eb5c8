"""The boot stage on the emulated STM32F405: which slot it starts, and that it jumps there rightly.

QEMU takes flash for ROM, so what it would mark stays unmarked: each case is one start. The slots'
story over many starts, and its cuts, is in einthoven/native/tests/test_slots.py.
"""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from einthoven.fleet.image import layout, sign
from einthoven.paths import BOARDS, FIRMWARE
from einthoven.third_party import monocypher

OPERATOR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = OPERATOR.public_key().public_bytes_raw()
BOARD = "qemu_stm32f405_device"
SLOTS = (0x08020000, 0x08040000)
COMPILER = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-std=c99", "-nostartfiles")
LINK = ("--specs=nano.specs", "-Wl,--gc-sections,--no-warn-rwx-segments")
WORDS = b"EINTHOVEN BOOT 1"
# Says over USART1 where its vectors are, and whether the stack is the one that its table names.
PROGRAM = """
extern char _stack_top[];
void start(void);
__attribute__((section(".vectors"), used)) static const void *const vectors[] = {_stack_top, start};
static void put(char c) { *(volatile unsigned *)0x40011004 = (unsigned char)c; }
void start(void)
{
    unsigned sp, table = *(volatile unsigned *)0xE000ED08;
    __asm volatile("mov %0, sp" : "=r"(sp));
    put("01?"[table == SLOT_0 + 512 ? 0 : table == SLOT_1 + 512 ? 1 : 2]);
    put((unsigned)_stack_top - sp < 64 ? '+' : '-');
    register unsigned operation __asm("r0") = 0x18, reason __asm("r1") = 0x20026;
    __asm volatile("bkpt 0xAB" : : "r"(operation), "r"(reason));
    for (;;) {
    }
}
"""


def compiled(folder: Path, name: str, *words: str | Path) -> bytes:
    elf, image = folder / f"{name}.elf", folder / f"{name}.bin"
    subprocess.run([*COMPILER, *map(str, words), *LINK, "-o", str(elf)], check=True)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(elf), str(image)], check=True)
    return image.read_bytes()


@pytest.fixture(scope="module")
def boot(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The boot stage, as it is without an operator's key."""
    keys, library, chip = FIRMWARE / "keys", monocypher(), BOARDS / "stm32f4"
    rooms = (keys, FIRMWARE / "wire", FIRMWARE / "app", FIRMWARE / "generated", library)
    boards = (BOARDS / n for n in ("bare", "stm32", "stm32f4", "stm32f4_device", BOARD))
    sources = [keys / f"ein_{n}.c" for n in ("boot", "slots", "image", "signature", "sha512")]
    sources += [BOARDS / "stm32f4_boot" / "boot.c", chip / "count.c", chip / "flash.c"]
    sources += [BOARDS / "stm32f4_device" / "slots_port.c", library / "monocypher.c"]
    return compiled(
        tmp_path_factory.mktemp("boot"),
        "boot",
        *("-ffunction-sections", "-fdata-sections", "-DBLAKE2_NO_UNROLLING"),
        *(f"-I{folder}" for folder in (*rooms, *boards)),
        *sources,
        *("-T", chip / "stm32f4.ld"),
        *("-Wl,--defsym=_image_bytes=16K", "-Wl,--defsym=_stack_bytes=4K"),
    )


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A program for each slot."""
    folder = tmp_path_factory.mktemp("programs")
    source = folder / "program.c"
    source.write_text(PROGRAM)
    defines = [f"-DSLOT_{i}=0x{at:08x}u" for i, at in enumerate(SLOTS)]
    ld = BOARDS / "stm32f4" / "stm32f4.ld"
    first, second = (
        compiled(
            folder,
            f"slot{i}",
            *defines,
            source,
            *("-T", ld, "-Wl,-estart", f"-Wl,--defsym=_image_at=0x{at + 512:08x}"),
        )
        for i, at in enumerate(SLOTS)
    )
    return first, second


def image(
    programs: tuple[bytes, bytes], slot: int, marks: dict[str, int], good: bool = True
) -> bytes:
    key = OPERATOR if good else Ed25519PrivateKey.from_private_bytes(bytes(32))
    content = bytearray(sign(programs[slot], BOARD, 1, SLOTS[slot], key).file)
    for name, value in marks.items():
        at = layout().marks[name]
        content[at : at + 4] = value.to_bytes(4, "little")
    return bytes(content)


def started(folder: Path, boot: bytes, slots: list[bytes], key: bytes = PUBLIC) -> str:
    """What the program that was started says."""
    at = boot.index(WORDS) + len(WORDS)
    files = [(0x08000000, boot[:at] + key + boot[at + 32 :]), *zip(SLOTS, slots, strict=True)]
    words = ["qemu-system-arm", "-M", "netduinoplus2", "-icount", "shift=0", "-nographic"]
    words += [
        "-monitor",
        "none",
        "-serial",
        "stdio",
        "-semihosting-config",
        "enable=on,target=native",
    ]
    for address, content in files:
        path = folder / f"{address:08x}.bin"
        path.write_bytes(content or b"\xff" * 512)
        if address == 0x08000000:
            words += ["-kernel", str(path)]
        else:
            words += ["-device", f"loader,file={path},addr=0x{address:08x},force-raw=on"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, timeout=600, stdin=subprocess.DEVNULL
    )
    return done.stdout


def sequence(n: int) -> int:
    return n << 16 | ~n & 0xFFFF


VALUES = layout().mark_values
CONFIRMED = {"sequence": sequence(1), "tried": VALUES["tried"], "confirmed": VALUES["confirmed"]}
TRIED = {"sequence": sequence(2), "tried": VALUES["tried"]}
CASES: dict[str, tuple[dict[str, int] | None, dict[str, int] | None, bool, str]] = {
    "what a cable brought": ({}, None, True, "0+"),
    "a newer one that is pending": (CONFIRMED, {"sequence": sequence(2)}, True, "1+"),
    "one that is confirmed": (CONFIRMED, {**TRIED, "confirmed": VALUES["confirmed"]}, True, "1+"),
    "one that did not confirm itself": (CONFIRMED, TRIED, True, "0+"),
    "one that was refused": (CONFIRMED, {**TRIED, "refused": VALUES["refused"]}, True, "0+"),
    "one that somebody else signed": (CONFIRMED, {"sequence": sequence(2)}, False, "0+"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_starts(name: str, boot: bytes, programs: tuple[bytes, bytes], tmp_path: Path) -> None:
    first, second, good, says = CASES[name]
    slots = [
        b"" if marks is None else image(programs, i, marks, good or i == 0)
        for i, marks in enumerate((first, second))
    ]
    assert started(tmp_path, boot, slots) == says


def test_without_an_operator_s_key_it_asks_for_no_signature(
    boot: bytes, programs: tuple[bytes, bytes], tmp_path: Path
) -> None:
    slots = [image(programs, 0, CONFIRMED), image(programs, 1, {"sequence": sequence(2)}, False)]
    assert started(tmp_path, boot, slots, bytes(32)) == "1+"


def test_it_fits_its_sector(boot: bytes) -> None:
    assert len(boot) <= 16 * 1024
