"""The filters that the C core runs, against scipy's in double precision."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from einthoven.c_library import build_library
from einthoven.codegen import pipeline
from einthoven.codegen.filters import design_bandpass
from einthoven.errors import UsageError
from einthoven.paths import FIRMWARE, GENERATED

RATE_HZ = 180.0
NAMES = ("bandpass", "qrs")
Q8 = 256.0
ERROR_UV = 0.1
"""Largest difference to double precision that is accepted anywhere, in microvolts."""

SHIM = """
#include "ein_filter.h"
#include "ein_pipeline.h"
#include <string.h>

void run(int which, const int32_t *in, int32_t *out, int n)
{
    ein_filter_t filter;
    memset(&filter, 0, sizeof filter);
    for (int i = 0; i < n; i++)
        out[i] = which == 0 ? ein_filter_bandpass(&filter, in[i]) : ein_filter_qrs(&filter, in[i]);
}
"""

Filter = Callable[[str, NDArray[np.float64]], NDArray[np.float64]]


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Filter:
    """The C filter by name: microvolts in, microvolts out."""
    source: Path = tmp_path_factory.mktemp("filter") / "shim.c"
    source.write_text(SHIM)
    ffi = cffi.FFI()
    ffi.cdef("void run(int which, const int32_t *in, int32_t *out, int n);")
    library = build_library("test_filter", [source], [FIRMWARE / "core", GENERATED])
    lib: Any = ffi.dlopen(str(library))

    def run(name: str, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        given = np.round(uv * Q8).astype(np.int32)
        got = np.empty_like(given)
        lib.run(
            NAMES.index(name),
            ffi.cast("const int32_t *", given.ctypes.data),
            ffi.cast("int32_t *", got.ctypes.data),
            len(given),
        )
        return got / Q8

    return run


def designed(name: str) -> NDArray[np.float64]:
    table = pipeline.load()["filters"][name]
    sos = signal.butter(
        table["order"], table["band_hz"], btype="bandpass", fs=RATE_HZ, output="sos"
    )
    return np.asarray(sos)


def expected(name: str, uv: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(signal.sosfilt(designed(name), np.round(uv * Q8) / Q8))


@pytest.mark.parametrize("name", NAMES)
def test_impulse_response(in_c: Filter, name: str) -> None:
    impulse = np.zeros(4096)
    impulse[0] = 20_000.0
    assert np.abs(in_c(name, impulse) - expected(name, impulse)).max() < ERROR_UV


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("freq_hz", [0.05, 0.4, 1.0, 5.0, 10.0, 20.0, 30.0, 50.0, 60.0, 85.0])
def test_sine(in_c: Filter, name: str, freq_hz: float) -> None:
    t = np.arange(20 * int(RATE_HZ)) / RATE_HZ
    sine = 5_000.0 * np.sin(2 * np.pi * freq_hz * t)
    assert np.abs(in_c(name, sine) - expected(name, sine)).max() < ERROR_UV


@pytest.mark.parametrize("name", NAMES)
def test_rounded_coefficients_keep_the_response(name: str) -> None:
    freqs = np.geomspace(0.05, 89.0, 2000)
    _, want = signal.sosfreqz(designed(name), worN=freqs, fs=RATE_HZ)
    _, got = signal.sosfreqz(pipeline.filters(pipeline.load())[name].sos(), worN=freqs, fs=RATE_HZ)
    assert np.abs(np.abs(got) - np.abs(want)).max() < 1e-5


def test_bandpass_edges_are_3_db_down() -> None:
    low, high = pipeline.load()["filters"]["bandpass"]["band_hz"]
    _, response = signal.sosfreqz(
        pipeline.filters(pipeline.load())["bandpass"].sos(), worN=[low, 5.0, high], fs=RATE_HZ
    )
    decibel = 20 * np.log10(np.abs(response))
    assert decibel == pytest.approx([-3.01, 0.0, -3.01], abs=0.02)


def test_a_constant_dies_out(in_c: Filter) -> None:
    """Where a plain rounding recursion stalls microvolts off, the error feedback does not.

    What is left is the rounding of the coefficients, whose sum is not exactly zero.
    """
    held = np.full(60 * int(RATE_HZ), 10_240.0)
    assert np.abs(in_c("bandpass", held)[-int(RATE_HZ) :]).max() < ERROR_UV


def test_noise_error_is_bounded(in_c: Filter) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 2_000, 20_000)
    for name in NAMES:
        assert np.abs(in_c(name, noise) - expected(name, noise)).max() < ERROR_UV


def test_no_section_can_overflow() -> None:
    """EIN_FILTER_INPUT_MAX_Q8 (2^28) times the worst gain of any prefix stays below 2^31.

    So does what the core adds before it multiplies: a biquad's input and that two samples ago.
    """
    sections = [b.sos() for b in pipeline.filters(pipeline.load()).values()]
    chain = np.ascontiguousarray(np.vstack(sections))
    impulse = np.zeros(20_000)
    impulse[0] = 1.0
    for n in range(1, len(chain) + 1):
        response = signal.sosfilt(chain[:n], impulse)
        assert np.abs(response).sum() < 8.0
        assert np.abs(response[2:] + response[:-2]).sum() + np.abs(response[:2]).sum() < 8.0


def test_the_core_splits_each_coefficient_without_a_rest() -> None:
    for biquads in pipeline.filters(pipeline.load()).values():
        whole, rest_q32 = biquads.split()
        b0, b1, b2, a1, a2 = biquads.sos_q30.T
        assert (b0 == b2).all()
        assert ((whole << 32) + rest_q32 == 4 * np.stack([b0, b1, -a1, -a2], axis=1)).all()
        assert np.abs(rest_q32).max() <= 2**31 - 1


def exact(name: str, q8: list[int]) -> list[int]:
    """The recursion as it is written down: Q30 coefficients, what a shift drops is added again."""
    past = [[0, 0] for _ in range(3)]
    dropped = [0, 0]
    out = []
    sections = pipeline.filters(pipeline.load())[name].sos_q30.tolist()
    for x in q8:
        value = x
        for i, (b0, b1, b2, a1, a2) in enumerate(sections):
            (x1, x2), (y1, y2) = past[i], past[i + 1]
            total = dropped[i] + b0 * value + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            past[i] = [value, x1]
            value, dropped[i] = total >> 30, total & (2**30 - 1)
        past[2] = [value, past[2][0]]
        out.append(value)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_to_the_bit(in_c: Filter, name: str) -> None:
    """Against the recursion in Python's integers, as large as the input may be."""
    rng = np.random.default_rng(5)
    given = [int(v) for v in rng.integers(-(2**28), 2**28, 3000, endpoint=True)]
    given[::7] = [2**28 if i % 2 else -(2**28) for i in range(len(given[::7]))]
    got = in_c(name, np.array(given) / Q8) * Q8
    assert got.astype(np.int64).tolist() == exact(name, given)


def test_worst_input_in_c(in_c: Filter) -> None:
    """The signs of the reversed impulse response drive the output to its largest value."""
    n = 4096
    impulse = np.zeros(n)
    impulse[0] = 1.0
    worst = (2**28 / Q8) * np.sign(signal.sosfilt(designed("bandpass"), impulse)[::-1])
    got, want = in_c("bandpass", worst), expected("bandpass", worst)
    assert np.abs(want).max() > 2**28 / Q8
    assert np.abs(got - want).max() < 1e-4 * np.abs(want).max()


@pytest.mark.parametrize("band", [(0.0, 30.0), (30.0, 8.0), (8.0, 90.0)])
def test_a_band_that_does_not_fit_is_refused(band: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="does not fit a rate of 180"):
        design_bandpass(2, band, RATE_HZ)
