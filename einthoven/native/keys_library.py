"""Parts of `firmware/keys` compiled with Monocypher, on a flash that can lose power."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cffi

from einthoven import third_party
from einthoven.c_library import build_library
from einthoven.paths import FIRMWARE, GENERATED

_HERE = Path(__file__).parent
_KEYS = FIRMWARE / "keys"
_POWER = """
void ein_host_flash_power(int32_t left, uint32_t seed);
uint32_t ein_host_flash_operations(void);
bool ein_host_flash_is_off(void);
"""


def open_parts(shim: str, parts: Iterable[str], cdef: str) -> tuple[cffi.FFI, Any]:
    """`ein_<part>.c` of each of `parts`, reached through `<shim>_host.c` as `cdef` says.

    Also the functions of `flash_host.c` that cut the power. Raises BuildError when Monocypher
    cannot be fetched or the C does not compile.
    """
    monocypher = third_party.monocypher()
    sources = [
        *(_KEYS / f"ein_{part}.c" for part in parts),
        FIRMWARE / "wire" / "ein_crc32.c",
        *(_HERE / f"{shim}_host.c", _HERE / "flash_host.c"),
        monocypher / "monocypher.c",
    ]
    # Monocypher is compiled as its authors leave it: without our warnings.
    library = build_library(
        f"ein_{shim}",
        sources,
        [_KEYS, FIRMWARE / "wire", GENERATED, _HERE, monocypher],
        ("-DBLAKE2_NO_UNROLLING", "-Wno-conversion"),
    )
    ffi = cffi.FFI()
    ffi.cdef(_POWER + cdef)
    return ffi, ffi.dlopen(str(library))
