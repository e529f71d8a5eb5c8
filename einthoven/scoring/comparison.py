"""Beat-by-beat comparison of annotations as ANSI/AAMI EC57:1998 asks (sections 3.2, 4.3).

The rules are those of PhysioNet's `bxb` (WFDB software 10.7), whose output this module and
`ec57_text` reproduce line for line: match window 150 ms, the first five minutes not scored,
beats in an episode of ventricular flutter or fibrillation left out, beats in a period that an
annotator marked as unreadable ("shutdown") counted apart. Changing the start or the window
makes a comparison "non-standard"; whole records (start 0) are scored because the literature
does so.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import BEAT_SYMBOLS, CLASSES, ec57_class, literature_class
from einthoven.errors import RecordError
from einthoven.records.annotations import Annotations, at_rate
from einthoven.records.rates import rational_ratio, rescale_times

MATCH_S = 0.15
LEARNING_S = 300.0

LABELS = (*CLASSES, "O", "X")
"""Rows (reference, upper case) and columns (test, lower case) of the table of counts: the
classes, O for no beat there, X for no beat there because that annotator had shut down."""

_INDEX = {label: i for i, label in enumerate(LABELS)}
_O, _X = _INDEX["O"], _INDEX["X"]
_NEVER = 1 << 62
_UNREADABLE = 0x30
"""Bits of a `~` annotation's subtype, of which both are set when neither signal can be read
(annot(5))."""
# WFDB's isqrs() holds for a flutter wave as well: it can be matched, but has no class.
_MATCHABLE = BEAT_SYMBOLS | {"!"}


@dataclass(frozen=True)
class Rate:
    """Detections of one kind: found, missed, and reported where there are none."""

    tp: int
    fn: int
    fp: int

    @property
    def se(self) -> float | None:
        """Sensitivity, 0 to 1; None where there was nothing to find."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def ppv(self) -> float | None:
        """Positive predictive value (+P), 0 to 1; None where nothing was reported."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both, 0 to 1; None where both counts are empty."""
        total = 2 * self.tp + self.fn + self.fp
        return 2 * self.tp / total if total else None

    def to_dict(self) -> dict[str, float | None]:
        """For summary.json."""
        return {
            **{"tp": self.tp, "fn": self.fn, "fp": self.fp},
            **{"se": self.se, "ppv": self.ppv, "f1": self.f1},
        }


def macro_f1(rates: Iterable[Rate]) -> float | None:
    """Mean F1 over the classes that the reference has; None if it has none of them.

    A class that does not occur has no F1: as 0 it would cost a perfect result a third of N, S, V.
    """
    f1 = [rate.f1 or 0.0 for rate in rates if rate.tp + rate.fn]
    return float(np.mean(f1)) if f1 else None


@dataclass(frozen=True)
class Scores:
    """Counts of one record or of several; `+` adds them, which gives the gross statistics."""

    counts: NDArray[np.int64]
    """[7, 7] beat pairs by EC57's classes, see LABELS: counts[1, 2] is Sv."""
    literature: NDArray[np.int64]
    """[6, 6] beat pairs by the literature's classes; last row: extra, last column: missed."""
    rr_error_sum: float
    """Sum of squared differences of RR intervals, in samples²."""
    rr_errors: int
    rate_hz: float
    shutdown_s: int
    """Seconds during which the test annotator says that it could not read the signal."""

    def __add__(self, other: "Scores") -> "Scores":
        # RR errors do not add across rates: EC57 averages them over records instead.
        return Scores(
            counts=self.counts + other.counts,
            literature=self.literature + other.literature,
            rr_error_sum=0.0,
            rr_errors=0,
            rate_hz=self.rate_hz,
            shutdown_s=self.shutdown_s + other.shutdown_s,
        )

    def __getitem__(self, pair: str) -> int:
        """Count of one pair: scores["Nv"] is N beats taken for V, scores["On"] extra N."""
        return int(self.counts[_INDEX[pair[0]], _INDEX[pair[1].upper()]])

    @property
    def qrs(self) -> Rate:
        """Beat detection, whatever the class."""
        c = self.counts
        return Rate(int(c[:5, :5].sum()), int(c[:5, 5:].sum()), int(c[5:, :5].sum()))

    @property
    def veb(self) -> Rate:
        """Ventricular ectopic beats by EC57: an F or Q beat taken for V is no false positive."""
        tp = self["Vv"]
        fp = sum(self[p] for p in ("Nv", "Sv", "Ov", "Xv"))
        return Rate(tp, int(self.counts[_INDEX["V"]].sum()) - tp, fp)

    @property
    def sveb(self) -> Rate:
        """Supraventricular ectopic beats by EC57: a Q beat taken for S is no false positive."""
        tp = self["Ss"]
        fp = sum(self[p] for p in ("Ns", "Vs", "Fs", "Os", "Xs"))
        return Rate(tp, int(self.counts[_INDEX["S"]].sum()) - tp, fp)

    def literature_rate(self, name: str) -> Rate:
        """Class `name` against all others by the literature's classes, missed beats included."""
        i = CLASSES.index(name)
        tp = int(self.literature[i, i])
        return Rate(tp, int(self.literature[i].sum()) - tp, int(self.literature[:, i].sum()) - tp)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """[5, 5] matched beats by the literature's classes, rows: reference."""
        return self.literature[:5, :5]

    @property
    def rr_error_ms(self) -> float | None:
        """Root mean square error of the RR intervals; None where there are none or for sums."""
        if not self.rr_errors:
            return None
        return math.sqrt(self.rr_error_sum / self.rr_errors) * 1000.0 / round(self.rate_hz)

    def to_dict(self) -> dict[str, Any]:
        """For summary.json: EC57's rates, and the literature's with its confusion matrix."""
        return {
            "qrs": self.qrs.to_dict(),
            "veb": self.veb.to_dict(),
            "sveb": self.sveb.to_dict(),
            "confusion": {
                "classes": list(CLASSES),
                "matrix": self.confusion.tolist(),
                "missed": self.literature[:5, 5].tolist(),
                "extra": self.literature[5, :5].tolist(),
            },
            "literature": {c: self.literature_rate(c).to_dict() for c in CLASSES},
            "rr_error_ms": self.rr_error_ms,
            "shutdown_s": self.shutdown_s,
        }


