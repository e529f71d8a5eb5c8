"""Episode-by-episode comparison of EC57: atrial fibrillation, ventricular flutter or fibrillation.

The rules are those of PhysioNet's `epicmp` (WFDB software 10.7), whose lines `episode_text`
reproduces. An episode of atrial fibrillation begins with a rhythm annotation `(AFIB…` and ends
with the next one that is another; one of ventricular flutter or fibrillation lies between `[` and
`]`. The first five minutes are not scored. An episode of one annotator is matched if one of the
other's overlaps it. EC38:1998 leaves out fibrillation that the test reports where the reference
marks atrial flutter, `(AFL…` (epicmp's `-x`); EC57 and EC38:2007 count it as false.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from einthoven.records.annotations import Annotations
from einthoven.records.rates import rational_ratio, rescale_times

KINDS = {"af": "AF", "vf": "VF"}
"""Episodes that are compared, and what epicmp calls them."""


@dataclass(frozen=True)
class EpisodeScores:
    """Counts of episodes and their durations, of one record or, added, of several.

    Durations are in seconds. The two overlaps differ by what is left out, and where episodes of
    one annotator follow one another without a pause.
    """

    found: int
    missed: int
    true: int
    false: int
    found_s: float
    reference_s: float
    true_s: float
    test_s: float

    def __add__(self, other: "EpisodeScores") -> "EpisodeScores":
        mine, theirs = self._values(), other._values()
        return EpisodeScores(*(a + b for a, b in zip(mine, theirs, strict=True)))  # type: ignore[arg-type]

    def _values(self) -> tuple[float, ...]:
        counts = self.found, self.missed, self.true, self.false
        return (*counts, self.found_s, self.reference_s, self.true_s, self.test_s)

    @property
    def episode_se(self) -> float | None:
        """Part of the reference's episodes that were found; None where it has none."""
        return _quotient(self.found, self.found + self.missed)

    @property
    def episode_ppv(self) -> float | None:
        """Part of the test's episodes that are true; None where it has none."""
        return _quotient(self.true, self.true + self.false)

    @property
    def duration_se(self) -> float | None:
        """Part of the reference's time in episodes that was found."""
        return _quotient(self.found_s, self.reference_s)

    @property
    def duration_ppv(self) -> float | None:
        """Part of the test's time in episodes that is true."""
        return _quotient(self.true_s, self.test_s)

    def to_dict(self) -> dict[str, Any]:
        """For summary.json."""
        return {
            **{"found": self.found, "missed": self.missed, "true": self.true, "false": self.false},
            **{"found_s": self.found_s, "reference_s": self.reference_s},
            **{"true_s": self.true_s, "test_s": self.test_s},
            **{"episode_se": self.episode_se, "episode_ppv": self.episode_ppv},
            **{"duration_se": self.duration_se, "duration_ppv": self.duration_ppv},
        }

    @classmethod
    def of_dict(cls, stored: dict[str, Any]) -> "EpisodeScores":
        """The scores that `to_dict` wrote."""
        counts = (int(stored[name]) for name in ("found", "missed", "true", "false"))
        durations = ("found_s", "reference_s", "true_s", "test_s")
        return cls(*counts, *(float(stored[name]) for name in durations))


NOTHING = EpisodeScores(0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0)
"""Of a record without episodes: where a sum begins."""


class Episode(NamedTuple):
    """From its first to its last sample."""

    begin: int
    end: int


def compare_episodes(
    reference: Annotations,
    test: Annotations,
    rate_hz: float,
    end_sample: int | None,
    kind: str,
    start_s: float,
    exclude_flutter: bool = False,
) -> EpisodeScores:
    """Compare the episodes of a `kind` ("af", "vf") of two annotators from `start_s` on.

    `rate_hz` is the reference's, to which the test's times are converted; `end_sample` the
    record's length, None if unknown. `exclude_flutter`: as EC38:1998 asks, see above. Raises
    RecordError for rates that have no ratio.
    """
    if test.rate_hz is not None and test.rate_hz != rate_hz:
        times = rescale_times(test.samples, rational_ratio(rate_hz, test.rate_hz))
        test = Annotations(
            times, test.symbols, test.subtype, test.chan, test.num, test.aux, rate_hz
        )
    start = int(start_s * rate_hz + 0.5)
    theirs, ours = episodes(reference, kind, end_sample), episodes(test, kind, end_sample)
    excluded: list[Episode] = []
    if exclude_flutter and kind == "af":
        excluded = [e for e in episodes(reference, "flutter", end_sample) if e.end >= start]
    found, missed, *in_reference = _pass(theirs, ours, [], start, end_sample)
    true, false, *in_test = _pass(ours, theirs, excluded, start, end_sample)
    return EpisodeScores(
        *(found, missed, true, false), *(n / rate_hz for n in (*in_reference, *in_test))
    )


