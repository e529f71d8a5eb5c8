"""The Blue Pill's log: its image, unchanged, on the model of its chip, in the chip's own time."""

import json
from pathlib import Path

import numpy as np
import pytest

from einthoven.aami import CLASSES
from einthoven.boards.board import load_board
from einthoven.device_log.copy import LogCopy, sectors_of_image
from einthoven.device_log.description import Device as Identity
from einthoven.device_log.description import DeviceLog
from einthoven.device_log.reader import read_log
from einthoven.errors import UsageError
from einthoven.hil_tests.chips.line import RAILS, Line, agreed, encoded
from einthoven.hil_tests.chips.served import serving
from einthoven.hil_tests.chips.stm32f103 import chip as f1
from einthoven.hil_tests.chips.stm32f103 import cuts
from einthoven.hil_tests.chips.stm32f103.cuts import Life
from einthoven.hil_tests.chips.stm32f103.flash import ERASE_NS
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.replay_runs import run
from einthoven.native.log import Log
from einthoven.native.rhythm import kinds
from einthoven.records.synth import Episode as SynthEpisode
from einthoven.records.synth import make_record

QUIET_S = 10.0
"""Without a host, until it records alone (firmware/logger/ein_logger.c)."""
MINUTE = 60 * 180


@pytest.fixture
def life() -> Life:
    return Life(load_board(cuts.BOARD))


def log_of(life: Life) -> DeviceLog:
    sectors, offsets = sectors_of_image(life.log())
    return read_log(LogCopy(Identity(), sectors, offsets=offsets))


def written_until(free: int) -> bytes:
    """The log's pages after minutes, until so many bytes of the newest are free."""
    log, minute = Log(sectors=3, sector_bytes=1024), 0
    while 1024 - log.about()["next_offset"] > free:
        minute += 1
        log.append("minute", 60_000 * minute, normal=70)
    return bytes(log.image)


def test_alone_it_records_what_the_host_would_say(life: Life) -> None:
    bigeminy = SynthEpisode("bigeminy", 40.0, 60.0)
    life.chip.sampling.samples = make_record(5, 145.0, 180.0, episodes=[bigeminy]).samples
    life.chip.run(QUIET_S + 125.0)
    line = Line(life.chip)
    events, n = agreed(line)
    assert n > 2 * MINUTE and len(events.beats) > 120
    log = log_of(life)
    assert [h.kind for h in log.happenings] == ["boot", "mode"]
    assert len(log.minutes) == 2 and not log.skipped
    for number, minute in enumerate(log.minutes):
        emitted = events.beats["t_emitted"] // MINUTE == number
        labels = events.beats["label"][emitted]
        assert minute.beats == tuple(np.bincount(labels, minlength=len(CLASSES)))
        assert minute.lead_off == 0
    over = [e for e in events.rhythm if e["phase"] == 2 and e["t_emitted"] < n]
    assert {kinds()[e["kind"]] for e in over} >= {"bigeminy"}
    ended = [episode for episode in log.episodes if episode.end is not None]
    assert [e.kind for e in ended] == [kinds()[e["kind"]] for e in over]
    lasted = [(e["end_samples"] - e["begin_samples"]) / 180 for e in over]
    np.testing.assert_allclose([e.seconds or 0.0 for e in ended], lasted, atol=0.002)


def test_the_log_survives_resets_and_a_host_may_come_and_go(life: Life) -> None:
    life.chip.sampling.samples = make_record(5, 180.0, 180.0).samples
    life.chip.run(QUIET_S + 20.0)
    line = Line(life.chip)
    line.ask("start", session=1, mode=0, gain_lsb_per_mv=200, rail_lo=-2048, rail_hi=2047)
    first = [(h.kind, h.at.boot) for h in log_of(life).happenings]
    assert first == [("boot", 2), ("mode", 2), ("mode", 2)], "the host's session ended it"
    assert len(log_of(life).minutes) == 1, "and the minute that it had begun is kept"
    life.chip.run(50.0)
    assert line.ask("poll", events_acked=0)["session"] == 1, "a host may be slow"
    life.chip.run(70.0)
    assert len(log_of(life).happenings) == 4, "but not for ever"
    assert line.ask("poll", events_acked=0)["session"] == 2
    life.chip.coming += encoded("reset")
    life.chip.run(0.1)
    assert line.ask("log_status")["boot"] == 2
    assert len(log_of(life).happenings) == 5, "a reset ends the recording, too"
    life.chip.power_on()
    life.chip.run(QUIET_S + 1.0)
    after = [(h.kind, h.at.boot) for h in log_of(life).happenings]
    assert after[-2:] == [("boot", 3), ("mode", 3)], "a boot that writes nothing is not counted"
    assert line.ask("log_status")["boot"] == 2