@dataclass(frozen=True)
class Comparison(Scores):
    """Scores of one record, and which beat was paired with which."""

    pairs: NDArray[np.int64]
    """[m, 2] indices into the reference's and the test's annotations, in order of time;
    -1 where there is no beat. Beats that EC57 does not score are not in it."""
    start_s: float
    """Scored from here on."""

    def to_dict(self) -> dict[str, Any]:
        """As of Scores, and from where the record was scored."""
        return {**super().to_dict(), "start_s": self.start_s}

    @property
    def matched(self) -> NDArray[np.int64]:
        """[k, 2] the pairs that have a beat on both sides."""
        return self.pairs[(self.pairs >= 0).all(axis=1)]


def gross(scores: Iterable[Scores]) -> Scores:
    """Sum over records."""
    none = np.zeros((len(LABELS),) * 2, dtype=np.int64)
    return sum(scores, Scores(none, none[: _O + 1, : _O + 1], 0.0, 0, 0.0, 0))


def compare(
    reference: Annotations,
    test: Annotations,
    rate_hz: float,
    end_sample: int | None,
    start_s: float = LEARNING_S,
    match_s: float = MATCH_S,
) -> Comparison:
    """Pair the beats of two annotators of one record and count the pairs.

    `rate_hz` is the record's rate, and `end_sample` its length at it; None: up to the last
    reference beat. Scores are at the reference's own rate, which is `rate_hz` unless its file
    states another (`reference.rate_hz`): as EC57 asks, the test is rescaled to the reference, and
    the reference never. Raises RecordError if the record ends before `start_s`.
    """
    (found,) = compare_from((start_s,), reference, test, rate_hz, end_sample, match_s)
    return found


def compare_from(
    starts_s: Sequence[float],
    reference: Annotations,
    test: Annotations,
    rate_hz: float,
    end_sample: int | None,
    match_s: float = MATCH_S,
) -> list[Comparison]:
    """`compare` from each of these seconds on."""
    test, rate_hz, end_sample = to_reference(reference, test, rate_hz, end_sample)
    window = _to_samples(match_s, rate_hz)
    tracks = _track(reference, window), _track(test, window)
    return [_compare_tracks(*tracks, rate_hz, end_sample, start_s, window) for start_s in starts_s]


