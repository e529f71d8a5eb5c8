"""Strips: which are taught, what their beats are labelled, how they are drawn."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import RecordError
from einthoven.records.synth import GAIN_LSB_PER_MV, make_record
from einthoven.training.data import strips
from einthoven.training.data.strips import StripBeats


def write_strip(folder: Path, name: str, seed: int, seconds: float = 20.0) -> None:
    """A synthetic record in the Challenge's layout."""
    record = make_record(seed, seconds, 300.0)
    head = b"\0" * 24
    (folder / f"{name}.mat").write_bytes(head + record.samples.astype("<i2").tobytes())
    (folder / f"{name}.hea").write_text(
        f"{name} 1 300 {len(record.samples)} 05:05:15 1/05/2000\n"
        f"{name}.mat 16+24 {GAIN_LSB_PER_MV}/mV 16 0 0 0 0 ECG\n"
    )


def beats(rhythm: list[int], strip: list[int]) -> StripBeats:
    n = len(rhythm)
    signal, features = np.zeros((n, 1, 1), np.int8), np.zeros((n, 1), np.int8)
    return StripBeats(signal, features, np.array(rhythm, np.int8), np.array(strip, np.int32))


def test_half_of_the_strips_is_never_taught() -> None:
    names = [f"A{i:05}" for i in range(1, 8529)]
    held_out = sum(not strips.taught(name) for name in names)
    assert 0.48 < held_out / len(names) < 0.52


def test_strips_are_read_played_and_labelled(tmp_path: Path) -> None:
    names = [name for name in (f"A{i:05}" for i in range(1, 40)) if strips.taught(name)][:3]
    unseen = next(name for name in (f"A{i:05}" for i in range(1, 40)) if not strips.taught(name))
    labels = dict(zip([*names, unseen], "NAON", strict=True))
    for seed, name in enumerate(labels):
        write_strip(tmp_path, name, seed)
    lines = "".join(f"{name},{label}\n" for name, label in labels.items())
    (tmp_path / "REFERENCE-v3.csv").write_text(lines)
    found = strips.load(tmp_path)
    assert set(found.strip) == {0, 1, 2}, "three may be taught"
    for number in range(3):
        of_one = found.where(found.strip == number)
        assert set(of_one.rhythm) == {number}
        assert 2 * 15 <= len(of_one) <= 2 * 30, "two plays of 20 s, without their seams"
    assert set(strips.labels(found.where(found.rhythm < 2))) == {0}
    assert set(strips.labels(found.where(found.rhythm == 2))) == {-1}


def test_rhythms_are_drawn_by_their_share_and_strips_alike() -> None:
    some = beats([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 2, 2])
    weights = strips.draw_weights(some, (0.6, 0.2, 0.2, 0.0))
    assert np.isclose(weights.sum(), 1)
    assert np.isclose(weights[:4].sum(), 0.75), "of what there is"
    assert np.isclose(weights[:3].sum(), weights[3])


def test_bad_strips_are_named(tmp_path: Path) -> None:
    write_strip(tmp_path, "A00001", 1)
    with pytest.raises(RecordError, match=r"REFERENCE-v3\.csv"):
        strips.load(tmp_path)
    cut = tmp_path / "A00001.mat"
    cut.write_bytes(cut.read_bytes()[:-2])
    with pytest.raises(RecordError, match=r"holds .* of 6000 samples"):
        strips.read_strip(tmp_path, "A00001")
    (tmp_path / "A00001.hea").write_text("A00001 1 300\n")
    with pytest.raises(RecordError, match="none of CinC 2017's"):
        strips.read_strip(tmp_path, "A00001")
