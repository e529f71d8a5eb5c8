"""Rhythm events on hand-written beat sequences, and on MIT-BIH's own rhythm annotations."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.database import record_names
from einthoven.scoring.rhythm import (
    KINDS,
    BeatSequence,
    compare,
    find,
    of_reference,
    to_dict,
    total,
)


def beats(labels: str, rr_s: float | list[float] = 0.8, broken: str = "") -> BeatSequence:
    """`labels` a character a beat; `broken` marks with x the beats after a break."""
    intervals = [rr_s] * (len(labels) - 1) if isinstance(rr_s, float) else rr_s
    flags = np.array([c == "x" for c in broken.ljust(len(labels))], dtype=bool)
    times = np.concatenate([[10.0], 10.0 + np.cumsum(intervals)])
    return BeatSequence(times[: len(labels)], labels, flags)


def kinds(sequence: BeatSequence) -> list[str]:
    return [event.kind for event in find(sequence)]


@pytest.mark.parametrize(
    ("labels", "rr_s", "expected"),
    [
        ("NNVNN", 0.7, []),
        ("NNVVNN", 0.7, ["couplet"]),
        ("NVFN", 0.7, ["couplet"]),
        ("NVVVN", 0.59, ["ventricular tachycardia"]),
        ("NVVVN", 0.61, ["slow ventricular run"]),
        ("NVVVVVVVVVVN", 0.7, ["slow ventricular run"]),
        ("NSSN", 0.5, []),
        ("NSSSN", 0.5, ["supraventricular run"]),
        ("NSSSN", 0.7, []),
        ("NVNVNVN", 0.7, ["bigeminy"]),
        ("NVNVN", 0.7, []),
        ("NVSVNVN", 0.7, ["bigeminy"]),
        ("VNNVNNVNN", 0.7, ["trigeminy"]),
        ("VNVNNVNVNV", 0.7, ["bigeminy"]),
        ("VNVVNVNVNV", 0.7, ["couplet", "bigeminy"]),
        ("NN", 2.0, ["pause"]),
        ("NN", 1.99, []),
        ("N" * 9, 1.21, ["bradycardia"]),
        ("N" * 9, 1.19, []),
        ("N" * 8, 1.21, []),
        ("N" * 9, 0.59, ["tachycardia"]),
        ("N" * 9, 0.61, []),
        ("N", 1.0, []),
        ("", 1.0, []),
    ],
)
def test_definitions(labels: str, rr_s: float, expected: list[str]) -> None:
    found = [k for k in kinds(beats(labels, rr_s)) if k not in ("bradycardia", "tachycardia")]
    expected_shapes = [k for k in expected if k not in ("bradycardia", "tachycardia")]
    assert found == expected_shapes
    if set(labels) <= {"N"}:
        assert kinds(beats(labels, rr_s)) == expected


def test_a_break_ends_every_pattern() -> None:
    assert kinds(beats("NVVN", broken="  x ")) == []
    assert kinds(beats("NVVVVN", 0.5, "   x  ")) == ["couplet", "couplet"]
    assert kinds(beats("VNVNV", 0.7, "   x ")) == []
    assert kinds(beats("NN", 3.0, " x")) == []
    assert kinds(beats("N" * 12, 0.5, "      x")) == []


def test_times_and_lengths() -> None:
    (event,) = find(beats("NNVVVVN", 0.5))
    assert (event.begin_s, event.end_s) == (11.0, 12.5)
    slow = find(beats("N" * 30, [0.8] * 9 + [1.4] * 10 + [0.8] * 10))
    assert [e.kind for e in slow] == ["bradycardia"]
    assert 10 + 9 * 0.8 - 2.8 < slow[0].begin_s < 10 + 9 * 0.8 + 0.1


def test_found_missed_and_invented() -> None:
    reference = beats("NVVNNNVVNNN" + "NVVVN", 0.55)
    test = beats("NVVNNNNNNVV" + "NVVNN", 0.55)
    rates = compare(reference, test)
    assert (rates["couplet"].tp, rates["couplet"].fn, rates["couplet"].fp) == (1, 1, 2)
    assert (rates["ventricular tachycardia"].tp, rates["ventricular tachycardia"].fn) == (0, 1)
    assert to_dict(rates)["couplet"] == {"tp": 1, "fn": 1, "fp": 2}
    assert "pause" not in to_dict(rates)
    both = total([to_dict(rates), to_dict(rates)])
    assert set(both) == set(KINDS) and both["couplet"].fp == 4 and both["pause"].tp == 0


def test_same_beats_give_the_same_events() -> None:
    some = beats("NVVNNVNVNVNNNNVVVVNNSSSN" * 3, 0.55)
    for rate in compare(some, some).values():
        assert rate.fn == rate.fp == 0


def test_the_reference_is_broken_by_flutter_and_unreadable_signal() -> None:
    times = np.array([0, 360, 720, 900, 1080, 1440, 1800, 2100, 2500, 2800, 3000]) + 360
    symbols = ["N", "V", "[", "!", "]", "V", "+", "V", "~", "~", "V"]
    plain = Annotations.of(times, symbols, 360.0)
    subtype = np.zeros(len(times), np.int16)
    subtype[8] = 0x3F
    marked = Annotations(
        plain.samples, plain.symbols, subtype, plain.chan, plain.num, plain.aux, 360.0
    )
    sequence = of_reference(marked, 360.0)
    assert "".join(sequence.labels) == "NVVVV"
    assert sequence.broken.tolist() == [True, False, True, False, True]
    assert sequence.excluded_s == [(3.0, 4.0), (2860 / 360, 3160 / 360)]
    assert kinds(sequence) == ["couplet"]
    invented = BeatSequence(np.array([3.2, 3.5]), "VV", np.array([True, False]))
    assert compare(sequence, invented)["couplet"].fp == 0  # within the flutter


@pytest.mark.records
def test_they_agree_with_mitdbs_rhythm_annotations(mitdb: Path) -> None:
    """Bigeminy, trigeminy and VT as MIT-BIH's annotators marked them overlap what is found here."""
    marks = {"(B": "bigeminy", "(T": "trigeminy", "(VT": "ventricular tachycardia"}
    seen = dict.fromkeys(marks.values(), 0)
    hit = dict.fromkeys(marks.values(), 0)
    for name in record_names(mitdb, "all"):
        reference = read_annotations(mitdb, name)
        found = find(of_reference(reference, 360.0))
        changes = [i for i, s in enumerate(reference.symbols.tolist()) if s == "+"]
        for i, following in zip(changes, [*changes[1:], len(reference) - 1], strict=True):
            kind = marks.get(reference.aux[i])
            if kind is None:
                continue
            begin, end = reference.samples[i] / 360.0, reference.samples[following] / 360.0
            seen[kind] += 1
            hit[kind] += any(
                e.kind == kind and e.begin_s <= end and e.end_s >= begin - 1.0 for e in found
            )
    assert min(seen.values()) > 50
    for kind, n in seen.items():
        assert hit[kind] >= 0.9 * n, (kind, hit[kind], n)