def _compare_tracks(
    ref: "_Track",
    tst: "_Track",
    rate_hz: float,
    end_sample: int | None,
    start_s: float,
    window: int,
) -> Comparison:
    start = _to_samples(start_s, rate_hz)
    if end_sample is not None and end_sample < start:
        raise RecordError(
            f"the record ends after {end_sample / rate_hz:.0f} s and EC57 scores from "
            f"{start_s:.0f} s on: score the whole record instead"
        )
    i, j, in_ref, in_test = _steps(ref.times, tst.times, start, end_sample, window)
    rr_errors = (ref.rr[i] - tst.rr[j])[(ref.rr[i] != 0) & (tst.rr[j] != 0)]
    row, column = np.where(in_ref, ref.ec57[i], _O), np.where(in_test, tst.ec57[j], _O)
    missed, extra = np.flatnonzero(~in_test), np.flatnonzero(~in_ref)
    column[missed[_within(tst.shutdowns, ref.times[i[missed]])]] = _X
    extra_times = tst.times[j[extra]]
    row[extra[_within(ref.shutdowns, extra_times)]] = _X
    scored = np.ones(len(i), dtype=bool)
    scored[extra[_within(ref.flutter, extra_times)]] = False
    literature = np.where(in_ref, ref.literature[i], _O), np.where(in_test, tst.literature[j], _O)
    pairs = np.where(in_ref, ref.indices[i], -1), np.where(in_test, tst.indices[j], -1)
    return Comparison(
        counts=_tabulate(row[scored], column[scored], len(LABELS)),
        literature=_tabulate(literature[0][scored], literature[1][scored], _O + 1),
        rr_error_sum=float(np.square(rr_errors).sum()),
        rr_errors=len(rr_errors),
        rate_hz=rate_hz,
        shutdown_s=_shutdown_seconds(tst.shutdowns, rate_hz, end_sample),
        pairs=np.stack(pairs, axis=1)[scored],
        start_s=start_s,
    )


def to_reference(
    reference: Annotations, test: Annotations, rate_hz: float, end_sample: int | None
) -> tuple[Annotations, float, int | None]:
    """Test, rate and end of a record as the reference's own time resolution has them.

    `rate_hz` and `end_sample` as of `compare`.
    """
    own_hz = reference.rate_hz or rate_hz
    if end_sample is not None and own_hz != rate_hz:
        end = rescale_times(np.array([end_sample]), rational_ratio(own_hz, rate_hz))
        end_sample = int(end[0])
    return at_rate(replace(test, rate_hz=test.rate_hz or rate_hz), own_hz), own_hz, end_sample


def _to_samples(seconds: float, rate_hz: float) -> int:
    return int(seconds * rate_hz + 0.5)


class _Track(NamedTuple):
    """What one annotator says: beats (with a sentinel at the end of time) and episodes."""

    times: NDArray[np.int64]
    """Ends with _NEVER twice: the sentinel has a next beat, too."""
    indices: NDArray[np.int64]
    ec57: NDArray[np.int64]
    literature: NDArray[np.int64]
    rr: NDArray[np.int64]
    """Interval from the beat before, 0 where there is none or an episode began in it."""
    flutter: list[tuple[int, int]]
    shutdowns: list[tuple[int, int]]


def _track(annotations: Annotations, window: int) -> _Track:
    """Beats are taken all at once; one by one only what opens an episode, which is rare."""
    times, symbols = annotations.samples, annotations.symbols
    flutter: list[tuple[int, int]] = []
    shutdowns: list[tuple[int, int]] = []
    beat = np.isin(symbols, list(_MATCHABLE))
    unreadable = (symbols == "~") & (annotations.subtype & _UNREADABLE == _UNREADABLE)
    closes = np.flatnonzero(symbols == "]")
    latest = np.maximum.accumulate(np.where(beat, np.arange(len(times)), -1))
    broken: list[int] = []  # annotations behind which the first beat has no interval
    done = 0  # annotations before this one are used up
    hidden, seen = 0, -1  # beats before `hidden` and after `seen` are in an episode of flutter
    for i in np.flatnonzero((symbols == "[") | unreadable).tolist():
        if i < done:
            continue
        now, following = int(times[i]), i + 1
        last = int(latest[i]) if latest[i] >= hidden else seen
        last_beat = int(times[last]) if last >= 0 else -1
        if symbols[i] == "[":
            end = int(np.append(closes, len(times))[np.searchsorted(closes, i)])
            flutter.append((now, int(times[end]) if end < len(times) else _NEVER))
            onset, done = now, end
            hidden, seen = end, last
            beat[i:end] = False
        elif following == len(times):
            shutdowns.append((now, _NEVER))
            onset = now
        elif symbols[following] == "~" and not unreadable[following]:
            shutdowns.append((now, int(times[following])))
            onset, done = now, following + 1
        else:  # a single mark, as in the AHA database: the gap between its neighbours
            begin = max(last_beat, 0, flutter[-1][1] if flutter else 0) + window
            end_time = int(times[following]) - window
            onset = min(begin, end_time)
            shutdowns.append((onset, end_time))
        if onset >= last_beat:
            broken.append(i)
    indices = np.flatnonzero(beat)
    rr = np.append(np.diff(times[indices], prepend=times[indices[:1]]), 0)
    rr[np.searchsorted(indices, broken)] = 0
    kinds, kind = np.unique(symbols, return_inverse=True)
    kind = kind[indices]
    return _Track(
        times=np.append(times[indices], [_NEVER, _NEVER]),
        indices=np.append(indices, -1),
        ec57=_codes(map(ec57_class, kinds), kind),
        literature=_codes(map(literature_class, kinds), kind),
        rr=rr,
        flutter=flutter,
        shutdowns=shutdowns,
    )