def episodes(annotations: Annotations, kind: str, end_sample: int | None = None) -> list[Episode]:
    """The episodes of a `kind` ("af", "vf", or "flutter" of the atria), in order of time.

    One that does not end lasts until `end_sample`, or the last annotation if that is later.
    """
    found = []
    begin: int | None = None
    opens, closes = _MARKS[kind]
    for i in np.flatnonzero(np.isin(annotations.symbols, _MARKING)).tolist():
        time, symbol = int(annotations.samples[i]), str(annotations.symbols[i])
        aux = annotations.aux[i]
        if begin is None and opens(symbol, aux):
            begin = time
        elif begin is not None and closes(symbol, aux):
            found.append(Episode(begin, time))
            begin = None
    if begin is not None:
        found.append(Episode(begin, max(int(annotations.samples[-1]), end_sample or 0)))
    return found


_WRITTEN = {"af": (("+", "(AFIB"), ("+", "(N")), "vf": (("[", ""), ("]", ""))}
"""Kind to the symbols, with their texts, that open and close an episode."""


def marks(
    beats: Annotations,
    spans: Mapping[str, Sequence[tuple[int, int | None]]],
    *,
    subtype: ArrayLike | None = None,
    num: ArrayLike | None = None,
) -> Annotations:
    """Beats and, as PhysioNet's programs read them, the episodes ("af", "vf") in `spans`.

    `spans`: (begin, end) in samples at the beats' rate, end None: it does not end; `subtype`,
    `num` of the beats, each [n].
    """
    rows = [  # time, place among those of one time, symbol, text
        row
        for kind, (opens, closes) in _WRITTEN.items()
        for begin, end in spans.get(kind, ())
        for row in ((begin, 0, *opens), (end, 2, *closes))
        if row[0] is not None
    ]
    times, places, symbols, texts = zip(*rows, strict=True) if rows else ((), (), (), ())
    time = np.append(beats.samples, np.array(times, dtype=np.int64))
    order = np.lexsort((np.append(np.ones(len(beats)), places), time))

    def column(values: ArrayLike | None) -> NDArray[np.int16]:
        field = np.zeros(len(time), dtype=np.int16)
        field[: len(beats)] = 0 if values is None else values
        return field[order]

    aux = [*[""] * len(beats), *texts]
    return Annotations(
        samples=time[order],
        symbols=np.append(beats.symbols, np.array(symbols, dtype=np.str_))[order],
        subtype=column(subtype),
        chan=column(None),
        num=column(num),
        aux=tuple(aux[i] for i in order.tolist()),
        rate_hz=beats.rate_hz,
    )


_Test = Callable[[str, str], bool]


def _rhythm(name: str) -> tuple[_Test, _Test]:
    def opens(symbol: str, aux: str) -> bool:
        return symbol == "+" and aux.startswith(name)

    def closes(symbol: str, aux: str) -> bool:
        return symbol == "+" and not aux.startswith(name)

    return opens, closes


_MARKING = ("+", "[", "]")
_MARKS: dict[str, tuple[_Test, _Test]] = {
    "af": _rhythm("(AFIB"),
    "flutter": _rhythm("(AFL"),
    "vf": (lambda symbol, _: symbol == "[", lambda symbol, _: symbol == "]"),
}


def _pass(
    windows: Sequence[Episode],
    others: Sequence[Episode],
    excluded: Sequence[Episode],
    start: int,
    end: int | None,
) -> tuple[int, int, int, int]:
    """How many windows the others touch, how many not, the overlap, and the windows' duration."""
    touched = untouched = duration = overlap = 0
    scored = [w for w in windows if w.end > 0]
    while scored and scored[0].end < start:
        del scored[0]
    if scored:
        scored[0] = Episode(max(scored[0].begin, start), scored[0].end)
    reader = _Reader(others)
    for window in scored:
        if end is not None and window.begin >= end:
            break
        if end is not None:
            window = Episode(window.begin, min(window.end, end))
        window, length = _without(window, excluded)
        if length < 0:
            continue
        duration += length
        shared = reader.overlap(window)
        overlap += shared
        if shared > 0:
            touched += 1
        else:
            untouched += 1
    return touched, untouched, overlap, duration


def _without(window: Episode, excluded: Sequence[Episode]) -> tuple[Episode, int]:
    """A window less what is excluded, and its length; negative when nothing is left of it."""
    begin, end = window
    length = end - begin
    for out in excluded:
        if end <= out.begin:
            break
        if out.begin <= begin <= out.end:
            if end <= out.end:
                return window, -1
            length -= out.end - begin
            begin = out.end
        elif begin <= out.begin:
            # An exclusion within leaves the window in one piece and shortens only its length.
            length -= min(end, out.end) - out.begin
            end = end if out.end < end else out.begin
    return Episode(begin, end), length


class _Reader:
    """Reads one annotator's episodes forward; what a window has passed is gone."""

    def __init__(self, listed: Sequence[Episode]) -> None:
        self._rest: Iterator[Episode] = iter(listed)
        self._now = next(self._rest, None)

    def overlap(self, window: Episode) -> int:
        """Samples of the window that lie in episodes."""
        while self._now is not None and self._now.end < window.begin:
            self._now = next(self._rest, None)
        total = 0
        while self._now is not None and self._now.begin <= window.end:
            total += min(self._now.end, window.end) - max(self._now.begin, window.begin)
            if self._now.end >= window.end:
                break
            self._now = next(self._rest, None)
        return total


def _quotient(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
