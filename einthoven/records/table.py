"""CSV tables: one column as a lead, by time stamps or at a rate, with what is missing as gaps.

Read by pandas. Understood are a comma, semicolon or tab between columns, a decimal comma beside
semicolons, names in the first row (or none), units in brackets behind a name or in a row of
their own (as PhysioNet's `rdsamp -c -v -p` writes them), times in seconds, milli-, micro- or
nanoseconds, as a clock, or as dates; comments begin with `#`.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records.header import RATES_HZ
from einthoven.records.leads import choose_lead, require_units, unit_in_name
from einthoven.records.placing import place
from einthoven.records.recording import INVALID, Known, Record, upright
from einthoven.records.table_layout import TableLayout, table_layout

_TIME = re.compile(
    r"(elapsed[ _]?)?(time|t|times?[ _]?stamps?|date|datetime|seconds?|secs?|milliseconds?|millis"
    r"|m?s|us|ns|zeit|temps|tiempo)([ _\[(]+(?P<unit>[a-zµμ]+)[\])]?)?",
    re.IGNORECASE,
)
_INDEX = re.compile(r"(sample|index|row|n|i|no|nr)?[ _.]*(#|number|index|no|nr)?", re.IGNORECASE)
_PER_SECOND = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microseconds"), 1e6),
    **dict.fromkeys(("ns", "nanos", "nanoseconds"), 1e9),
}
_USUAL_HZ = 10_000.0
"""A rate above is not guessed from times without a unit."""
_LONGEST_GAP_S = 24 * 3600.0
_BACK_S = 1.0
"""Stamps may jitter; a clock that runs back by more than this was set."""
_FINE_UV = 0.1
"""Resolution at least, of numbers that are not whole."""
_WHOLE_RANGE = 50.0
"""Whole numbers without a unit that move by more than this are an ADC's, not mV."""


def read_table(path: Path, name: str, lead: str | None, known: Known) -> Record:
    """One column of a CSV file. Raises RecordError."""
    layout = table_layout(path)
    if layout is None:
        raise RecordError(f"record {name}: {path.name} has no rows of numbers")
    time = next((i for i, n in enumerate(layout.names) if _TIME.fullmatch(n)), None)
    index = _index_column(layout.names)
    column = _column(layout, name, lead, {time, index})
    wanted = sorted({i for i in (time, index, column) if i is not None})
    table = _read(path, name, layout, wanted)
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    missing = ~np.isfinite(values)
    if len(values) == 0 or missing.mean() > 0.5:
        raise RecordError(
            f"record {name}: column {layout.names[column]} of {path.name} holds "
            f"{len(values) - int(missing.sum())} numbers in {len(values)} rows: name another with "
            "--lead"
        )
    rate_hz, where = _times(table, time, index, layout, path, name, known)
    counts, gain, baseline, assumed = _counts(values, missing, layout, column, path, name, known)
    samples, gaps = place(counts, where, _LONGEST_GAP_S * rate_hz, name)
    invalid = INVALID if missing.any() else None
    gain, baseline, samples, invalid = upright(gain, baseline, samples, invalid)
    return Record(
        name=name,
        lead=layout.names[column],
        rate_hz=rate_hz,
        gain_lsb_per_mv=gain,
        baseline_lsb=baseline,
        samples=samples,
        invalid_lsb=invalid,
        gain_assumed=assumed,
        gaps=gaps,
    )


def _index_column(names: list[str]) -> int | None:
    """The column that counts the rows, by its name; an unnamed first one may do so, too."""
    return next(
        (
            i
            for i, n in enumerate(names)
            if n and _INDEX.fullmatch(n) and re.search(r"sample|index|row|#|number", n, re.I)
        ),
        None,
    )


