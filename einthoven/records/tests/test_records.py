"""Records: what is read is what was written, and bad input gets one clear line."""

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from einthoven.errors import RecordError
from einthoven.records import database
from einthoven.records.adc import BoardStream, board_signal, board_to_record_time, to_board
from einthoven.records.annotations import read_annotations, write_annotations
from einthoven.records.checksums import sha256_file
from einthoven.records.database import locate_database, record_names
from einthoven.records.download import find_database
from einthoven.records.rates import rescale_times
from einthoven.records.record import Filed, Known, Record, open_record, read_record, verify_record
from einthoven.records.recording import PIECE

RATES_HZ = (128.0, 250.0, 257.0, 360.0, 500.0, 1000.0)


def write(
    folder: Path,
    name: str = "a",
    *,
    leads: tuple[str, ...] = ("V5", "MLII"),
    fmt: str = "16",
    rate_hz: float = 360.0,
    gain: float = 200.0,
    n: int = 1000,
    units: str = "mV",
) -> NDArray[np.int64]:
    """Write a record of random samples with wfdb; returns them [n, leads]."""
    bits = {"80": 8, "212": 12, "24": 24, "32": 30}.get(fmt, 16)
    rng = np.random.default_rng(1)
    half = (1 << (bits - 1)) - 1
    samples = rng.integers(-half, half, size=(n, len(leads)))
    wfdb.wrsamp(
        name,
        fs=rate_hz,
        units=[units] * len(leads),
        sig_name=list(leads),
        d_signal=samples,
        fmt=[fmt] * len(leads),
        adc_gain=[gain] * len(leads),
        baseline=[7] * len(leads),
        comments=["a comment"],
        write_dir=str(folder),
    )
    return samples