def _codes(classes: Iterable[str | None], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each beat's place in LABELS, and the sentinel's; `classes` of the kinds of symbols."""
    of_kind = np.array([_INDEX[c or "O"] for c in classes], dtype=np.int64)
    return np.append(of_kind[kind], _O)


_Steps = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]
"""Decisions in order, a row each: the heads of both beat lists, reference and test, and which of
them it uses up."""


def _steps(
    ref: NDArray[np.int64], test: NDArray[np.int64], start: int, end: int | None, window: int
) -> _Steps:
    """Go through two lists of beat times, as of `_Track`, and decide what pairs up.

    As long as each beat pairs with its opposite, many are decided at once.
    """
    rows: list[tuple[int, int, int, bool, bool]] = []  # heads, how many, and which are used up
    i, j = (int(np.searchsorted(times, start)) for times in (ref, test))
    if start > 0:
        # A test beat just before the start may belong to the first reference beat after it; one
        # just after the start, to a reference beat before it: then it is not held against it.
        nearer = abs(ref[i] - test[j])
        if j > 0 and ref[i] - test[j - 1] <= window and ref[i] - test[j - 1] < nearer:
            rows.append((i, j - 1, 1, True, True))
            i += 1
        elif test[j] - start <= window and abs(ref[i] - test[j + 1]) < nearer:
            j += 1
    most = _FEWEST
    while min(ref[i], test[j]) <= end if end is not None else ref[i] != _NEVER:
        n = _pairs_ahead(ref[i : i + most + 1], test[j : j + most + 1], end, window)
        if n:
            rows.append((i, j, n, True, True))
            i, j = i + n, j + n
            most = min(2 * most, _MOST) if n == most else _FEWEST
        elif test[j] < ref[i]:
            rows.append((i, j, 1, False, True))
            j += 1
        else:
            rows.append((i, j, 1, True, False))
            i += 1
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    number = table[:, 2]
    ahead = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    first_ref, first_test, _, in_ref, in_test = np.repeat(table, number, axis=0).T
    return first_ref + ahead, first_test + ahead, in_ref.astype(bool), in_test.astype(bool)


_FEWEST, _MOST = 32, 8192
"""Beats that are looked at at once: behind one that did not pair, and at most."""


def _pairs_ahead(
    ref: NDArray[np.int64], test: NDArray[np.int64], end: int | None, window: int
) -> int:
    """How many beats from the heads on pair with their opposite; the last beat of each list is only
    there to be the one before's next."""
    n = min(len(ref), len(test)) - 1
    r, r_next, t, t_next = ref[:n], ref[1 : n + 1], test[:n], test[1 : n + 1]
    distance = np.abs(r - t)
    # The rival is the earlier beat's other candidate. It does not count if it has a better
    # partner itself (both rates beyond 200 per minute).
    rival = np.where(t < r, np.abs(r - t_next), np.abs(t - r_next))
    pair = (distance <= window) & ((distance < rival) | (np.abs(r_next - t_next) < rival))
    pair &= np.minimum(r, t) <= end if end is not None else r != _NEVER
    return n if pair.all() else int(np.argmin(pair))


def _within(episodes: Sequence[tuple[int, int]], times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[n] whether each time lies in an episode."""
    inside = np.zeros(len(times), dtype=bool)
    for begin, end in episodes:
        inside |= (begin <= times) & (times <= end)
    return inside


def _tabulate(rows: NDArray[np.int64], columns: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    table = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    table[_O:, _O:] = 0  # a flutter wave against nothing is no beat at all
    return table


def _shutdown_seconds(
    shutdowns: list[tuple[int, int]], rate_hz: float, end_sample: int | None
) -> int:
    """Total of the periods up to the record's end, to the nearest second.

    One without end lasts to the record's end; without that it is not counted.
    """
    total = 0
    for begin, end in shutdowns:
        if end_sample is not None:
            total += max(min(end, end_sample) - begin, 0)
        elif end != _NEVER:
            total += end - begin
    return int((total + rate_hz / 2) // rate_hz)