def _column(layout: TableLayout, name: str, lead: str | None, taken: set[int | None]) -> int:
    rest = [i for i in range(len(layout.names)) if i not in taken]
    if not rest:
        raise RecordError(f"record {name} has no column of samples: it has {layout.names[0]}")
    names = [layout.names[i] for i in rest]
    # A name without a unit says nothing against a column.
    units = [_unit(layout, i) or "mV" for i in rest]
    return rest[choose_lead(names, units, name, lead)]


def _unit(layout: TableLayout, column: int) -> str | None:
    return layout.units.get(column) or unit_in_name(layout.names[column])


def _read(path: Path, name: str, layout: TableLayout, wanted: list[int]) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path,
            sep=layout.separator,
            decimal=layout.decimal,
            header=None,
            names=list(range(len(layout.names))),
            usecols=wanted,
            skiprows=layout.skip,
            comment="#",
            skip_blank_lines=True,
            skipinitialspace=True,
            encoding="latin-1",
            index_col=False,
            low_memory=False,
        )
    except Exception as error:  # pandas raises whatever its parser stumbles over
        reason = " ".join(str(error).split())
        raise RecordError(f"record {name}: {path.name} is no table ({reason})") from error


def _times(
    table: pd.DataFrame,
    time: int | None,
    index: int | None,
    layout: TableLayout,
    path: Path,
    name: str,
    known: Known,
) -> tuple[float, NDArray[np.int64]]:
    """Rate in Hz, and each row's sample number."""
    n = len(table)
    rate_hz = known.csv_rate_hz
    if rate_hz is not None and not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise RecordError(f"--csv-rate {rate_hz:g} is no ECG's rate: {RATES_HZ[0]:g} Hz at least")
    if time is not None:
        seconds = _seconds(table[time], layout.names[time], path, name)
        back = np.flatnonzero(np.diff(seconds) < -_BACK_S)
        if len(back):
            raise RecordError(
                f"record {name}: the time of {path.name} runs back at row {int(back[0]) + 2}: sort "
                "the file, or cut it there"
            )
        rate_hz = rate_hz or _rate(seconds, path, name)
        at = seconds * rate_hz
    elif rate_hz is None:
        raise RecordError(
            f"record {name}: {path.name} has no column of time: give its rate with --csv-rate"
        )
    elif index is not None:
        counted = pd.to_numeric(table[index], errors="coerce").to_numpy(dtype=np.float64)
        at = counted - counted[0]
        if not np.isfinite(at).all() or (np.diff(at) < 1).any():
            at = np.arange(n, dtype=np.float64)
    else:
        at = np.arange(n, dtype=np.float64)
    # A row comes at its time, but never before the one after the row before it: stamps of rows
    # that arrive in bundles are alike. Three quarters of a sample late are still in time.
    rows = np.arange(n)
    where = rows + np.maximum.accumulate(np.maximum(np.ceil(at - 0.75) - rows, 0))
    return rate_hz, where.astype(np.int64)


def _seconds(column: pd.Series, title: str, path: Path, name: str) -> NDArray[np.float64]:
    """Times of the rows in seconds from the first one."""
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        times = numbers.to_numpy(dtype=np.float64)
        times = times - times[0]
        found: NDArray[np.float64] = times / _per_second(times, title, path, name)
        return found
    texts = column.astype(str).str.strip().str.strip("[]'\"").str.strip()
    clock = texts.str.fullmatch(r"(\d+:)?\d+:\d+(\.\d+)?").all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if clock:
            full = texts.where(texts.str.count(":") == 2, "0:" + texts)
            parsed = pd.to_timedelta(full, errors="coerce")
            wrong, since = parsed.isna(), parsed - parsed.iloc[0]
        else:
            dates = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
            wrong, since = dates.isna(), dates - dates.iloc[0]
    if wrong.any():
        at = int(np.argmax(wrong.to_numpy()))
        raise RecordError(
            f"record {name}: row {at + 1} of {path.name} has no time ({texts.iloc[at][:40]!r} in "
            f"column {title}): correct it, or leave the column out and give --csv-rate"
        )
    seconds: NDArray[np.float64] = since.dt.total_seconds().to_numpy(dtype=np.float64)
    return seconds


