"""The decimators: their band as the spec says, and the C against scipy, to the bit."""

from fractions import Fraction
from typing import Any

import cffi
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from einthoven.c_library import build_library
from einthoven.codegen.decimator import Decimator, design, design_all
from einthoven.errors import UsageError
from einthoven.paths import FIRMWARE, GENERATED

DECIMATORS = {made.rate_hz: made for made in design_all()}
RATES = sorted(DECIMATORS)
RIPPLE_DB = 0.02
ATTENUATION_DB = 60.0


@pytest.fixture(scope="module")
def c() -> tuple[cffi.FFI, Any]:
    folder = FIRMWARE / "front_ends"
    sources = [folder / "ein_decimator.c", folder / "ein_decimator_tables.c"]
    library = build_library("ein_decimator", sources, [folder, GENERATED])
    ffi = cffi.FFI()
    tables = " ".join(f"extern ein_decimator_table_t ein_decimator_{rate};" for rate in RATES)
    ffi.cdef(
        "typedef struct { uint16_t rate_hz; uint8_t up, taps; uint16_t down, delay_us; "
        "const int16_t *coef_q15; } ein_decimator_table_t;"
        f"{tables}"
        "void ein_decimator_init(void *decimator, const ein_decimator_table_t *table);"
        "bool ein_decimator_push(void *decimator, int16_t sample, int16_t *out);"
        "uint32_t ein_decimator_skip(void *decimator, uint32_t n);"
    )
    return ffi, ffi.dlopen(str(library))


def _run(c: tuple[cffi.FFI, Any], rate: int, x: NDArray[np.int64]) -> NDArray[np.int64]:
    ffi, lib = c
    state = ffi.new("uint64_t[32]")
    out = ffi.new("int16_t *")
    lib.ein_decimator_init(state, ffi.addressof(lib, f"ein_decimator_{rate}"))
    made = [int(out[0]) for v in x.tolist() if lib.ein_decimator_push(state, v, out)]
    return np.array(made, dtype=np.int64)


def _upfirdn(made: Decimator, x: NDArray[np.int64]) -> NDArray[np.int64]:
    """What scipy makes of the same integers, exact in float64; rounded and saturated as in C."""
    up, down = made.ratio.numerator, made.ratio.denominator
    exact = signal.upfirdn(made.prototype_q15.astype(float), x.astype(float), up, down)
    n = -(-len(x) * up // down)
    rounded = np.clip(np.floor(exact[:n] / 2**15 + 0.5), -(2**15), 2**15 - 1)
    return np.asarray(rounded, dtype=np.int64)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", ["noise", "rails", "constant"])
def test_c_is_scipys_upfirdn_to_the_bit(c: tuple[cffi.FFI, Any], rate: int, kind: str) -> None:
    generator = np.random.default_rng(rate)
    x = {
        "noise": generator.integers(-20000, 20000, 3000),
        "rails": generator.choice(np.array([-(2**15), 2**15 - 1]), 3000),
        "constant": np.full(500, -1234),
    }[kind]
    found = _run(c, rate, x)
    np.testing.assert_array_equal(found, _upfirdn(DECIMATORS[rate], x))
    assert len(found) == -(-len(x) * 180 // rate)
    if kind == "constant":
        assert set(found[50:].tolist()) == {-1234}


@pytest.mark.parametrize("rate", RATES)
def test_skipping_counts_the_outputs_and_keeps_the_phase(
    c: tuple[cffi.FFI, Any], rate: int
) -> None:
    ffi, lib = c
    out = ffi.new("int16_t *")
    for n in (1, 2, 7, 127, 128, 129, 100_003):
        state = ffi.new("uint64_t[32]")
        lib.ein_decimator_init(state, ffi.addressof(lib, f"ein_decimator_{rate}"))
        total = sum(lib.ein_decimator_push(state, 0, out) for _ in range(11))
        total += lib.ein_decimator_skip(state, n)
        total += sum(lib.ein_decimator_push(state, 0, out) for _ in range(13))
        assert total == -(-(24 + n) * 180 // rate)


@pytest.mark.parametrize("rate", RATES)
def test_band(rate: int) -> None:
    made = DECIMATORS[rate]
    top = made.ratio.numerator * rate / 2
    flat = 20 * np.log10(made.response(np.linspace(0, 40, 801)))
    gone = 20 * np.log10(made.response(np.linspace(140, top, 40001)))
    assert np.abs(flat).max() < RIPPLE_DB
    assert gone.max() < -ATTENUATION_DB


def test_ratios_are_exact() -> None:
    assert {r: d.ratio for r, d in DECIMATORS.items()} == {
        **{250: Fraction(18, 25), 360: Fraction(1, 2), 500: Fraction(9, 25)},
        **{512: Fraction(45, 128), 1000: Fraction(9, 50)},
    }


@pytest.mark.parametrize(("rate", "band"), [(125, (40.0, 140.0)), (500, (140.0, 40.0))])
def test_what_fits_no_filter_is_refused(rate: int, band: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=r"front_ends\.toml"):
        design(rate, 180, band, 62.0)
