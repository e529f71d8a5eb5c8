"""Beats paired many at a time are the beats paired one by one, as `bxb` goes through them."""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from einthoven.records.annotations import Annotations
from einthoven.scoring.comparison import _MATCHABLE, _NEVER, _steps, _track

Step = tuple[int, int, bool, bool]

INTERVALS = st.lists(st.integers(0, 400), max_size=300)


def one_by_one(
    ref: list[int], test: list[int], start: int, end: int | None, window: int
) -> Iterator[Step]:
    i, j = bisect_left(ref, start), bisect_left(test, start)
    if start > 0:
        nearer = abs(ref[i] - test[j])
        if j > 0 and ref[i] - test[j - 1] <= window and ref[i] - test[j - 1] < nearer:
            yield i, j - 1, True, True
            i += 1
        elif test[j] - start <= window and abs(ref[i] - test[j + 1]) < nearer:
            j += 1
    while min(ref[i], test[j]) <= end if end is not None else ref[i] != _NEVER:
        distance = abs(ref[i] - test[j])
        rival = abs(ref[i] - test[j + 1]) if test[j] < ref[i] else abs(test[j] - ref[i + 1])
        if distance <= window and (distance < rival or abs(ref[i + 1] - test[j + 1]) < rival):
            yield i, j, True, True
            i, j = i + 1, j + 1
        elif test[j] < ref[i]:
            yield i, j, False, True
            j += 1
        else:
            yield i, j, True, False
            i += 1


@settings(max_examples=300)
@given(
    intervals=INTERVALS,
    moved=st.lists(st.integers(-60, 60), min_size=300, max_size=300),
    lost=st.sets(st.integers(0, 299), max_size=12),
    invented=st.lists(st.integers(0, 40_000), max_size=12),
    start=st.sampled_from([0, 0, 500, 20_000, 200_000]),
    end=st.one_of(st.none(), st.integers(0, 60_000)),
)
def test_many_at_a_time_are_one_by_one(
    intervals: list[int],
    moved: list[int],
    lost: set[int],
    invented: list[int],
    start: int,
    end: int | None,
) -> None:
    ref = np.cumsum(np.array([0, *intervals], dtype=np.int64))
    found = [
        t + m for k, (t, m) in enumerate(zip(ref.tolist(), moved, strict=False)) if k not in lost
    ]
    test = np.sort(np.maximum(np.array([*found, *invented], dtype=np.int64), 0))
    ours, theirs = (np.append(times, [_NEVER, _NEVER]) for times in (ref, test))
    columns = _steps(ours, theirs, start, end, 54)
    steps = zip(*(column.tolist() for column in columns), strict=True)
    assert list(steps) == list(one_by_one(ours.tolist(), theirs.tolist(), start, end, 54))


def track_one_by_one(
    times: list[int], symbols: list[str], subtypes: list[int], window: int
) -> tuple[list[int], list[int], list[tuple[int, int]], list[tuple[int, int]]]:
    """Indices of the beats, their intervals, episodes of flutter, shutdowns."""
    indices, rr, flutter, shutdowns = [], [], [], []
    last_beat, onset = -1, -1  # onset: of the last episode since that beat
    i = 0
    while i < len(times):
        now, following = times[i], i + 1
        if symbols[i] in _MATCHABLE:
            rr.append(now - last_beat if last_beat >= 0 and onset < last_beat else 0)
            indices.append(i)
            last_beat, onset = now, -1
        elif symbols[i] == "[":
            end = next((k for k in range(following, len(times)) if symbols[k] == "]"), None)
            flutter.append((now, _NEVER if end is None else times[end]))
            onset = max(onset, now)
            i = len(times) if end is None else end
        elif symbols[i] == "~" and subtypes[i] & 0x30 == 0x30:
            if following == len(times):
                shutdowns.append((now, _NEVER))
            elif symbols[following] == "~" and subtypes[following] & 0x30 != 0x30:
                shutdowns.append((now, times[following]))
                i = following
            else:
                begin = max(last_beat, 0, flutter[-1][1] if flutter else 0) + window
                end_time = times[following] - window
                shutdowns.append((min(begin, end_time), end_time))
            onset = max(onset, shutdowns[-1][0])
        i += 1
    return indices, rr, flutter, shutdowns


@settings(max_examples=400)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 300), st.sampled_from("NNNNNV!+[]~~"), st.sampled_from([0, 0x10, 0x30])
        ),
        max_size=60,
    )
)
def test_what_an_annotator_says_is_read_as_one_by_one(rows: list[tuple[int, str, int]]) -> None:
    times = np.cumsum(np.array([step for step, _, _ in rows], dtype=np.int64))
    symbols, subtype = [s for _, s, _ in rows], np.array([k for _, _, k in rows], dtype=np.int16)
    zero = np.zeros(len(rows), dtype=np.int16)
    said = Annotations(
        times, np.array(symbols, dtype=np.str_), subtype, zero, zero, ("",) * len(rows)
    )
    track = _track(said, 54)
    expected = track_one_by_one(times.tolist(), symbols, subtype.tolist(), 54)
    assert track.indices.tolist() == [*expected[0], -1]
    assert track.rr.tolist() == [*expected[1], 0]
    assert (track.flutter, track.shutdowns) == expected[2:]
    assert track.times.tolist() == [*(int(times[k]) for k in expected[0]), _NEVER, _NEVER]
