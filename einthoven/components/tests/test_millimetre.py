import re
from dataclasses import replace

import numpy as np
import pytest

from einthoven.components import millimetre
from einthoven.components.millimetre import Letter, Trace

RATE_HZ = 180.0


@pytest.fixture
def trace() -> Trace:
    """Half a minute of a slow wave, in steps of 5 microvolts."""
    samples = np.rint(150 * np.sin(np.arange(5400) / 40)).astype(np.int16)
    return Trace(samples=samples, rate_hz=RATE_HZ, lsb_per_mv=200.0)


def test_strip_is_true_to_scale_and_to_the_sample(trace: Trace) -> None:
    rows = millimetre.rows(trace)
    assert len(rows) == 4 and not millimetre.is_cut(trace)
    taken: list[int] = []
    for row in rows:
        width, height = (float(v) for v in re.findall(r'(?:width|height)="([\d.]+)mm"', row)[:2])
        assert f'viewBox="0 0 {width:g} {height:g}"' in row  # so a unit is a millimetre
        across, up = re.findall(r"scale\(([-\d.]+) ([-\d.]+)\)", row)[0]
        assert float(across) * RATE_HZ == pytest.approx(25.0, rel=1e-4)
        assert -float(up) * trace.lsb_per_mv == pytest.approx(10.0, rel=1e-4)
        path = re.findall(r' d="M0 ([^"]*)"', row)[0]
        first, steps = path.split("l")
        values = np.cumsum([int(first), *map(int, steps.split()[1::2])])
        taken += values.tolist()[: round(7.5 * RATE_HZ)]
    assert taken == trace.samples.tolist()


def test_the_paper_goes_on_from_row_to_row(trace: Trace) -> None:
    """A large box that one row cuts off is ended by the next."""
    at = [float(x) for row in millimetre.rows(trace) for x in re.findall(r'"#mm" x="(.*?)"', row)]
    assert at == [-(7.5 * 25 * i % 5) for i in range(4)]


def test_rows_are_of_equal_length(trace: Trace) -> None:
    short = replace(trace, samples=trace.samples[:1800])
    widths = re.findall(r'^<svg[^>]* width="([\d.]+)mm', "\n".join(millimetre.rows(short)), re.M)
    assert widths == ["125", "125"]


def test_letters_stand_above_and_below_and_the_clock_counts(trace: Trace) -> None:
    beats = [Letter(180.0, "V"), Letter(5399.0, "N", unsure=True)]
    rows = millimetre.rows(replace(trace, beats=beats, reference=beats[:1], start_s=597.0))
    said = re.findall(r'<text class="c(\w)( unsure)?" x="([\d.]+)" y="([\d.]+)"', rows[0])
    assert [(s[0], float(s[2])) for s in said] == [("V", 25.0), ("V", 25.0)]
    assert float(said[0][3]) < millimetre.LETTERS_MM < 20 < float(said[1][3])
    assert ">9:57<" in rows[0] and ">10:04<" in rows[0] and ">10:05<" in rows[1]
    assert 'class="cN unsure"' in rows[3]


def test_lost_samples_leave_a_gap(trace: Trace) -> None:
    first, *_, last = millimetre.rows(replace(trace, lost=((10, 5), (20, 1), (5399, 1))))
    assert re.findall(r"M\d+", re.findall(r' d="(M0 [^"]*)"', first)[0]) == ["M0", "M15", "M21"]
    assert last.endswith("</svg>")
    assert all(' d=""' in row for row in millimetre.rows(replace(trace, lost=((0, 5400),))))


@pytest.mark.parametrize("values", [[0], [32767, -32768] * 50, [5] * 2000])
def test_any_strip_is_drawn(trace: Trace, values: list[int]) -> None:
    rows = millimetre.rows(replace(trace, samples=np.array(values, dtype=np.int16)))
    assert rows
    for row in rows:
        assert float(re.findall(r'height="([\d.]+)mm"', row)[0]) < 60


def test_no_strip_no_rows(trace: Trace) -> None:
    nothing = replace(trace, samples=np.zeros(0, dtype=np.int16))
    assert millimetre.rows(nothing) == [] and not millimetre.is_cut(nothing)
