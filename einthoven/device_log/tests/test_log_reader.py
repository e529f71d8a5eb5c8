"""Logs written by the device's own C, in memory, and read: whole, torn, cut, foreign."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from einthoven.device_log.beats import with_beats
from einthoven.device_log.copy import MAGIC, CopyFile, LogCopy, Place, read_copy
from einthoven.device_log.description import Device, Moment
from einthoven.device_log.happenings import RESETS, happening_text
from einthoven.device_log.reader import read_log
from einthoven.device_log.testing import device_written_log
from einthoven.device_log.times import Clock
from einthoven.errors import EinthovenError
from einthoven.native import log as native
from einthoven.native.log import Log, LogError
from einthoven.native.log_spec import load
from einthoven.native.rhythm import kinds
from einthoven.wire.schema import schema

DEVICE = Device("host_device", "D-1", "1.0", "residual", "", (-2048, 2047), 200)


def copied(log: Log, device: Device = DEVICE) -> LogCopy:
    """All that the log gives, as a fetch would take it."""
    copy = LogCopy(device)
    at = Place(0, 0)
    while True:
        sequence, offset, content = log.read(at.sequence, at.offset, 240)
        if not content:
            return copy
        copy.add(Place(sequence, offset), content)
        at = Place(sequence, offset + len(content))


def test_what_the_device_wrote_is_read() -> None:
    log, samples, told = device_written_log()
    read = read_log(copied(log))
    assert read.skipped == [] and read.notes == {} and read.given_up == 0
    (strip,) = read.strips
    np.testing.assert_array_equal(strip.samples, samples)
    assert strip.verdict == told
    assert strip.at.seconds == 70.25 and strip.complete and strip.lost == ()
    assert (strip.rate_hz, strip.lsb_per_mv) == (180.0, 200.0)
    assert with_beats(read).strips[0].confirmed is True
    assert [m.beats for m in read.minutes] == [(70, 1, 2, 0, 0), (64, 0, 0, 0, 1)]
    assert [m.rr_mean_ms for m in read.minutes] == [856.0, None]
    assert [m.alarm for m in read.minutes] == [None, "alarm: extreme bradycardia"]
    assert [m.readable for m in read.minutes] == [1.0, 0.5]
    boot = read.minutes[0].at.boot
    (af,) = [e for e in read.episodes if e.kind == "atrial fibrillation"]
    assert (af.begin, af.end) == (Moment(boot, 130.5), Moment(boot, 145.25))
    assert sum(m.fibrillation for m in read.minutes) * 60 == pytest.approx(14.75)
    open_one = next(e for e in read.episodes if e.kind == "tachycardia")
    assert open_one.end is None
    assert [h.text for h in read.happenings][:2] == ["switched on", "told the time"]
    assert read.happenings[-1].text == "started again by its watchdog: it had hung"
    assert read.happenings[-1].at.boot == boot + 1
    when = Clock.of(read).at(Moment(boot, 61.0))
    assert when is not None and when.timestamp() == 1_790_000_000.0


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.int16, st.integers(1, 1500), elements=st.integers(-32768, 32767)),
    st.integers(0, 65535),
)
def test_any_samples_come_back_from_the_devices_code(samples: np.ndarray, number: int) -> None:
    log = Log(sectors=4, sector_bytes=8192)
    log.ecg(number, samples, 1000)
    log.append("strip", 2000, number=number, samples=len(samples), verdict=255, gain_lsb_per_mv=1)
    (strip,) = read_log(copied(log)).strips
    np.testing.assert_array_equal(strip.samples, samples)
    assert strip.number == number and strip.complete


@pytest.fixture(scope="module")
def written() -> LogCopy:
    return copied(device_written_log()[0])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damage_is_said_and_costs_what_it_hits(written: LogCopy, data: st.DataObject) -> None:
    (sequence,) = written.sectors
    whole = bytes(written.sectors[sequence])
    at = data.draw(st.integers(load().format["header_bytes"], len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    torn = bytearray(whole)
    torn[at] ^= flip
    before, after = native.scan(whole), native.scan(bytes(torn))
    assert before is not None and after is not None
    kept = {(r.offset, r.payload) for r in after.records}
    gone = {(r.offset, r.payload) for r in before.records} - kept
    assert len(gone) <= 1  # padding may be hit
    read = read_log(LogCopy(DEVICE, {sequence: torn}))
    if gone:
        assert read.skipped
        assert any(s.offset <= at < s.offset + s.size for s in read.skipped)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_read_without_a_fault(content: bytes) -> None:
    log = device_written_log()[0]
    header = log.sectors[0][:32]
    for sector in (content, header + content):
        read_log(LogCopy(DEVICE, {1: bytearray(sector)}))


def test_a_recording_that_ends_within_a_minute_counts_for_what_it_lasted() -> None:
    log = Log()
    mode = load().events["mode"]
    log.append("event", 100_000, event=mode, detail=3)
    log.append("minute", 160_000, normal=70, good_s=60)
    log.append("minute", 185_000, normal=20, good_s=20, lead_off_s=5)
    log.append("event", 185_000, event=mode, detail=1)
    log.append("event", 300_000, event=mode, detail=3)
    log.append("minute", 310_000, normal=9, good_s=10)
    minutes = read_log(copied(log)).minutes
    assert [(m.at.seconds, m.seconds) for m in minutes] == [(100, 60), (160, 25), (300, 10)]
    assert [m.readable for m in minutes] == [1.0, 0.8, 1.0]


def test_a_strip_that_was_cut_off_has_no_verdict() -> None:
    samples = device_written_log()[1]
    log = Log()
    log.ecg(9, samples[:3000], 80_000)
    (strip,) = read_log(copied(log)).strips
    assert strip.verdict is None and not strip.complete
    np.testing.assert_array_equal(strip.samples, samples[:3000])
    assert strip.lsb_per_mv == DEVICE.lsb_per_mv


def test_a_piece_that_is_torn_is_a_gap() -> None:
    log, samples, _ = device_written_log()
    sector = bytearray(log.sectors[0])
    found = native.scan(bytes(sector))
    assert found is not None
    code = next(k.code for k in load().kinds if k.name == "ecg")
    piece = [r for r in found.records if r.kind == code][2]
    sector[piece.offset + 20] ^= 0x40
    (strip,) = read_log(LogCopy(DEVICE, {1: sector})).strips
    ((first, number),) = strip.lost
    assert not strip.complete and number > 100
    kept = np.ones(len(samples), dtype=bool)
    kept[first : first + number] = False
    np.testing.assert_array_equal(strip.samples[kept], samples[kept])


def test_a_full_log_gives_up_its_oldest_and_says_how_many() -> None:
    log = Log(sectors=3, sector_bytes=4096)
    for i in range(1000):
        log.append("minute", 60_000 * i, normal=i % 200, good_s=60)
    read = read_log(copied(log))
    assert len(read.minutes) + read.given_up >= 1000
    assert read.given_up > 0
    assert read.minutes[-1].beats[0] == 999 % 200


def test_what_was_cleared_is_not_told() -> None:
    log = device_written_log()[0]
    log.clear(200_000)
    log.append("event", 201_000, event=5)
    read = read_log(copied(log))
    assert read.strips == [] and read.minutes == []
    assert [h.text for h in read.happenings] == ["switched off by its button"]


def test_the_image_of_a_flash_is_read_too(tmp_path: Path) -> None:
    log, samples, _ = device_written_log()
    path = tmp_path / "flash.bin"
    path.write_bytes(b"\xff" * 8192 + bytes(log.image))
    read = read_log(read_copy(path))
    np.testing.assert_array_equal(read.strips[0].samples, samples)
    assert read.device == Device()


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 5000, b"\x7fELF" + b"\0" * 9000, MAGIC, MAGIC + b"{}"]
)
def test_a_foreign_file_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(content)
    with pytest.raises(EinthovenError) as raised:
        read_copy(path)
    assert "\n" not in str(raised.value) and str(path) in str(raised.value)


@pytest.mark.parametrize(
    "header", [b"[]", b'{"serial": 7}', b'{"rails": 1}', b"\xff{", b"9" * 5000]
)
def test_a_damaged_header_is_one_clear_line(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(MAGIC + header + b"\n")
    with pytest.raises(LogError, match="first lines"):
        read_copy(path)


def test_a_copy_goes_on_wherever_it_was_cut(tmp_path: Path) -> None:
    log = device_written_log()[0]
    path = tmp_path / "x.log"
    with CopyFile(path, DEVICE) as file:
        for sequence, content in copied(log).sectors.items():
            for at in range(0, len(content), 240):
                file.add(Place(sequence, at), bytes(content[at : at + 240]))
    whole = path.read_bytes()
    expected = read_copy(path)
    for cut in [*range(len(whole) - 260, len(whole)), len(whole) // 2]:
        path.write_bytes(whole[:cut])
        with CopyFile(path, DEVICE) as file:
            end = file.copy.end
            assert end is not None and end <= (expected.end or end)
            rest = bytes(expected.sectors[end.sequence][end.offset :])
            if rest:
                file.add(end, rest)
        again = read_copy(path)
        assert again.sectors == expected.sectors and again.torn == 0
    path.write_bytes(whole[: len(MAGIC) + 5])
    with pytest.raises(LogError, match="first lines"), CopyFile(path, DEVICE):
        pass


def test_a_copy_is_of_one_device(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with CopyFile(path, DEVICE):
        pass
    other = Device("host_device", "D-2")
    with pytest.raises(LogError, match="holds the log of host-device-D-1"):
        CopyFile(path, other)
    assert json.loads(path.read_bytes().splitlines()[1])["serial"] == "D-1"


def test_every_event_and_reset_has_words() -> None:
    assert set(RESETS) == set(schema().enums["reset_reason"])
    for code in load().events.values():
        assert "does not know" not in happening_text(code, 0, 0, 3700)[1]
    assert happening_text(99, 1, 2, 0)[1].startswith("an event that this version does not know")
    assert happening_text(12, kinds().index("alarm: extreme bradycardia"), 0, 0)[1].endswith(
        "extreme bradycardia"
    )