def edit_header(folder: Path, old: str, new: str, name: str = "a") -> None:
    path = folder / f"{name}.hea"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def one_line(error: pytest.ExceptionInfo[RecordError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212"])
def test_reads_what_was_written(tmp_path: Path, fmt: str) -> None:
    samples = write(tmp_path, fmt=fmt)
    record = read_record(tmp_path, "a")
    assert record.lead == "MLII"
    assert record.samples.tolist() == samples[:, 1].tolist()
    assert (record.rate_hz, record.gain_lsb_per_mv, record.baseline_lsb) == (360.0, 200.0, 7)
    assert record.n_samples == 1000
    assert record.comments == ("a comment",)
    assert not record.gain_assumed


def test_lead_is_chosen_by_name_else_the_first_ecg(tmp_path: Path) -> None:
    samples = write(tmp_path, leads=("ABP", "ECG1", "V2"))
    assert read_record(tmp_path, "a").lead == "ECG1"
    by_name = read_record(tmp_path, "a", "v2")
    assert by_name.lead == "V2"
    assert by_name.samples.tolist() == samples[:, 2].tolist()


@pytest.mark.parametrize("lead", ["II", "avF", "V5R", "MLIII", "mod.V1", "D3", "ECG lead II", "vx"])
def test_ecg_leads_are_known_by_their_names(tmp_path: Path, lead: str) -> None:
    write(tmp_path, leads=("RESP", "DBP", "PLETH", lead))
    assert read_record(tmp_path, "a").lead == lead


@pytest.mark.parametrize(
    ("asked", "given"),
    [("V5", "ECG V5"), ("ecg v5", "V5"), ("V5", "Lead V5"), ("lead II", "ECG_II"), ("ECG", "ECG")],
)
def test_a_lead_is_asked_for_with_or_without_the_word_ecg(
    tmp_path: Path, asked: str, given: str
) -> None:
    samples = write(tmp_path, leads=("ECG I", "V5R", given))
    record = read_record(tmp_path, "a", asked)
    assert (record.lead, record.samples.tolist()) == (given, samples[:, 2].tolist())


def test_unknown_lead_lists_those_there_are(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a", "aVF")
    assert "no lead aVF" in one_line(error)
    assert "V5, MLII" in one_line(error)


def test_gain_in_other_units_is_per_mv(tmp_path: Path) -> None:
    write(tmp_path, gain=0.2, units="uV")
    assert read_record(tmp_path, "a").gain_lsb_per_mv == pytest.approx(200.0)
    edit_header(tmp_path, "/uV", "/mmHg")
    with pytest.raises(RecordError, match="mmHg"):
        read_record(tmp_path, "a")


@pytest.mark.parametrize("gain", ["0", "0(7)/mV", ""])
def test_gain_0_is_200_per_mv_and_marked(tmp_path: Path, gain: str) -> None:
    write(tmp_path)
    header = tmp_path / "a.hea"
    stated = "200.0(7)/mV"
    text = header.read_text()
    assert text.count(stated) == 2
    if gain:
        header.write_text(text.replace(stated, gain))
    else:  # a header that ends after the format states no gain either
        rows = [" ".join(s.split()[:2]) if s.startswith("a.dat") else s for s in text.splitlines()]
        header.write_text("\n".join(rows) + "\n")
    assumed = read_record(tmp_path, "a")
    assert (assumed.gain_lsb_per_mv, assumed.gain_assumed) == (200.0, True)
    told = read_record(tmp_path, "a", uncalibrated_gain=150.0)
    assert (told.gain_lsb_per_mv, told.gain_assumed) == (150.0, True)
    known = read_record(tmp_path, "a", known=Known(gain=0.15, units="uV"))
    assert (known.gain_lsb_per_mv, known.gain_assumed) == (150.0, False)


def test_svdb_headers_without_gain_have_the_gain_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, leads=("ECG1", "ECG2"), fmt="212", rate_hz=128.0)
    text = (tmp_path / "a.hea").read_text()
    rows = [
        f"a.dat 212 0 10 0 {' '.join(s.split()[-4:])}" if s.startswith("a.dat") else s
        for s in text.splitlines()
    ]
    (tmp_path / "a.hea").write_text("\n".join(rows) + "\n")
    record = read_record(tmp_path, "a")
    assert (record.gain_lsb_per_mv, record.gain_assumed) == (200.0, True)


def test_rate_0_is_bad_input(tmp_path: Path) -> None:
    write(tmp_path)
    edit_header(tmp_path, "a 2 360 ", "a 2 0 ")
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert "rate is 0" in one_line(error)


@pytest.mark.parametrize("rate", ["-5", "nan", "1e30", "x"])
def test_a_rate_that_wfdb_would_misread_is_bad_input(tmp_path: Path, rate: str) -> None:
    write(tmp_path)
    edit_header(tmp_path, "a 2 360 ", f"a 2 {rate} ")
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert f"rate is {rate}" in one_line(error)


@pytest.mark.parametrize("rate", ["360.", "360/180", "360.000/180.0(7)"])
def test_a_rate_may_have_a_counters_beside_it(tmp_path: Path, rate: str) -> None:
    write(tmp_path)
    edit_header(tmp_path, "a 2 360 ", f"a 2 {rate} ")
    assert read_record(tmp_path, "a").rate_hz == 360.0


def test_a_gain_must_be_finite(tmp_path: Path) -> None:
    write(tmp_path)
    edit_header(tmp_path, "200.0(7)/mV", "1e400(7)/mV")
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert "the gain of signal 0 is 1e400" in one_line(error)


def test_a_negative_gain_turns_the_signal_over(tmp_path: Path) -> None:
    samples = write(tmp_path)
    edit_header(tmp_path, "200.0(7)/mV", "-200.0(7)/mV")
    record = read_record(tmp_path, "a")
    assert (record.gain_lsb_per_mv, record.baseline_lsb) == (200.0, -7)
    assert record.samples.tolist() == (-samples[:, 1]).tolist()
    raw = np.fromfile(tmp_path / "a.dat", dtype="<i2").reshape(-1, 2)
    raw[5, 1] = -32768
    raw.tofile(tmp_path / "a.dat")
    record = read_record(tmp_path, "a", known=Known(checksum=False))
    assert np.flatnonzero(record.samples == record.invalid_lsb).tolist() == [5]


@pytest.mark.parametrize("signals", ["5", "99999999"])
def test_a_header_that_lacks_signals_is_bad_input(tmp_path: Path, signals: str) -> None:
    write(tmp_path)
    edit_header(tmp_path, "a 2 360 ", f"a {signals} 360 ")
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert f"announces {signals} signals" in one_line(error)


@pytest.mark.parametrize("name", ["../a", "/a", "b/../../a", "x" * 300, "a b", "a&b", "."])
def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    with pytest.raises(RecordError) as error:
        record_names(tmp_path, name)
    assert "is no record's name" in one_line(error)


def test_hidden_files_are_no_records(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "._a.hea").write_bytes(b"\0\5\x16\7")  # what macOS leaves on other file systems
    assert record_names(tmp_path, "all") == ["a"]


def damage_missing_header(folder: Path) -> None:
    (folder / "a.hea").unlink()


def damage_missing_signal(folder: Path) -> None:
    (folder / "a.dat").unlink()


def damage_truncated(folder: Path) -> None:
    data = (folder / "a.dat").read_bytes()
    (folder / "a.dat").write_bytes(data[:-1])


def damage_flipped_bit(folder: Path) -> None:
    data = bytearray((folder / "a.dat").read_bytes())
    data[1003] ^= 0x10  # a sample of MLII
    (folder / "a.dat").write_bytes(data)


def damage_checksum(folder: Path) -> None:
    samples = wfdb.rdheader(str(folder / "a")).checksum[1]
    edit_header(folder, f" {samples} 0 MLII", f" {samples + 1} 0 MLII")


def damage_header(folder: Path) -> None:
    (folder / "a.hea").write_text("what is this\n")


def damage_format(folder: Path) -> None:
    edit_header(folder, "a.dat 16 ", "a.dat 999 ")


def damage_empty_header(folder: Path) -> None:
    (folder / "a.hea").write_text("")


def damage_frames(folder: Path) -> None:
    edit_header(folder, "a.dat 16 ", "a.dat 16x4 ")


def damage_segments(folder: Path) -> None:
    (folder / "a.hea").write_text("a/2 2 360 2000\nb 1000\nc 1000\n")


def damage_no_signals(folder: Path) -> None:
    (folder / "a.hea").write_text("a 0 360 1000\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_missing_header, "there is no a.hea"),
        (damage_missing_signal, "a.dat is missing"),
        (damage_truncated, "a.dat is truncated"),
        (damage_flipped_bit, "checksum of lead MLII is wrong"),
        (damage_checksum, "checksum of lead MLII is wrong"),
        (damage_header, "not a WFDB header"),
        (damage_empty_header, "not a WFDB header"),
        (damage_format, "format 999"),
        (damage_frames, "a.dat is truncated"),
        (damage_segments, "segment b is missing"),
        (damage_no_signals, "no signals"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_damaged_records_give_one_clear_line(tmp_path: Path, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path)
    verify_record(tmp_path, "a")
    damage(tmp_path)
    with pytest.raises(RecordError) as error:
        read_record(tmp_path, "a")
    assert words in one_line(error)
    with pytest.raises(RecordError):
        verify_record(tmp_path, "a")


def test_sha256_list_of_the_folder_is_checked(tmp_path: Path) -> None:
    write(tmp_path)
    write_annotations(tmp_path, "a", "atr", [10], ["N"], 360.0)
    files = ("a.hea", "a.dat", "a.atr")
    sums = "".join(f"{sha256_file(tmp_path / f)}  {f}\n" for f in files)
    (tmp_path / "SHA256SUMS").write_text(sums)
    read_record(tmp_path, "a")
    read_annotations(tmp_path, "a")
    # Same 16-bit checksums, other samples: only SHA-256 tells.
    raw = np.fromfile(tmp_path / "a.dat", dtype="<i2").reshape(-1, 2)
    raw[:2, 1] = [raw[0, 1] + 1, raw[1, 1] - 1]
    raw.tofile(tmp_path / "a.dat")
    with pytest.raises(RecordError, match="SHA-256"):
        read_record(tmp_path, "a")
    write_annotations(tmp_path, "a", "atr", [11], ["N"], 360.0)
    with pytest.raises(RecordError, match="SHA-256"):
        read_annotations(tmp_path, "a")


# Selection and search


def test_selection(tmp_path: Path) -> None:
    for name in ("103", "101", "102"):
        write(tmp_path, name)
    assert record_names(tmp_path, "all") == ["101", "102", "103"]
    assert record_names(tmp_path, "103, 101,103") == ["103", "101"]
    (tmp_path / "RECORDS").write_text("103\n101\n")
    assert record_names(tmp_path, "all") == ["103", "101"]
    with pytest.raises(RecordError, match="999 is not in") as error:
        record_names(tmp_path, "101,999")
    one_line(error)
    with pytest.raises(RecordError, match="is not in"):
        record_names(tmp_path, "ds1")
    with pytest.raises(RecordError, match="no record named"):
        record_names(tmp_path, " , ")


def test_a_record_may_be_selected_by_its_file(tmp_path: Path) -> None:
    """`--records x.edf`, and `--data x.edf` says what to say."""
    write(tmp_path, "a")
    (tmp_path / "b.hea.hea").touch()  # a record that is called so
    for name in ("x.edf", "y.Edf", "z.BDF", "day.1.csv"):
        (tmp_path / name).write_text("ECG\n0.1\n")
    assert record_names(tmp_path, "a.hea,a.dat,b.hea") == ["a", "b.hea"]
    assert record_names(tmp_path, "x.edf,y.Edf,z.BDF,day.1.csv") == ["x", "y", "z", "day.1"]
    assert record_names(tmp_path, "all") == ["a", "b.hea", "day.1", "x", "y", "z"]
    with pytest.raises(RecordError, match=r"record x\.csv is not in"):
        record_names(tmp_path, "x.csv")
    with pytest.raises(RecordError, match=f"is a file: say --data {tmp_path} --records day.1$"):
        locate_database(tmp_path / "day.1.csv")


def test_records_in_a_folder_per_patient(tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    samples = write(tmp_path / "p1")
    write_annotations(tmp_path, "p1/a", "atr", [5], ["N"], 360.0)
    assert record_names(tmp_path, "all") == ["p1/a"]
    assert read_record(tmp_path, "p1/a").samples.tolist() == samples[:, 1].tolist()
    assert read_annotations(tmp_path, "p1/a").samples.tolist() == [5]


def test_a_list_of_records_may_list_folders(tmp_path: Path) -> None:
    for folder in ("p1", "p2", "p3/deep"):
        (tmp_path / folder).mkdir(parents=True)
        write(tmp_path / folder)
        write(tmp_path / folder, "b")
    (tmp_path / "p1" / "RECORDS").write_text("b\n")
    (tmp_path / "RECORDS").write_text("p1/\np2\np3/deep/a\n")
    assert record_names(tmp_path, "all") == ["p1/b", "p2/a", "p2/b", "p3/deep/a"]
    assert record_names(tmp_path, "p2/*,p3/deep/a") == ["p2/a", "p2/b", "p3/deep/a"]
    with pytest.raises(RecordError, match=r"no record in .* fits x"):
        record_names(tmp_path, "x*")
    (tmp_path / "mine").write_text("p1/b # good\n\n p2/?, p1/b\n")
    assert record_names(tmp_path, f"@{tmp_path / 'mine'}") == ["p1/b", "p2/a", "p2/b"]
    with pytest.raises(RecordError, match=r"list of records .* cannot be read"):
        record_names(tmp_path, f"@{tmp_path / 'nothing'}")


def test_segments_are_no_records_of_their_own(tmp_path: Path) -> None:
    for name in ("s1", "s2", "other"):
        write(tmp_path, name)
    (tmp_path / "m.hea").write_text("m/3 2 360 2100\ns1 1000\n~ 100\ns2 1000\n")
    assert record_names(tmp_path, "all") == ["m", "other"]
    assert record_names(tmp_path, "s1") == ["s1"]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No records anywhere but where the test puts them, and no network."""
    monkeypatch.delenv("EINTHOVEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("EINTHOVEN_PHYSIONET", "http://127.0.0.1:9")
    monkeypatch.setattr(database, "ROOT", tmp_path / "checkout")
    return tmp_path


def test_databases_are_found_in_order(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        "cache": nowhere / "cache" / "einthoven" / "records" / "mitdb",
        "shared": nowhere / "shared" / "data" / "mitdb",
        "env": nowhere / "env" / "mitdb",
        "data": nowhere / "data" / "mitdb",
    }
    assert locate_database(None) is None
    for place in places.values():
        place.mkdir(parents=True)
        write(place)
    assert find_database(places["data"].parent) == places["data"]
    assert find_database(places["data"]) == places["data"]
    monkeypatch.setenv("EINTHOVEN_DATA", str(places["env"].parent))
    assert find_database(None) == places["env"]
    monkeypatch.setenv("EINTHOVEN_DATA", str(places["env"]))
    assert find_database(None) == places["env"]
    assert locate_database(None, "nstdb") is None
    monkeypatch.delenv("EINTHOVEN_DATA")
    assert find_database(None) == places["shared"]
    shutil.rmtree(nowhere / "shared")
    assert find_database(None) == places["cache"]
    (places["cache"] / "RECORDS").write_text("a\nb\n")
    assert locate_database(None) is None


def test_a_named_folder_without_records_is_an_error(nowhere: Path) -> None:
    for folder in (nowhere, nowhere / "missing"):
        with pytest.raises(RecordError) as error:
            find_database(folder)
        assert str(folder) in one_line(error)


# What the board gets


def sine(rate_hz: float, seconds: float, hz: float, offset_lsb: int = 1024) -> Record:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    counts = offset_lsb + 20_000 * np.sin(2 * np.pi * hz * t)
    return Record(
        "sine", "MLII", rate_hz, 20_000.0, offset_lsb, np.rint(counts).astype(np.int32), None
    )


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_half_an_hour_does_not_drift(rate_hz: float) -> None:
    board = to_board(sine(rate_hz, 1800.0, 10.0), 180.0, 10_000.0, 16)
    assert len(board) == 1800 * 180
    expected = 10_000 * np.sin(2 * np.pi * 10.0 * np.arange(len(board)) / 180.0)
    # The filter's passband has 0.1 % of ripple; a drift of one sample would be 3,400 counts.
    middle = slice(100, -100)
    assert np.abs(board - expected)[middle].max() < 15
    # At the ends the filter sees the first and last value held, not a step to the offset.
    assert np.abs(board - expected).max() < 1_500


@pytest.mark.parametrize("rate_hz", [257.0, 360.0, 1000.0])
def test_what_a_board_could_not_sample_is_filtered_out(rate_hz: float) -> None:
    board = to_board(sine(rate_hz, 20.0, 122.0), 180.0, 10_000.0, 16)
    assert np.abs(board[100:-100]).max() < 100


def test_an_offset_leaves_no_transient_at_the_ends() -> None:
    flat = Record("flat", "I", 360.0, 200.0, 0, np.full(5000, 1500, dtype=np.int32), None)
    assert set(to_board(flat, 180.0, 200.0, 12).tolist()) == {1500}


def test_board_clips_and_shows_missing_samples_as_its_low_rail() -> None:
    counts = np.full(3600, 100, dtype=np.int32)
    counts[360:720] = 30_000
    counts[1800:2160] = -32_768
    counts[:4] = -32_768
    board = to_board(Record("r", "I", 360.0, 200.0, 0, counts, -32_768), 180.0, 200.0, 12)
    assert board.min() == -2048
    assert board.max() == 2047
    assert (board[200:350] == 2047).all()
    assert (board[900:1080] == -2048).all()
    assert (board[:2] == -2048).all()
    # Nothing rings into the samples that are there.
    assert set(board[1080:].tolist()) == {100}
    assert set(board[400:900].tolist()) == {100}


def test_a_record_without_any_value_has_no_offset_either() -> None:
    counts = np.full(3600, -32_768, dtype=np.int32)
    signal = board_signal(Record("r", "I", 360.0, 200.0, 50, counts, -32_768), 180.0, 200.0, 12)
    assert (signal.samples == -2048).all()
    assert (signal.coupled, signal.offset_mv) == (False, 0.0)


def test_gain_and_baseline_are_the_boards() -> None:
    record = Record("r", "I", 180.0, 400.0, 1000, np.array([1000, 1400, 600], np.int32), None)
    assert to_board(record, 180.0, 100.0, 12).tolist() == [0, 100, -100]
    assert to_board(record, 180.0, 100.0, 12).dtype == np.int16


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("rate_hz", [180.0, 360.0])
def test_a_record_in_its_file_is_sampled_as_one_in_memory(
    tmp_path: Path, upside_down: bool, rate_hz: float
) -> None:
    """Piece by piece, although values are missing where pieces meet, and a signal is skewed."""
    n = 3 * PIECE + 1000
    counts = np.random.default_rng(2).integers(-900, 900, (n, 2))
    for first in (0, PIECE - 5, 2 * PIECE, n - 3):
        counts[first : first + 10] = -2048
    wfdb.wrsamp(
        "a", fs=rate_hz, units=["mV"] * 2, sig_name=["V5", "MLII"], d_signal=counts,
        fmt=["212"] * 2, adc_gain=[200.0] * 2, baseline=[7] * 2, write_dir=str(tmp_path),
    )  # fmt: skip
    edit_header(tmp_path, " 212 ", " 212:3 ")
    filed = open_record(tmp_path, "a", known=Known(gain=-150.0 if upside_down else None))
    assert isinstance(filed, Filed) and filed.n_samples == n
    stream = BoardStream(filed, 180.0, 200.0, 12)
    pieces = list(stream.pieces())
    assert max(len(piece) for piece in pieces) <= 2 * PIECE < n
    whole = board_signal(filed.whole(), 180.0, 200.0, 12)
    assert np.concatenate(pieces).tobytes() == whole.samples.tobytes()
    assert stream.n_samples == len(whole.samples)
    assert (stream.gaps, stream.coupled) == (whole.gaps, whole.coupled)
    assert stream.offset_mv == whole.offset_mv != 0.0
    held = np.where(counts[:, 1] == -2048, 7, counts[:, 1])
    assert abs(stream.offset_mv) == pytest.approx(
        abs(np.median(held) - 7) / filed.gain_lsb_per_mv, abs=0.02
    )


def test_an_empty_record_is_no_samples() -> None:
    record = Record("r", "I", 360.0, 400.0, 0, np.zeros(0, np.int32), None)
    assert len(to_board(record, 180.0, 100.0, 12)) == 0


@given(rate_hz=st.sampled_from(RATES_HZ), times=st.lists(st.integers(0, 100_000_000), max_size=20))
def test_times_map_back_to_within_half_a_sample(rate_hz: float, times: list[int]) -> None:
    record = Record("r", "I", rate_hz, 1.0, 0, np.zeros(1, np.int32), None)
    back = board_to_record_time(times, record, 180.0)
    for t, r in zip(times, back.tolist(), strict=True):
        assert abs(Fraction(t) * Fraction(rate_hz) / 180 - r) <= Fraction(1, 2)


def test_halves_round_up() -> None:
    assert rescale_times(np.array([0, 1, 2, 3]), Fraction(1, 2)).tolist() == [0, 1, 1, 2]


# Annotations


@settings(max_examples=30)
@given(
    steps=st.lists(st.integers(0, 200_000), max_size=40),
    symbols=st.lists(st.sampled_from("NLRAaJSVEFejQf/"), min_size=40, max_size=40),
    rate_hz=st.sampled_from([128.0, 257.0, 360.0]),
)
def test_annotations_come_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], symbols: list[str], rate_hz: float
) -> None:
    folder = tmp_path_factory.mktemp("ann")
    times = np.cumsum(np.array(steps, dtype=np.int64))
    path = write_annotations(folder, "100", "ein", times, symbols[: len(times)], rate_hz)
    assert path == folder / "100.ein"
    back = read_annotations(folder, "100", "ein")
    assert back.samples.tolist() == times.tolist()
    assert back.symbols.tolist() == symbols[: len(times)]
    assert back.rate_hz == (rate_hz if len(times) else None)
    assert [p.name for p in folder.iterdir()] == ["100.ein"]


def decode_mit_annotations(data: bytes) -> list[tuple[int, int, str]]:
    """(time, code, aux) by the letter of annot(5), independent of the package that wrote it."""
    marks: list[tuple[int, int, str]] = []
    time = at = 0
    while True:
        word = int.from_bytes(data[at : at + 2], "little")
        at += 2
        code, value = word >> 10, word & 0x3FF
        if word == 0:
            assert at == len(data)
            return marks
        if code == 59:  # SKIP: four bytes, the high half first
            high, low = data[at : at + 2], data[at + 2 : at + 4]
            time += int.from_bytes(low + high, "little", signed=True)
            at += 4
        elif code == 63:  # AUX: a text, padded to an even length
            marks[-1] = (*marks[-1][:2], data[at : at + value].decode("ascii"))
            at += value + value % 2
        elif code < 50:
            time += value
            marks.append((time, code, ""))


def test_annotation_files_follow_the_format_to_the_letter(tmp_path: Path) -> None:
    times = [0, 5, 1028, 1029, 2053, 70_000, 649_999, 5_000_000]
    path = write_annotations(
        *(tmp_path, "100", "ein", times, list("NVAFQ/NV"), 360.0),
        aux=["(N", *[""] * 5, "(AFIB", ""],
    )
    first, *rest = decode_mit_annotations(path.read_bytes())
    assert first == (0, 22, "## time resolution: 360")  # a NOTE, which WFDB's library reads
    beats = [mark for mark in rest if mark[1] != 0]
    codes = [1, 5, 8, 6, 13, 12, 1, 5]  # ecgcodes.h
    aux = ["(N", *[""] * 5, "(AFIB", ""]
    assert beats == list(zip(times, codes, aux, strict=True))


def test_annotation_errors_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"no annotations 100\.atr") as error:
        read_annotations(tmp_path, "100")
    one_line(error)
    write_annotations(tmp_path, "100", "atr", [10, 300], ["N", "V"], 360.0)
    whole = (tmp_path / "100.atr").read_bytes()
    (tmp_path / "100.atr").write_bytes(whole[:-2])
    with pytest.raises(RecordError, match="truncated"):
        read_annotations(tmp_path, "100")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RecordError, match="cannot write") as error:
        write_annotations(tmp_path / "file", "100", "ein", [1], ["N"], 360.0)
    one_line(error)
    with pytest.raises(RecordError, match="cannot write"):
        write_annotations(tmp_path, "100", "ein", [20, 10], ["N", "N"], 360.0)
    for note in ("n" * 256, "धड़कन"):
        with pytest.raises(RecordError, match="255 characters of Latin-1") as error:
            write_annotations(tmp_path, "100", "ein", [10, 20], ["+", "N"], 360.0, aux=[note, ""])
        one_line(error)
    assert not (tmp_path / "100.ein").exists()
    write_annotations(tmp_path, "100", "ein", [10, 20], ["+", "N"], 360.0, aux=["é" * 255, ""])
    read = read_annotations(tmp_path, "100", "ein")
    assert read.samples.tolist() == [10, 20] and read.aux == ("é" * 255, "")


# Real records


@pytest.mark.records
def test_every_mitdb_record_reads_and_verifies(mitdb: Path) -> None:
    names = record_names(mitdb, "all")
    assert len(names) == 48
    leads = {}
    for name in names:
        record = read_record(mitdb, name)
        leads[name] = record.lead
        assert (record.n_samples, record.rate_hz) == (650_000, 360.0)
        assert (record.gain_lsb_per_mv, record.baseline_lsb) == (200.0, 1024)
    # Record 114 has its signals swapped, 102 and 104 have no MLII.
    assert {n: lead for n, lead in leads.items() if lead != "MLII"} == {"102": "V5", "104": "V5"}


@pytest.mark.records
def test_nstdb_noises_are_uncalibrated(nstdb: Path) -> None:
    assert read_record(nstdb, "em").gain_assumed
    noise = read_record(nstdb, "em", "noise2", uncalibrated_gain=200.0)
    assert (noise.n_samples, noise.gain_assumed) == (650_000, True)
    assert read_record(nstdb, "118e00").rate_hz == 360.0


# The front end


def ecg_like(offset_mv: float, seconds: float = 60.0, rate_hz: float = 250.0) -> Record:
    """A spike a second on an offset, in counts of a 24-bit ADC."""
    mv = np.zeros(round(seconds * rate_hz)) + offset_mv
    for at in range(100, len(mv) - 10, round(rate_hz)):
        mv[at : at + 10] += np.hanning(10)
    counts = np.rint(mv * 10_000).astype(np.int32)
    return Record("o", "I", rate_hz, 10_000.0, 0, counts, None)


@pytest.mark.parametrize("offset_mv", [15.0, -150.0, 300.0])
def test_an_offset_that_the_adc_cannot_hold_is_taken_off(offset_mv: float) -> None:
    signal = board_signal(ecg_like(offset_mv), 180.0, 200.0, 12)
    plain = board_signal(ecg_like(0.0), 180.0, 200.0, 12)
    assert signal.coupled and not plain.coupled
    assert signal.offset_mv == pytest.approx(offset_mv, abs=0.01)
    # What is left differs by what a high-pass at 0.05 Hz does to the spikes' mean.
    assert np.abs(signal.samples.astype(int) - plain.samples).max() <= 20
    assert core_peaks(signal.samples) == core_peaks(plain.samples)


def core_peaks(samples: NDArray[np.int16]) -> list[int]:
    return np.flatnonzero(samples > 0.6 * samples.max()).tolist()


@pytest.mark.parametrize("offset_mv", [0.0, 4.0, -9.0])
def test_what_the_adc_can_hold_stays_as_it_is(offset_mv: float) -> None:
    signal = board_signal(ecg_like(offset_mv), 250.0, 200.0, 12)
    assert not signal.coupled
    expected = np.rint(ecg_like(offset_mv).samples / 50).astype(int)
    assert np.abs(signal.samples - expected).max() <= 1


def test_a_lead_that_is_off_or_moves_is_no_offset() -> None:
    record = ecg_like(0.0)
    record.samples[:8000] = 400_000  # 32 of 60 s at a rail
    signal = board_signal(record, 250.0, 200.0, 12)
    assert not signal.coupled and (signal.samples[:8000] == 2047).all()
    record = ecg_like(0.0)
    t = np.arange(record.n_samples) / record.rate_hz
    wander = np.where(t > 30, 120_000 * np.sin(2 * np.pi * t / 20), 0)
    record.samples[:] += np.rint(wander).astype(np.int32)
    assert not board_signal(record, 250.0, 200.0, 12).coupled


def test_gaps_are_where_their_time_is() -> None:
    record = replace(ecg_like(0.0), gaps=((1000, 500), (2000, 1), (14_990, 10)))
    signal = board_signal(record, 180.0, 200.0, 12)
    assert signal.gaps == ((720, 360), (1440, 1), (10_793, 7))
    assert (signal.samples[720:1080] == -2048).all()
