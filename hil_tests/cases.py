"""Run small inputs that once gave a wrong result, a folder each: `make cases`.

    python -m einthoven.hil_tests.cases [FOLDER]

FOLDER (default: ../shared/cases beside the checkout) holds one folder a case, named by a number
and a word. `CHECKS` knows by the number what is right; a folder that nobody knows is wrong, since
it was not run. Prints a line a case and last `N cases, 0 wrong`; exit code 1 if any is wrong.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.codegen.testing.model_case import check_model_case
from einthoven.errors import EinthovenError
from einthoven.native import core
from einthoven.paths import ROOT
from einthoven.records.adc import board_signal, board_to_record_time
from einthoven.records.annotations import Annotations, read_annotations
from einthoven.records.leads import units_per_mv
from einthoven.records.record import Record, read_record, record_files
from einthoven.scoring.comparison import Rate
from einthoven.scoring.score import score, score_files

DEFAULT = ROOT.parent / "shared" / "cases"
GAIN_LSB_PER_MV, ADC_BITS = 200, 12
"""What `boards/` has."""

Check = Callable[[Path], str]
"""Takes a case's folder; returns what was seen, in a few words. AssertionError: what is wrong."""
CHECKS: dict[str, Check] = {}
"""By the number that a folder's name begins with."""


def check(number: str) -> Callable[[Check], Check]:
    """Make a function the check of the case `number`."""

    def register(function: Check) -> Check:
        CHECKS[number] = function
        return function

    return register


def require(holds: bool, otherwise: str) -> None:
    """AssertionError with that text, also where Python runs without assertions."""
    if not holds:
        raise AssertionError(otherwise)


def beats_of(folder: Path, name: str) -> tuple[Record, NDArray[np.int64]]:
    """A record, and the samples of its own rate at which a board finds its beats."""
    record = read_record(folder, name)
    signal = board_signal(record, core.rate_hz(), GAIN_LSB_PER_MV, ADC_BITS)
    beats = core.analyze(signal.samples, GAIN_LSB_PER_MV, gaps=signal.gaps)
    return record, board_to_record_time(beats.t_samples, record, core.rate_hz())


def qrs_of(folder: Path, name: str) -> Rate:
    """How many of a record's reference beats are found, whole record."""
    record, times = beats_of(folder, name)
    reference = read_annotations(folder, name)
    test = Annotations.of(times, ["N"] * len(times), record.rate_hz)
    return score(name, reference, test, record.rate_hz, record.n_samples).protocols["whole"].qrs


def all_found(folder: Path, *names: str, beats: int = 49) -> str:
    """Each record's reference beats, so many, are found, and nothing else."""
    for name in names:
        qrs = qrs_of(folder, name)
        found = (qrs.tp, qrs.fn, qrs.fp)
        require(
            found == (beats, 0, 0),
            f"{name}: {found[0]} beats found, {found[1]} missed, {found[2]} extra, not {beats}",
        )
    return f"{beats} of {beats} beats" + (f" in each of {len(names)}" if len(names) > 1 else "")


@check("02")
def microvolt(folder: Path) -> str:
    """µV in any encoding is the ASCII twin's uV."""
    twins = [beats_of(folder, name)[1].tolist() for name in ("uv_ascii_ok", "uv_utf8")]
    require(twins[0] == twins[1], "µV gives other beats than uV")
    for encoding in ("latin-1", "cp437", "gbk", "shift-jis"):
        text = "µV".replace("µ", "µ" if encoding in ("latin-1", "cp437") else "μ")
        said = text.encode(encoding).decode("latin-1")
        require(units_per_mv(said) == 1000.0, f"µV in {encoding} is not understood")
    return all_found(folder, "uv_ascii_ok", "uv_utf8")


@check("03")
def skew(folder: Path) -> str:
    """The header's skew lines the signal up with its annotations."""
    found = all_found(folder, "skew")
    _, times = beats_of(folder, "skew")
    late = np.median(times - _nearest(read_annotations(folder, "skew").samples, times))
    require(abs(late) <= 10, f"beats are {late:g} samples late")
    return found


