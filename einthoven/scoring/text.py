"""Text tables of EC57 scores, in the line formats of PhysioNet's programs.

`bxb -L` (beat by beat, and shutdown), `rxr -L` (runs) and `sumstats` (Sum, Gross, Average) of
the WFDB software 10.7: their own tools read what is written here.
"""

from collections.abc import Callable, Iterable, Sequence

from einthoven.aami import CLASSES
from einthoven.scoring.comparison import Scores, gross
from einthoven.scoring.runs import RunScores

BEAT_HEADER = (
    "Record Nn' Sn' Vn' Fn' On'  Ns  Ss  Vs  Fs' Os' Nv  Sv   Vv  Fv' Ov' No' So' Vo' Fo'"
    "  Q Se   Q +P   V Se   V +P   S Se   S +P RR err"
)
RUN_HEADER = "Record CTs CFN CTp CFP STs SFN STp SFP LTs LFN LTp LFP  CSe C+P SSe S+P LSe L+P"
SHUTDOWN_HEADER = (
    "Record Nx   Sx   Vx   Fx   Qx  % beats  % N    % S    % V    % F   Total Shutdown\n"
    "                                missed missed missed missed missed      Time"
)
SVE_RUN_TITLE = "(SVE run detection)"

# The columns of BEAT_HEADER: a prime means that rarer pairs are counted with the one named,
# f and q with n, Q with F, x with o, X with O.
_BEAT_COLUMNS = (
    *("Nn Nf Nq", "Sn Sf Sq", "Vn Vf Vq", "Fn Ff Fq Qn Qf Qq", "On Of Oq Xn Xf Xq"),
    *("Ns", "Ss", "Vs", "Fs Qs", "Os Xs"),
    *("Nv", "Sv", "Vv", "Fv Qv", "Ov Xv"),
    *("No Nx", "So Sx", "Vo Vx", "Fo Fx Qo Qx"),
)
_BEAT_WIDTHS = (5, *[3] * 11, 4, *[3] * 6)


NAME_WIDTH = 4
"""Of a record's name in PhysioNet's tables; longer ones make that column wider, and no other."""


def _name_width(records: Sequence[tuple[str, object]]) -> int:
    return max([NAME_WIDTH, *(len(name) for name, _ in records)])


def _header(header: str, more: int) -> str:
    """With `more` spaces after its first word."""
    word, _, rest = header.partition(" ")
    return f"{word}{' ' * more} {rest}"


def _percent(part: float, whole: float) -> str:
    return f" {100.0 * part / whole:6.2f}" if whole > 0 else "      -"


def _rates(scores: Scores) -> list[tuple[int, int]]:
    """(part, whole) of Q Se, Q +P, V Se, V +P, S Se, S +P."""
    three = (scores.qrs, scores.veb, scores.sveb)
    return [pair for r in three for pair in ((r.tp, r.tp + r.fn), (r.tp, r.tp + r.fp))]


def _aggregate_rates(scores: Scores) -> list[tuple[int, int]]:
    """As `_rates`, as sumstats has them: it works from the printed columns, where Fs' holds
    Qs too, and so leaves F beats taken for S out of S +P.
    """
    rates = _rates(scores)
    rates[-1] = (scores.sveb.tp, scores.sveb.tp + scores.sveb.fp - scores["Fs"])
    return rates


def _columns(scores: Scores) -> list[int]:
    return [sum(scores[pair] for pair in column.split()) for column in _BEAT_COLUMNS]


def _rr_error(scores: Scores) -> str:
    return "     -" if scores.rr_error_ms is None else f" {scores.rr_error_ms:6.2f}"


def beat_line(record: str, scores: Scores, width: int = NAME_WIDTH) -> str:
    """One line of `bxb -L`'s first file, without line end; `width` of the record's name."""
    counts = zip(_columns(scores), _BEAT_WIDTHS, strict=True)
    cells = " ".join(f"{n:{width}d}" for n, width in counts)
    percents = "".join(_percent(part, whole) for part, whole in _rates(scores))
    return f"{record:>{width}} {cells}{percents}{_rr_error(scores)}"


def beat_table(records: Sequence[tuple[str, Scores]]) -> str:
    """`bxb -L` of every record, then what `sumstats` makes of it: Sum, Gross, Average."""
    total = gross(scores for _, scores in records)
    counts = zip(_columns(total), (6, *_BEAT_WIDTHS[1:]), strict=True)
    cells = " ".join(f"{n:{width}d}" for n, width in counts)
    per_record = [_aggregate_rates(scores) for _, scores in records]
    errors = [float(_rr_error(s)) for _, s in records if s.rr_error_ms is not None]
    width = _name_width(records)
    more = width - NAME_WIDTH
    lines = [
        _header(BEAT_HEADER, more),
        *(beat_line(name, scores, width) for name, scores in records),
        "_" * (132 + more),
        f"{'Sum'.ljust(3 + more)} {cells}",
        "Gross".ljust(83 + more) + "".join(_percent(*pair) for pair in _aggregate_rates(total)),
        "Average".ljust(83 + more)
        + "".join(_average(column, _percent) for column in zip(*per_record, strict=True))
        + (_percent(sum(errors) / 100.0, len(errors))),
        f"Total QRS complexes: {total.qrs.tp + total.qrs.fn}"
        f"  Total VEBs: {total.veb.tp + total.veb.fn}"
        f"  Total SVEBs: {total.sveb.tp + total.sveb.fn}",
        *_summary(len(records)),
    ]
    return "\n".join(lines) + "\n"


