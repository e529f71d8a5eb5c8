"""Run-by-run comparison of EC57: couplets, short runs (3 to 5 beats) and long runs (6 or more).

The rules are those of PhysioNet's `rxr` (WFDB software 10.7). Each run that one annotator marks
opens a window from 150 ms before its first to 150 ms after its last beat; the longest run that
the other annotator marks in that window is its counterpart. Ventricular runs are made of V and
F beats, supraventricular ones of S beats; an episode of ventricular flutter (or of atrial
fibrillation, whose beats all count as S) is a run of maximal length.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from einthoven.aami import ec57_class
from einthoven.records.annotations import Annotations
from einthoven.scoring.comparison import LEARNING_S, MATCH_S, to_reference

Kind = Literal["V", "S"]

_MAX = 6
_MARKING = ("~", "[", "]", "+")
"""Symbols that open or close what `_labelled` tells of, beside the beats."""
_NEVER = 1 << 62


@dataclass(frozen=True)
class RunScores:
    """Lengths of runs against those of their counterparts, 6 standing for 6 and more."""

    sensitivity: NDArray[np.int64]
    """[7, 7] windows of the reference's runs: rows reference, columns longest run of the test."""
    predictivity: NDArray[np.int64]
    """[7, 7] windows of the test's runs: rows longest run of the reference, columns test."""

    def of_length(self, shortest: int, longest: int) -> tuple[int, int, int, int]:
        """(found, missed, true, false) runs of these lengths: TPs, FN, TPp, FP of EC57.

        A run is found if the test marks one at least as long as the category's shortest; it is
        true if the reference does.
        """
        rows = self.sensitivity[shortest : longest + 1]
        columns = self.predictivity[:, shortest : longest + 1]
        return (
            int(rows[:, shortest:].sum()),
            int(rows[:, :shortest].sum()),
            int(columns[shortest:].sum()),
            int(columns[:shortest].sum()),
        )

    @property
    def categories(self) -> tuple[tuple[int, int, int, int], ...]:
        """`of_length` of couplets, short runs, long runs."""
        return self.of_length(2, 2), self.of_length(3, 5), self.of_length(_MAX, _MAX)


class _Rules(NamedTuple):
    """What makes and ends a run of one kind."""

    members: str
    opens: str
    closes: str
    ends_run: str
    """Labels that end the defining annotator's run."""
    breaks: str
    """Labels that end a run of the other annotator in the window."""
    ends_episode: str


_RULES: dict[Kind, _Rules] = {
    "V": _Rules("VF", "[", "]", "NQUS", "NQUS{", "]{U"),
    "S": _Rules("S", "{", "}", "NQUVF", "NQUVF[", "}[U"),
}


def compare_runs(
    reference: Annotations,
    test: Annotations,
    rate_hz: float,
    end_sample: int | None,
    kind: Kind = "V",
    start_s: float = LEARNING_S,
    match_s: float = MATCH_S,
) -> RunScores:
    """Compare the ventricular ("V") or supraventricular ("S") runs of two annotators.

    Arguments as of `ec57.compare`.
    """
    test, rate_hz, end_sample = to_reference(reference, test, rate_hz, end_sample)
    start, margin = int(start_s * rate_hz + 0.5), int(match_s * rate_hz + 0.5)
    end = _NEVER if end_sample is None else end_sample
    ref, tst = _labelled(reference), _labelled(test)
    tables = np.zeros((2, _MAX + 1, _MAX + 1), dtype=np.int64)
    counterpart = _LongestRun(tst, _RULES[kind])
    for length, begin, last in _runs(ref, _RULES[kind], start, end, margin):
        tables[0, length, counterpart.within(begin, last)] += 1
    counterpart = _LongestRun(ref, _RULES[kind])
    for length, begin, last in _runs(tst, _RULES[kind], start, end, margin):
        tables[1, counterpart.within(begin, last), length] += 1
    return RunScores(sensitivity=tables[0], predictivity=tables[1])


