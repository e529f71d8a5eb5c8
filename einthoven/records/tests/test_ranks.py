"""Ends and median of a signal in pieces are those of the signal as a whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from einthoven.records.ranks import ranks

NARROW = st.integers(-(1 << 15), (1 << 15) - 1)
WIDE = st.integers(-(1 << 31), (1 << 31) - 1)


@given(
    st.one_of(
        st.lists(NARROW, min_size=1, max_size=60),
        st.lists(WIDE, min_size=1, max_size=60),
        st.lists(st.one_of(NARROW, WIDE), min_size=1, max_size=60),
    ),
    st.integers(1, 60),
)
def test_pieces_have_the_ranks_of_the_whole(values: list[int], most: int) -> None:
    whole = np.array(values, dtype=np.int32)
    passes = 0

    def pieces() -> list[np.ndarray]:
        nonlocal passes
        passes += 1
        return [whole[i : i + most] for i in range(0, len(whole), most)]

    found = ranks(pieces)
    assert (found.low, found.high) == (whole.min(), whole.max())
    assert found.median == np.median(whole.astype(np.float64))
    within = whole.min() >= -(1 << 15) and whole.max() < 1 << 15
    assert passes == 1 if within else passes <= 5
