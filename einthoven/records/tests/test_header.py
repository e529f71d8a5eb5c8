"""Headers as WFDB's own library reads them, and which signal of theirs is an ECG."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import RecordError
from einthoven.records.header import read_header
from einthoven.records.leads import choose_lead, is_ecg_name, is_other_name, units_per_mv
from einthoven.records.record import Known, read_record, record_files

SAMPLES = np.arange(-40, 60, dtype="<i2")


def write(folder: Path, header: str, name: str = "a", samples: np.ndarray = SAMPLES) -> None:
    (folder / f"{name}.hea").write_bytes(header.encode("utf-8", "surrogateescape"))
    samples.tofile(folder / "a.dat")


def test_what_is_missing_has_its_default(tmp_path: Path) -> None:
    write(tmp_path, "a 1\na.dat 16\n")
    header = read_header(tmp_path, "a")
    (signal,) = header.signals
    assert (header.rate_hz, header.n_frames) == (250.0, None)
    assert (signal.gain, signal.baseline, signal.units, signal.checksum) == (None, 0, "mV", None)
    record = read_record(tmp_path, "a")
    assert (record.rate_hz, record.gain_lsb_per_mv, record.gain_assumed) == (250.0, 200.0, True)
    assert record.samples.tolist() == SAMPLES.tolist()


@pytest.mark.parametrize(
    "line",
    [
        "a.mat 1 360 100 05-May-2020 14:50:55",
        "a 1 360 100 12:00:00 31/12/1999",
        "a 1 360.0/360(0) 0",
        "  a   1\t360",
        "a 1 360 100 12:0:0.5",
    ],
)
def test_record_lines_that_the_library_reads(tmp_path: Path, line: str) -> None:
    write(tmp_path, f"#wfdb 10.7\n{line}\n\n# a comment\na.dat 16 200 12 0 -40 0 0 II\nInfo\n")
    record = read_record(tmp_path, "a")
    assert (record.rate_hz, record.lead, record.n_samples) == (360.0, "II", 100)
    assert record.comments == ("wfdb 10.7", "a comment")


def test_signal_files_in_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, "a 1 360 100\ndeep/x.y.dat 16 200 12 0 -40 950 0 II\n")
    (tmp_path / "a.dat").rename(tmp_path / "deep" / "x.y.dat")
    assert read_record(tmp_path, "a").n_samples == 100
    assert [p.name for p in record_files(tmp_path, "a")] == ["a.hea", "x.y.dat"]


def test_skew_moves_a_signal_against_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a 1 360 100\na.dat 16:7 200 12 0 -40 0 0 II\n")
    record = read_record(tmp_path, "a")
    assert record.samples.tolist() == [*SAMPLES[7:], *[59] * 7]
    assert record.gaps == ((93, 7),)


def test_several_samples_a_frame(tmp_path: Path) -> None:
    frames = np.arange(60, dtype="<i2").reshape(20, 3)  # two of II, one of ABP a frame
    write(
        tmp_path,
        "a 2 100 20\na.dat 16x2 200 12 0 0 0 0 II\na.dat 16 1/mmHg 12 0 2 0 0 ABP\n",
        samples=frames,
    )
    record = read_record(tmp_path, "a")
    assert (record.rate_hz, record.samples.tolist()) == (200.0, frames[:, :2].ravel().tolist())
    assert read_record(tmp_path, "a", "ABP", known=Known(units="mV")).rate_hz == 100.0


@pytest.mark.parametrize("fmt", ["61", "16"])
def test_both_byte_orders(tmp_path: Path, fmt: str) -> None:
    order = ">i2" if fmt == "61" else "<i2"
    write(
        tmp_path, f"a 1 360 100\na.dat {fmt} 200 12 0 -40 950 0 II\n", samples=SAMPLES.astype(order)
    )
    assert read_record(tmp_path, "a").samples.tolist() == SAMPLES.tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "cp437", "gbk", "shift-jis"])
def test_a_microvolt_is_one_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    micro = "μ" if encoding in ("gbk", "shift-jis") else "µ"
    text = f"a 1 360 100\na.dat 16 0.2(0)/{micro}V 12 0 -40 950 0 II\n"
    write(tmp_path, "")
    (tmp_path / "a.hea").write_bytes(text.encode(encoding))
    assert read_record(tmp_path, "a").gain_lsb_per_mv == pytest.approx(200.0)


@pytest.mark.parametrize("unit", ["?V", "\ufffdV", "mmHg", "adu", "bpm", "kV"])
def test_an_unknown_unit_is_named(tmp_path: Path, unit: str) -> None:
    write(tmp_path, f"a 1 360 100\na.dat 16 0.2(0)/{unit} 12 0 -40 950 0 II\n")
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert unit in str(error.value) and "--units" in str(error.value)
    assert read_record(tmp_path, "a", known=Known(units="uV")).gain_lsb_per_mv == 200.0


def test_a_checksum_of_0_is_none_and_told(tmp_path: Path) -> None:
    write(tmp_path, "a 1 360 100\na.dat 16 200 12 0 -40 0 0 II\n")
    assert read_record(tmp_path, "a").unchecked
    write(tmp_path, "a 1 360 100\na.dat 16 200 12 0 -40 950 0 II\n")
    assert not read_record(tmp_path, "a").unchecked
    # Another first sample than the header's: corrupt, whatever the checksum says.
    write(tmp_path, "a 1 360 100\na.dat 16 200 12 0 -41 0 0 II\n")
    with pytest.raises(RecordError, match="no-checksum"):
        read_record(tmp_path, "a")
    write(tmp_path, "a 1 360 100\na.dat 16 200 12 0 -40 951 0 II\n")
    with pytest.raises(RecordError, match="no-checksum"):
        read_record(tmp_path, "a")
    assert read_record(tmp_path, "a", known=Known(checksum=False)).n_samples == 100


@pytest.mark.parametrize("rate", ["1e9", "0.001", "19", "200000"])
def test_rates_that_no_ecg_has(tmp_path: Path, rate: str) -> None:
    write(tmp_path, f"a 1 {rate} 100\na.dat 16\n")
    with pytest.raises(RecordError, match="sampling rate"):
        read_record(tmp_path, "a")


# Segments


def write_segments(folder: Path) -> None:
    """Two segments of 100 samples in counts of different gains, and what is between them."""
    for name, gain, lead, other in (("s1", 200, "II", "ABP"), ("s2", 100, "ABP", "II")):
        ecg = SAMPLES if gain == 200 else (SAMPLES // 2).astype("<i2")
        columns = [ecg, np.full(100, 900, "<i2")]
        both = np.stack(columns if lead == "II" else columns[::-1], axis=1)
        both.tofile(folder / f"{name}.dat")
        lines = [f"{name} 2 360 100"]
        for label in (lead, other):
            unit = f"{gain}/mV" if label == "II" else "1/mmHg"
            lines.append(f"{name}.dat 16 {unit} 12 0 0 0 0 {label}")
        (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


def plain_segments(folder: Path) -> None:
    for name in ("s1", "s2"):
        SAMPLES.tofile(folder / f"{name}.dat")
        (folder / f"{name}.hea").write_text(
            f"{name} 1 360 100\n{name}.dat 16 200 12 0 -40 950 0 I\n"
        )


def test_segments_of_fixed_layout(tmp_path: Path) -> None:
    plain_segments(tmp_path)
    (tmp_path / "m.hea").write_text("m/3 1 360 250\ns1 100\n~ 50\ns2 100\n")
    record = read_record(tmp_path, "m")
    assert (record.n_samples, record.gaps, record.lead) == (250, ((100, 50),), "I")
    assert record.samples[:100].tolist() == record.samples[150:].tolist() == SAMPLES.tolist()
    files = [p.name for p in record_files(tmp_path, "m")]
    assert files == ["m.hea", "s1.hea", "s1.dat", "s2.hea", "s2.dat"]


def test_segments_of_variable_layout(tmp_path: Path) -> None:
    write_segments(tmp_path)
    (tmp_path / "s3.hea").write_text("s3 1 360 30\ns2.dat 16 1/mmHg 12 0 0 0 0 ABP\n")
    layout = "lay 2 360 0\n~ 0 200/mV 12 0 0 0 0 II\n~ 0 1/mmHg 12 0 0 0 0 ABP\n"
    (tmp_path / "lay.hea").write_text(layout)
    (tmp_path / "m.hea").write_text("m/5 2 360\nlay 0\ns1 100\n~ 20\ns3 30\ns2 100\n")
    record = read_record(tmp_path, "m", known=Known(checksum=False))
    assert record.gaps == ((100, 50),)  # neither the null segment nor s3 has the lead
    assert record.gain_lsb_per_mv == 200.0
    assert record.samples[:100].tolist() == SAMPLES.tolist()
    assert np.abs(record.samples[150:] - SAMPLES).max() <= 1  # half the resolution


# Names


@pytest.mark.parametrize(
    "name",
    [
        "MLII",
        "II",
        "Lead II",
        "lead I",
        "MCL1",
        "V",
        "aVR",
        "ECG",
        "ECG2",
        "EKG",
        "ECG I",
        "EKG-II",
        "LEAD_I",
        "ecg_mv",
        "ECG (uV)",
        "MLII [mV]",
        "ECG1-ECG2",
        "ECG LA-RA",
        "DI",
        "D2",
        "CM5",
        "V5R",
        "mod.V1",
        "X",
        "ES",
        "ECG ECG",
        "ECG Ch1",
        "III",
    ],
)
def test_names_of_leads(name: str) -> None:
    assert is_ecg_name(name) and not is_other_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Resp",
        "RESP",
        "ABP",
        "ART",
        "PLETH",
        "PPG",
        "SpO2",
        "CVP",
        "PAP",
        "EMG",
        "EMG chin",
        "EEG Fpz-Cz",
        "EOG horizontal",
        "HR",
        "Time",
        "C3-A2",
        "F4",
        "ICP",
        "P1",
        "ACC_X",
        "EDF Annotations",
        "Temp rectal",
        "Event marker",
        "THOR RES",
        "CO2",
        "GSR",
    ],
)
def test_names_of_other_signals(name: str) -> None:
    assert is_other_name(name) and not is_ecg_name(name)


def test_the_default_is_never_another_signal() -> None:
    def chosen(*names: str, units: tuple[str, ...] = ()) -> str:
        return names[choose_lead(names, units or ("mV",) * len(names), "a", None)]

    assert chosen("Resp", "Lead II") == "Lead II"
    assert chosen("EMG", "lead I") == "lead I"
    assert chosen("V5", "MLII") == "MLII"
    assert chosen("RESP", "sensor") == "sensor"
    assert chosen("sensor", "other", units=("mmHg", "uV")) == "other"
    with pytest.raises(RecordError, match="RESP, PLETH"):
        chosen("RESP", "PLETH")


def test_units() -> None:
    per_mv = {
        "mV": 1.0,
        "uV": 1000.0,
        "V": 0.001,
        "nV": 1e6,
        "microvolts": 1000.0,
        "Millivolt": 1.0,
    }
    assert {u: units_per_mv(u) for u in per_mv} == per_mv
    assert {units_per_mv(u) for u in ("mmHg", "", "bpm", "%", "NU", "?V")} == {None}