def _nearest(of: NDArray[np.int64], to: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([of[np.argmin(np.abs(of - t))] for t in to.tolist()])


@check("04")
def annotation_rate(folder: Path) -> str:
    """A reference with a time resolution of its own, in `score` and in a replay's scores."""
    (pair,) = score_files(folder / "res.atr", folder / "res.tst")
    qrs = pair.protocols["whole"].qrs
    require((qrs.fn, qrs.fp) == (0, 0), f"score: {qrs.fn} missed, {qrs.fp} extra")
    return all_found(folder, "res")


@check("05")
def checksum_0(folder: Path) -> str:
    """A checksum of 0 was not computed, and that is told."""
    require(read_record(folder, "ck0").unchecked, "nobody is told that there is no checksum")
    return all_found(folder, "ck0")


@check("06")
def gain(folder: Path) -> str:
    """No gain is 200 per mV and marked; a negative one turns the signal over."""
    assumed = {n: read_record(folder, n).gain_assumed for n in ("g0", "gnone", "gneg")}
    require(assumed == {"g0": True, "gnone": True, "gneg": False}, f"marked: {assumed}")
    upright = read_record(folder, "g0").samples
    require(
        upright.tolist() == read_record(folder, "gneg").samples.tolist(), "gneg is not turned over"
    )
    return all_found(folder, "g0", "gnone", "gneg")


@check("07")
def adc_range(folder: Path) -> str:
    """The front end takes off an offset that the ADC cannot hold, and says so."""
    record = read_record(folder, "dc150")
    signal = board_signal(record, core.rate_hz(), GAIN_LSB_PER_MV, ADC_BITS)
    require(signal.coupled, "the offset stays")
    require(abs(signal.offset_mv - 150) < 1, f"the offset is {signal.offset_mv:.1f} mV")
    require(int(np.abs(signal.samples).max()) < 2047, "samples are clipped")
    return all_found(folder, "dc150")


@check("08")
def default_lead(folder: Path) -> str:
    """An ECG by its name, not the breathing or the muscle before it."""
    leads = {n: read_record(folder, n).lead for n in ("lead2", "emg")}
    require(leads == {"lead2": "Lead II", "emg": "lead I"}, f"leads: {leads}")
    return all_found(folder, "lead2", "emg")


@check("09")
def no_signals(folder: Path) -> str:
    """Annotations alone are scored by their header's rate and length."""
    (pair,) = score_files(folder / "rr.ecg", folder / "rr.tst")
    comparison = pair.protocols["whole"]
    qrs = comparison.qrs
    require(qrs.tp > 90 and (qrs.fn, qrs.fp) == (0, 0), f"{qrs}")
    require(comparison.rate_hz == 128, f"scored at {comparison.rate_hz:g} Hz")
    return f"{qrs.tp} of {qrs.tp} beats"


@check("10")
def frames(folder: Path) -> str:
    """A signal with several samples a frame is read at its own rate."""
    for name in ("mo", "mf"):
        record, times = beats_of(folder, name)
        require(record.rate_hz == 360.0, f"{name} is read at {record.rate_hz:g} Hz")
        require(record.n_samples == 14400, f"{name} has {record.n_samples} samples")
        require(len(times) == 49, f"{name}: {len(times)} beats, not 49")
    return "49 beats in each of 2, at 360 Hz"


@check("11")
def header_syntax(folder: Path) -> str:
    """Headers that WFDB's library reads are read."""
    return all_found(folder, "ext", "len0")


@check("12")
def format_61(folder: Path) -> str:
    """Format 61 is 16 bits, high byte first."""
    return all_found(folder, "f61")


@check("13")
def mat_not_hashed(folder: Path) -> str:
    """Whatever file the header names belongs to the record."""
    names = [path.name for path in record_files(folder, "m1")]
    require(names == ["m1.hea", "m1.mat", "m1.atr"], f"the record's files: {names}")
    return all_found(folder, "m1")


@check("01")
@check("15")
def models(folder: Path) -> str:
    """Models of others run as TFLite Micro runs them, or are refused by op, tensor and cure."""
    right, what = check_model_case(folder)
    require(right, what)
    ran, refused = (what.count(f".tflite: {said}") for said in ("", "refused"))
    return f"{ran - refused} models as TFLite Micro has them, {refused} refused in words"


@check("14")
def fast_tachycardia(folder: Path) -> str:
    """Of a ventricular tachycardia at 200 a minute 95 % of the beats are found."""
    qrs = qrs_of(folder, "vt")
    found = f"{qrs.tp} of {qrs.tp + qrs.fn} beats, {qrs.fp} too many"
    require(qrs.tp >= 0.95 * (qrs.tp + qrs.fn) and qrs.fp <= 0.05 * qrs.tp, found)
    return found


def run(folder: Path) -> int:
    """Run the cases in `folder`, print a line each, and return how many are wrong."""
    found = sorted(p for p in folder.iterdir() if p.is_dir() and re.match(r"\d+-", p.name))
    wrong = 0
    for case in found:
        known = CHECKS.get(case.name.partition("-")[0])
        try:
            if known is None:
                raise AssertionError("not run: there is no check for it")
            print(f"{case.name:<24} {'; '.join(known(case).splitlines())}")
        except (AssertionError, EinthovenError) as error:
            wrong += 1
            print(f"{case.name:<24} WRONG: {'; '.join(str(error).splitlines())}")
    print(f"{len(found)} cases, {wrong} wrong")
    return wrong if found else 1


def main() -> int:
    """`python -m einthoven.hil_tests.cases [FOLDER]`."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.hil_tests.cases", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT, help=f"[{DEFAULT}]")
    folder: Path = parser.parse_args().folder
    if not folder.is_dir():
        print(f"error: {folder} is not a folder of cases: name one", file=sys.stderr)
        return 2
    return 1 if run(folder) else 0


if __name__ == "__main__":
    sys.exit(main())