def _labelled(annotations: Annotations) -> list[tuple[int, str]]:
    """(time, label) of what matters here: N S V F Q for beats, [ ] for ventricular flutter,
    { } for atrial fibrillation, U for the start of a shutdown. N is S within fibrillation.
    """
    symbols, subtypes = annotations.symbols, annotations.subtype.tolist()
    kinds, kind = np.unique(symbols, return_inverse=True)
    labels = np.array([ec57_class(k) or "" for k in kinds], dtype="<U1")[kind]
    flutter = fibrillation = unreadable = False
    begun = 0  # where fibrillation did
    for i in np.flatnonzero(np.isin(symbols, _MARKING)).tolist():
        symbol, aux = symbols[i], annotations.aux[i]
        before, label = fibrillation, ""
        if symbol == "~":
            starts = subtypes[i] & 0x30 == 0x30
            if starts and not unreadable:
                label = "U"
            unreadable = starts
        elif symbol == "[" or (symbol == "+" and aux.startswith("(VF")):
            if not flutter:
                label, flutter, fibrillation = "[", True, False
        elif symbol == "]":
            if flutter:
                label, flutter = "]", False
        elif aux.startswith("(AF"):
            if not fibrillation:
                label, flutter, fibrillation = "{", False, True
        elif aux:
            if fibrillation:
                label, fibrillation = "}", False
            elif flutter:
                label, flutter = "]", False
        labels[i] = label
        if before and not fibrillation:
            _as_s(labels[begun:i])
        elif fibrillation and not before:
            begun = i
    if fibrillation:
        _as_s(labels[begun:])
    told = labels != ""
    return list(zip(annotations.samples[told].tolist(), labels[told].tolist(), strict=True))


def _as_s(labels: NDArray[np.str_]) -> None:
    """In place: what is N within fibrillation is S."""
    labels[labels == "N"] = "S"


def _runs(
    labelled: list[tuple[int, str]], rules: _Rules, start: int, end: int, margin: int
) -> list[tuple[int, int, int]]:
    """(length, window begin, window end) of the runs of one annotator."""
    runs: list[tuple[int, int, int]] = []
    length, begin, last = 0, start - margin, start + margin
    for time, label in labelled:
        if time > end:
            return runs
        if time < start:  # only an episode can have begun before the start
            length = _MAX if label == rules.opens else 0 if label in "]}" else length
        elif label in rules.members:
            if length == 0:
                begin = time - margin
            length, last = min(length + 1, _MAX), time + margin
        elif length and label in rules.ends_run:
            runs.append((length, begin, last))
            length = 0
        elif length and label == rules.closes:
            last = time + margin
        elif not length and label == rules.opens:
            # Nothing to look for yet: a beat in the episode, or its end, opens the window.
            length, begin = _MAX, time - margin
            last = begin - 1
    if length:
        runs.append((length, begin, last))
    return runs


class _LongestRun:
    """Reads one annotator's labels forward, window by window; what was read is gone."""

    def __init__(self, labelled: list[tuple[int, str]], rules: _Rules) -> None:
        self._labelled = labelled
        self._rules = rules
        self._next = 0
        self._episode_end = -1

    def within(self, begin: int, last: int) -> int:
        """Length of the longest run between these times; an episode counts as the maximum."""
        if self._episode_end > begin:
            return _MAX
        longest = run = 0
        while self._next < len(self._labelled):
            time, label = self._labelled[self._next]
            if time > last and time >= begin:
                break
            self._next += 1
            if label == self._rules.opens:
                self._episode_end = self._skip_episode()
                if self._episode_end > begin or time >= begin:
                    return _MAX
            elif time >= begin and label in self._rules.members:
                run = min(run + 1, _MAX)
                longest = max(longest, run)
            elif time >= begin and label in self._rules.breaks:
                run = 0
        return longest

    def _skip_episode(self) -> int:
        """Read on to the end of an episode; returns its time."""
        while self._next < len(self._labelled):
            time, label = self._labelled[self._next]
            self._next += 1
            if label in self._rules.ends_episode:
                return time
        return _NEVER
