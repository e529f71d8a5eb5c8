"""Samples read straight from a file's bytes are those that the `wfdb` package decodes."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from einthoven.records.decoding import Stored, can_read

BYTES_PER_PAIR = {"80": 2, "16": 4, "160": 4, "24": 6, "32": 8, "212": 3}


@settings(max_examples=80)
@given(
    fmt=st.sampled_from(sorted(BYTES_PER_PAIR)),
    per_frame=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    frames=st.integers(1, 40),
    offset=st.sampled_from([0, 7]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_any_bytes_are_the_samples_that_wfdb_reads(
    tmp_path_factory: pytest.TempPathFactory,
    fmt: str,
    per_frame: list[int],
    frames: int,
    offset: int,
    seed: int,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("signals")
    samples = frames * sum(per_frame)
    size = offset + -(-samples * BYTES_PER_PAIR[fmt] // 2)
    content = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    content.tofile(folder / "r.dat")
    lines = [f"r {len(per_frame)} 250 {frames}"]
    lines += [f"r.dat {fmt}x{n}+{offset} 1/mV 16 0 0 0 0 s" for n in per_frame]
    (folder / "r.hea").write_text("\n".join(lines) + "\n")
    expected = wfdb.rdrecord(
        str(folder / "r"), physical=False, smooth_frames=False, return_res=32
    ).e_d_signal
    for own, n in enumerate(per_frame):
        stored = Stored(folder / "r.dat", fmt, offset, per_frame, own)
        begin = data.draw(st.integers(0, frames * n))
        end = data.draw(st.integers(begin, frames * n))
        assert stored.read(begin, end).dtype == np.int32
        assert stored.read(begin, end).tolist() == expected[own][begin:end].tolist()


def test_the_other_byte_order(tmp_path: Path) -> None:
    """`wfdb` stumbles over its own name for it."""
    counts = np.array([[1, -2], [300, -32768], [32767, 0]], dtype=">i2")
    counts.tofile(tmp_path / "r.dat")
    stored = Stored(tmp_path / "r.dat", "61", 0, [1, 1], 1)
    assert stored.read(0, 3).tolist() == [-2, -32768, 0]
    assert stored.read(1, 2).tolist() == [-32768]


def test_formats_that_build_on_the_sample_before_are_left_to_wfdb() -> None:
    assert not any(can_read(fmt) for fmt in ("8", "310", "311", "508", "516", "524"))
    assert all(can_read(fmt) for fmt in (*BYTES_PER_PAIR, "61"))
