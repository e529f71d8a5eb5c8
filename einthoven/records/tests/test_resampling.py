"""A signal resampled piece by piece is the signal resampled as a whole."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from einthoven.records.resampling import resampled

RATES = (100, 125, 128, 200, 250, 257, 300, 360, 500, 512, 1000)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(RATES),
    st.sampled_from((180, 250)),
    st.lists(st.integers(1, 3000), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
)
def test_pieces_are_resampled_as_one_signal(
    from_hz: int, to_hz: int, lengths: list[int], seed: int
) -> None:
    pieces = np.split(
        np.random.default_rng(seed).normal(500, 100, sum(lengths)), np.cumsum(lengths)[:-1]
    )
    ratio = Fraction(to_hz, from_hz)
    out = np.concatenate(list(resampled(pieces, ratio)))
    up, down = ratio.numerator, ratio.denominator
    whole = resample_poly(np.concatenate(pieces), up, down, padtype="edge")
    assert out.tobytes() == (whole if ratio != 1 else np.concatenate(pieces)).tobytes()


@pytest.mark.parametrize("ratio", [Fraction(1), Fraction(1, 2), Fraction(18, 25)])
def test_a_long_signal_is_never_held_whole(ratio: Fraction) -> None:
    longest = max(len(out) for out in resampled((np.ones(10_000) for _ in range(50)), ratio))
    assert longest < 11_000