def test_an_erase_loses_no_sample_and_no_byte(life: Life) -> None:
    """A page is erased in mid-recording: the core stands still for 40 ms, DMA does not."""
    chip = life.chip
    chip.uc.mem_write(f1.FLASH + life.pages.start, written_until(free=420))
    chip.sampling.samples = make_record(5, 60.0, 180.0).samples
    chip.power_on()
    chip.run(QUIET_S + 15.0)
    assert chip.flash.erased == 0
    line, request = Line(chip), encoded("log_status")
    pass_time, asked = chip.pass_time, []

    def ask_meanwhile(ns: int) -> None:
        if ns == ERASE_NS:
            chip.coming.extend(request)
            asked.append(len(request))
        pass_time(ns)

    chip.flash.spend = ask_meanwhile
    second = 1_700_000_000
    while not asked:
        second += 1
        line.ask("device_time", unix_s=second, ms=0)
    assert line.ask("log_status")["sectors"] == 3, "the request that came during the erase"
    chip.run(20.0)
    events, _ = agreed(line)
    assert len(events.beats) > 30 and chip.flash.erased == 1
    assert "samples_lost" not in {h.kind for h in log_of(life).happenings}
    waited = chip.sampling.most_waiting
    assert 1440 * ERASE_NS * 1e-9 <= waited <= 120, "of 248 that the ring keeps"


def test_minutes_without_contact_are_told_by_two_events(life: Life) -> None:
    ecg = make_record(5, 130.0, 180.0).samples
    off = np.full(round(180.0 * (QUIET_S + 200.0)), RAILS[1], np.int16)
    life.chip.sampling.samples = np.concatenate((off, ecg))
    life.chip.run(QUIET_S + 195.0)
    log = log_of(life)
    assert [h.kind for h in log.happenings] == ["boot", "mode", "contact_lost"]
    assert not log.minutes
    life.chip.run(120.0)
    log = log_of(life)
    assert [h.text for h in log.happenings][3:] == ["contact is back after 180 s"]
    assert len(log.minutes) == 2 and 0 < log.minutes[0].lead_off < 0.5


def einthoven(folder: Path, *words: str) -> str:
    """What it printed and said, in this folder; it must end well."""
    done = run(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_host_fetches_exports_and_clears_it(life: Life, tmp_path: Path) -> None:
    life.chip.sampling.samples = make_record(5, 90.0, 180.0).samples
    life.chip.run(QUIET_S + 65.0)
    with serving(life.chip) as url:
        on = ("blue_pill", "--port", url)
        facts = json.loads(einthoven(tmp_path, "log", "status", *on, "--json"))
        assert (facts["sectors"], facts["bytes"]) == (3, 3072)
        assert "is complete" in einthoven(tmp_path, "log", "fetch", *on)
        einthoven(tmp_path, "log", "export", *on, "--format", "csv")
        (minutes,) = tmp_path.rglob("minutes.csv")
        assert len(minutes.read_text().splitlines()) == 2, "a heading and a minute"
        assert "is deleted" in einthoven(tmp_path, "log", "clear", *on)
    life.chip.run(1.0)
    log = log_of(life)
    assert not log.minutes and "boot" not in {h.kind for h in log.happenings}


def test_it_keeps_no_key(life: Life) -> None:
    with serving(life.chip) as url, Device(url) as device:
        assert not device.keeps_key()


def test_cuts_lose_nothing() -> None:
    found = cuts.cut_power(60, load_board(cuts.BOARD))
    assert found.cuts == 60 and found.lost == [] and found.operations["erase"] >= 10
    assert found.records > 1000 and found.given_up > 500


def test_a_board_without_such_a_log() -> None:
    with pytest.raises(UsageError, match="keeps no log in pages"):
        Life(load_board("qemu_cortex_m3"))