def _average(column: Iterable[tuple[int, int]], cell: Callable[[float, float], str]) -> str:
    """Mean of the quotients that are defined."""
    quotients = [part / whole for part, whole in column if whole]
    return cell(sum(quotients), len(quotients))


def _summary(n_records: int) -> tuple[str, str]:
    return "", f"Summary of results from {n_records} record{'s' if n_records != 1 else ''}"


def shutdown_line(record: str, scores: Scores) -> str:
    """One line of `bxb -L`'s second file: beats missed while the test had shut down."""
    missed = {c: scores[f"{c}x"] for c in CLASSES}
    # bxb leaves S out of the sum of all beats; its tables are matched, also in that.
    all_missed = sum(n for c, n in missed.items() if c != "S")
    cells = " ".join(f"{n:4d}" for n in missed.values())
    percents = _percent(all_missed, scores.qrs.tp + scores.qrs.fn)
    for c in "NSVF":
        percents += _percent(missed[c], int(scores.counts[CLASSES.index(c)].sum()))
    return f"{record:>4} {cells}  {percents}{scores.shutdown_s:5d} seconds"


def run_line(record: str, scores: RunScores, width: int = NAME_WIDTH) -> str:
    """One line of `rxr -L`, without line end; `width` of the record's name."""
    counts = [n for category in scores.categories for n in category]
    percents = "".join(
        # Halves up, as rxr rounds.
        f" {int(100.0 * part / whole + 0.5):3d}" if whole else "   -"
        for part, whole in _run_rates(scores.categories)
    )
    return f"{record:>{width}} " + " ".join(f"{n:3d}" for n in counts) + f" {percents}"


def run_table(records: Sequence[tuple[str, RunScores]], *, supraventricular: bool = False) -> str:
    """`rxr -L` of every record, then what `sumstats` makes of it."""
    per_record = [scores.categories for _, scores in records]
    total = [
        tuple(sum(counts) for counts in zip(*same, strict=True))
        for same in zip(*per_record, strict=True)
    ]
    sums = [n for category in total for n in category]
    rates = zip(*(_run_rates(c) for c in per_record), strict=True)
    width = _name_width(records)
    more = width - NAME_WIDTH
    lines = [
        *([SVE_RUN_TITLE] if supraventricular else []),
        _header(RUN_HEADER, more),
        *(run_line(name, scores, width) for name, scores in records),
        "_" * (77 + more),
        f"{'Sum'.ljust(5 + more)} {sums[0]:4d} " + " ".join(f"{n:3d}" for n in sums[1:]),
        "Gross".ljust(55 + more) + "".join(_whole_percent(*pair) for pair in _run_rates(total)),
        "Average".ljust(55 + more) + "".join(_average(column, _whole_percent) for column in rates),
        "  ".join(
            f"Total {name}: {found + missed}"
            for name, (found, missed, _, _) in zip(
                ("couplets", "short runs", "long runs"), total, strict=True
            )
        ),
        *_summary(len(records)),
    ]
    return "\n".join(lines) + "\n"


def _run_rates(categories: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """(part, whole) of Se and +P of couplets, short runs, long runs."""
    rates = []
    for found, missed, true, false in categories:
        rates += [(found, found + missed), (true, true + false)]
    return rates


def _whole_percent(part: float, whole: float) -> str:
    return f" {100.0 * part / whole:3.0f}" if whole > 0 else "   -"


def literature_table(scores: Scores) -> str:
    """Confusion matrix of the literature's classes with Se, +P and F1 of each class."""
    head = "".join(f"{c.lower():>8}" for c in CLASSES)
    lines = [f"Class {head}  missed     Se     +P     F1"]
    for i, c in enumerate(CLASSES):
        rate = scores.literature_rate(c)
        cells = "".join(f"{n:8d}" for n in scores.literature[i])
        values = "".join(
            "      -" if value is None else f" {100.0 * value:6.2f}"
            for value in (rate.se, rate.ppv, rate.f1)
        )
        lines.append(f"{c:>5} {cells}{values}")
    lines.append("extra " + "".join(f"{n:8d}" for n in scores.literature[-1, :5]))
    return "\n".join(lines) + "\n"
