"""Choose the few seconds of a record that are worth a look in the report."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from einthoven.report.description import Strip
from einthoven.scoring.comparison import MATCH_S  # here it only picks pictures

STRIP_S = 10.0

Labels = Sequence[str]


def choose_strips(
    record: str,
    mv: NDArray[np.float64],
    rate_hz: int,
    events: tuple[NDArray[np.float64], Labels],
    reference: tuple[NDArray[np.float64], Labels],
    differ_s: Sequence[float] = (),
) -> list[Strip]:
    """Up to three strips of 10 s, the most telling first.

    `mv`: the samples that the board got, in mV; `events` and `reference`: (times in s, classes)
    of the board's and the reference's beats; `differ_s`: where board and host differ.
    `rate_hz`: of the board.
    """
    right, wrong = _judge(events, reference)
    length_s = mv.size / rate_hz
    wanted = [(float(t), "board and host differ here") for t in differ_s[:1]]
    if wrong.size:
        at = _crowded(wrong)
        wanted.append((at, "where board and reference disagree most"))
    if right.size:
        at = _crowded(right)
        wanted.append((at, "ectopic beats found"))
    wanted.append((min(600.0, length_s / 2) + STRIP_S / 2, "for comparison"))
    strips: list[Strip] = []
    for middle, reason in wanted:
        start = float(np.clip(middle - STRIP_S / 2, 0.0, max(length_s - STRIP_S, 0.0)))
        start = np.floor(start * rate_hz) / rate_hz
        if len(strips) < 3 and all(abs(start - s.start_s) > STRIP_S / 2 for s in strips):
            strips.append(_cut(record, reason, start, mv, rate_hz, events, reference, differ_s))
    return strips


def _judge(
    events: tuple[NDArray[np.float64], Labels], reference: tuple[NDArray[np.float64], Labels]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times of ectopic beats that were rightly found, and times of all mistakes."""
    (t_test, test), (t_ref, ref) = events, reference
    test_at = _nearest(t_ref, t_test)
    same = np.array([j >= 0 and test[j] == ref[i] for i, j in enumerate(test_at)], dtype=bool)
    ectopic = np.array([label not in "NQ" for label in ref], dtype=bool)
    false = _nearest(t_test, t_ref) < 0
    return t_ref[same & ectopic], np.sort(np.concatenate([t_ref[~same], t_test[false]]))


def _nearest(times: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each time the index of the nearest other within the match window, else -1."""
    if not others.size:
        return np.full(times.size, -1, dtype=np.int64)
    after = np.clip(np.searchsorted(others, times), 0, others.size - 1)
    before = np.maximum(after - 1, 0)
    best = np.where(np.abs(others[before] - times) < np.abs(others[after] - times), before, after)
    return np.where(np.abs(others[best] - times) <= MATCH_S, best, -1)


def _crowded(times: NDArray[np.float64]) -> float:
    """Middle of the strip that holds most of these (sorted) times, the earliest such."""
    inside = np.searchsorted(times, times + STRIP_S * 0.9) - np.arange(times.size)
    first = int(np.argmax(inside))
    last = first + int(inside[first]) - 1
    return float(times[first] + times[last]) / 2


def _cut(
    record: str,
    reason: str,
    start: float,
    mv: NDArray[np.float64],
    rate_hz: int,
    events: tuple[NDArray[np.float64], Labels],
    reference: tuple[NDArray[np.float64], Labels],
    differ_s: Sequence[float],
) -> Strip:
    begin = round(start * rate_hz)
    end = min(begin + round(STRIP_S * rate_hz), mv.size)

    def inside(marks: tuple[NDArray[np.float64], Labels]) -> list[tuple[float, str]]:
        times, labels = marks
        return [
            (round(float(t), 4), label)
            for t, label in zip(times, labels, strict=True)
            if begin <= t * rate_hz < end
        ]

    return Strip(
        record=record,
        reason=reason,
        start_s=begin / rate_hz,
        rate_hz=rate_hz,
        mv=[round(float(v), 3) for v in mv[begin:end]],
        events=inside(events),
        reference=inside(reference),
        differ=[t for t in differ_s if begin <= t * rate_hz < end],
    )
