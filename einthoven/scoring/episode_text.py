"""Text tables of EC57's episode comparison, in the line formats of PhysioNet's programs.

`epicmp -L` and what `sumstats` (WFDB software 10.7) makes of it: their own tools read them.
"""

from collections.abc import Sequence

from einthoven.scoring.episodes import KINDS, EpisodeScores

EPISODE_HEADER = "Record  TPs   FN  TPp   FP  ESe E+P DSe D+P  Ref duration  Test duration "


def episode_line(record: str, scores: EpisodeScores) -> str:
    """One line of `epicmp -L`, without line end."""
    counts = scores.found, scores.missed, scores.true, scores.false
    cells = " ".join(f"{n:4d}" for n in counts)
    percents = "".join("   -" if value is None else f" {value:3d}" for value in _percents(scores))
    reference, test = (_clock(_milliseconds(s)) for s in (scores.reference_s, scores.test_s))
    return f"{record:>6} {cells} {percents}  {reference}   {test}"


def episode_table(records: Sequence[tuple[str, EpisodeScores]], kind: str) -> str:
    """`epicmp -L` of every record, then what `sumstats` makes of it: Sum, Gross, Average.

    `sumstats` works from the printed columns: its overlap is the longer duration times a whole
    percentage. The exact gross quotients are those of the summed `EpisodeScores`.
    """
    every = [scores for _, scores in records]
    found, missed, true, false = (
        sum(getattr(s, name) for s in every) for name in ("found", "missed", "true", "false")
    )
    reference = [_milliseconds(s.reference_s) for s in every]
    test = [_milliseconds(s.test_s) for s in every]
    percents = [_percents(s) for s in every]
    overlap = 0
    for theirs, ours, (_, _, se, ppv) in zip(reference, test, percents, strict=True):
        longer, percent = (theirs, se) if theirs > ours else (ours, ppv)
        overlap = int(overlap + longer * ((percent or 0) / 100.0))
    # The means of episode quotients are exact ones, those of durations of whole percentages.
    columns: tuple[list[float | None], ...] = (
        [s.episode_se for s in every],
        [s.episode_ppv for s in every],
        [None if p[2] is None else p[2] / 100.0 for p in percents],
        [None if p[3] is None else p[3] / 100.0 for p in percents],
    )
    gross = (
        (found, found + missed),
        (true, true + false),
        (overlap, sum(reference)),
        (overlap, sum(test)),
    )
    n = len(records)
    lines = [
        f"({KINDS[kind]} detection)",
        EPISODE_HEADER,
        *(episode_line(name, scores) for name, scores in records),
        "_" * 72,
        f"Sum    {found:4d} {missed:4d} {true:4d} {false:4d}                   "
        f"{_clock(sum(reference))}   {_clock(sum(test))}",
        "Gross".ljust(27) + "".join(_mean(part, whole) for part, whole in gross),
        "Average".ljust(27)
        + "".join(
            _mean(sum(values), len(values))
            for values in ([v for v in column if v is not None] for column in columns)
        ),
        "",
        f"Summary of results from {n} record{'s' if n != 1 else ''}",
    ]
    return "\n".join(lines) + "\n"


def _percents(scores: EpisodeScores) -> tuple[int | None, int | None, int | None, int | None]:
    """Whole percents of the four quotients, halves up, as epicmp rounds."""
    quotients = (
        scores.episode_se,
        scores.episode_ppv,
        scores.duration_se,
        scores.duration_ppv,
    )
    a, b, c, d = (None if q is None else int(100.0 * q + 0.5) for q in quotients)
    return a, b, c, d


def _mean(part: float, whole: float) -> str:
    return f" {100.0 * part / whole:3.0f}" if whole > 0 else "   -"


def _milliseconds(seconds: float) -> int:
    return int(1000.0 * seconds + 0.5)


def _clock(milliseconds: int) -> str:
    """WFDB's `mstimstr`: 12 characters, hours only where there are any."""
    if milliseconds == 0:
        return f"{'0.000':>12}"
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{text}:{seconds:02d}.{thousandths:03d}".rjust(12)