def _per_second(times: NDArray[np.float64], title: str, path: Path, name: str) -> float:
    """Units of a column of time in a second: by its name, else by which rate makes sense."""
    named = _TIME.fullmatch(title)
    said = [named["unit"], named[2]] if named else []
    for word in said:
        if word and word.lower() in _PER_SECOND:
            return _PER_SECOND[word.lower()]
    step = _typical_step(times)
    for per_second in (1.0, 1e3, 1e6, 1e9):
        if step and RATES_HZ[0] <= per_second / step <= _USUAL_HZ:
            return per_second
    raise RecordError(
        f"record {name}: the times of {path.name} make no sampling rate: give it with --csv-rate"
    )


def _rate(seconds: NDArray[np.float64], path: Path, name: str) -> float:
    """The rate that the stamps were taken at: the mean step, pauses left out."""
    typical = _typical_step(seconds)
    if not typical:
        raise RecordError(f"record {name}: all rows of {path.name} have the same time")
    rate_hz = 1 / typical
    # Stamps are rounded: a rate that is whole to a two-thousandth is whole.
    rate_hz = float(round(rate_hz)) if abs(rate_hz / max(round(rate_hz), 1) - 1) < 5e-4 else rate_hz
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise RecordError(
            f"record {name}: the times of {path.name} make {rate_hz:g} Hz, which is no ECG's rate: "
            "name the column's unit, as in time_ms, or give --csv-rate"
        )
    return rate_hz


def _typical_step(times: NDArray[np.float64]) -> float:
    """The mean step from row to row, pauses left out; 0 if the time stands still."""
    steps = np.diff(times)
    forward = np.flatnonzero(steps > 0)
    if not len(forward):
        return 0.0
    if len(forward) < len(steps):
        # Rows that arrive in bundles share a stamp: a step forward is that of a whole bundle.
        bundle = float(np.median(np.diff(forward))) if len(forward) > 1 else 1.0
        regular = steps[forward][steps[forward] < 1.5 * float(np.median(steps[forward]))]
        return float(np.mean(regular)) / bundle
    # Over ten rows rounding and jitter weigh less, and most tens have no row missing; those that
    # do are a step longer than the median.
    k = min(10, max(1, len(steps) // 4))
    tens = times[k:] - times[:-k]
    middle = float(np.median(tens))
    return float(np.mean(tens[np.abs(tens - middle) <= 0.5 * middle / k])) / k


def _counts(
    values: NDArray[np.float64],
    missing: NDArray[np.bool_],
    layout: TableLayout,
    column: int,
    path: Path,
    name: str,
    known: Known,
) -> tuple[NDArray[np.int32], float, int, bool]:
    """Whole counts, counts per mV, the count at 0 mV, and whether mV was assumed."""
    title = layout.names[column]
    said = known.units or _unit(layout, column)
    per_unit = known.csv_gain if known.csv_gain is not None else known.gain
    present = values[~missing]
    whole = bool((present == np.rint(present)).all())
    if said is None and per_unit is None and whole and np.ptp(present) > _WHOLE_RANGE:
        raise RecordError(
            f"record {name}: {title} of {path.name} is whole numbers without a unit: say how many "
            "make a mV with --csv-gain, or what they are with --units"
        )
    per_mv = require_units(said or "mV", title, name) * (1.0 if per_unit is None else per_unit)
    if not per_mv or not np.isfinite(per_mv):
        raise RecordError("--csv-gain and --gain must be numbers other than 0")
    most = float(np.abs(present).max())
    fine = 1.0 if whole else max(1.0, 1000.0 / _FINE_UV / abs(per_mv))
    fine = min(fine, (1 << 30) / max(most, 1e-9))
    counts = np.rint(np.where(missing, 0.0, values) * fine).astype(np.int32)
    counts[missing] = INVALID
    return counts, per_mv * fine, 0, said is None and per_unit is None
