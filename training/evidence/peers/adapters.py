"""How each package is called: as its documentation says, with the preprocessing that it recommends.

Every function gets a `worker.Signal` and returns sample numbers at the signal's rate. The packages
are imported where they are used: each lives in an environment of its own (`packages.toml`), and
this module is read in all of them, and by the page, which quotes the first line of each docstring.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from einthoven.training.evidence.peers.worker import Signal


def neurokit2_raw(signal: Signal) -> Any:
    """`ecg_peaks(mv, fs)`, default method, without cleaning"""
    import neurokit2

    _, info = neurokit2.ecg_peaks(signal.mv, sampling_rate=signal.fs)
    return info["ECG_R_Peaks"]


def neurokit2_clean(signal: Signal) -> Any:
    """`ecg_peaks(ecg_clean(mv, fs), fs)`, default methods, as `ecg_process` does"""
    import neurokit2

    cleaned = neurokit2.ecg_clean(signal.mv, sampling_rate=signal.fs)
    _, info = neurokit2.ecg_peaks(cleaned, sampling_rate=signal.fs)
    return info["ECG_R_Peaks"]


def biosppy_ecg(signal: Signal) -> Any:
    """`signals.ecg.ecg(mv, fs, show=False)`: its filter, Hamilton's segmenter, its correction"""
    from biosppy.signals import ecg

    return ecg.ecg(signal=signal.mv, sampling_rate=signal.fs, show=False)["rpeaks"]


def wfdb_xqrs(signal: Signal) -> Any:
    """`processing.xqrs_detect(mv, fs)`"""
    from wfdb import processing

    return processing.xqrs_detect(sig=signal.mv, fs=signal.fs, verbose=False)


def wfdb_gqrs(signal: Signal) -> Any:
    """`processing.gqrs_detect(d_sig=counts, fs, adc_gain, adc_zero)`"""
    from wfdb import processing

    return processing.gqrs_detect(
        d_sig=signal.counts, fs=signal.fs, adc_gain=signal.gain, adc_zero=signal.baseline
    )


def _ecgdetectors(name: str) -> Callable[[Signal], Any]:
    def call(signal: Signal) -> Any:
        from ecgdetectors import Detectors

        # "a single channel ECG in volt" (class Detectors)
        return getattr(Detectors(signal.fs), f"{name}_detector")(signal.mv / 1000)

    call.__doc__ = f"`Detectors(fs).{name}_detector(volts)`"
    return call


def sleepecg(signal: Signal) -> Any:
    """`detect_heartbeats(mv, fs)`"""
    import sleepecg as package

    return package.detect_heartbeats(signal.mv, signal.fs)


def heartpy_process(signal: Signal) -> Any:
    """`process(mv, fs)`, all of `peaklist`"""
    import heartpy

    return heartpy.process(signal.mv, signal.fs)[0]["peaklist"]


def heartpy_notebook(signal: Signal) -> Any:
    """`process(scale_data(filter_signal(mv, 0.05, fs, filtertype="notch")), fs)`, ECG notebooks"""
    import heartpy

    filtered = heartpy.filter_signal(
        signal.mv, cutoff=0.05, sample_rate=signal.fs, filtertype="notch"
    )
    return heartpy.process(heartpy.scale_data(filtered), signal.fs)[0]["peaklist"]


def pyvital(signal: Signal) -> Any:
    """`detect_qrs(mv, fs)`"""
    import pyvital as package

    return package.detect_qrs(signal.mv, signal.fs)


def openecg(signal: Signal) -> Any:
    """`detect_qrs(mv, fs)`, which is what `pyvital.detect_qrs` calls from 0.6.0 on"""
    import openecg as package

    return package.detect_qrs(signal.mv, int(signal.fs))


def _systole(method: str, **options: Any) -> Callable[[Signal], Any]:
    def call(signal: Signal) -> Any:
        import numpy as np
        from systole.detection import ecg_peaks

        _, peaks = ecg_peaks(signal.mv, sfreq=int(signal.fs), method=method, **options)
        return np.flatnonzero(peaks) * (signal.fs / 1000)  # it resamples to 1000 Hz

    more = "".join(f", {key}={value}" for key, value in options.items())
    call.__doc__ = f'`ecg_peaks(mv, fs, method="{method}"{more})`, at its 1000 Hz'
    return call


def mne(signal: Signal) -> Any:
    """`preprocessing.find_ecg_events(raw)` of a one-channel `RawArray` in volts"""
    import mne as package

    info = package.create_info(["ECG"], signal.fs, ["ecg"], verbose="error")
    raw = package.io.RawArray(signal.mv[None] / 1000, info, verbose="error")
    events, _, _ = package.preprocessing.find_ecg_events(raw, verbose="error")
    return events[:, 0]


def ecgdeli(signal: Signal) -> Any:
    """`annotate(filter_ecg(mv, fs), fs, waves="QRS").leads[0].r_peak`"""
    import ecgdeli as package

    filtered = package.filter_ecg(signal.mv, fs=signal.fs)
    return package.annotate(filtered, fs=signal.fs, waves="QRS").leads[0].r_peak


def fast_qrs(signal: Signal) -> Any:
    """`qrs_detector(mv, fs)`"""
    from fast_qrs_detector import qrs_detector

    return qrs_detector(signal.mv, signal.fs)


ECGDETECTORS = (
    *("pan_tompkins", "hamilton", "swt", "two_average", "engzee", "christov", "wqrs"),
    "matched_filter",
)
SYSTOLE = ("sleepecg", "pan-tompkins", "moving-average")

DETECTORS: dict[str, Callable[[Signal], Any]] = {
    "neurokit2": neurokit2_raw,
    "neurokit2 cleaned": neurokit2_clean,
    "biosppy": biosppy_ecg,
    "wfdb gqrs": wfdb_gqrs,
    "wfdb xqrs": wfdb_xqrs,
    **{f"ecgdetectors {name}": _ecgdetectors(name) for name in ECGDETECTORS},
    "sleepecg": sleepecg,
    "heartpy": heartpy_process,
    "heartpy notch": heartpy_notebook,
    "pyvital": pyvital,
    "openecg": openecg,
    **{f"systole {name}": _systole(name) for name in SYSTOLE},
    "systole sleepecg, find_local": _systole("sleepecg", find_local=True),
    "mne": mne,
    "ecgdeli": ecgdeli,
    "fast-qrs-detector": fast_qrs,
}
