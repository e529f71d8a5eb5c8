"""A device that works without a computer: the same tests for the process and the emulated chip.

Every device that is a process here, with samples from a file; `--board NAME` takes that one only.
"""

import dataclasses
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.board import Board, build, list_boards, load_board, running
from einthoven.device.spec import load as load_spec
from einthoven.errors import BoardError, UsageError
from einthoven.hil_tests.harness import alone, day
from einthoven.hil_tests.harness.alone import DeviceStatus, set_mode, silence, status
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.lone import STRIP, Lone
from einthoven.records.synth import make_record

pytestmark = pytest.mark.board

DEVICES = [
    name for name in list_boards() if load_board(name).is_device and load_board(name).command
]
PATIENCE_S = 120.0
"""What ends a wait that would never end; no test expects anything within it."""


def with_samples(board: Board, samples: Path, *options: str) -> Board:
    """The board whose front end gives the file's samples, as fast as they can be computed."""
    assert board.command is not None
    words = list(board.command)
    for i, word in enumerate(words):
        if word.startswith("enable=on"):
            words[i] = f"{word},arg=device,arg={samples}"
        elif word == "shift=0":
            words[i] = "shift=0,sleep=off"
    if "{program}" in words[0]:
        words += ["--fast", "--adc", str(samples), *options]
    return dataclasses.replace(board, command=tuple(words))


@pytest.fixture(scope="module", params=DEVICES)
def board(request: pytest.FixtureRequest) -> Board:
    chosen = request.config.getoption("--board")
    if chosen in DEVICES and chosen != request.param:
        pytest.skip(f"--board {chosen}")
    found = load_board(request.param)
    build(found)
    return found


@pytest.fixture(scope="module")
def ecg() -> NDArray[np.int16]:
    """40 s of sinus rhythm, as a board's ADC has it."""
    return make_record(11, 40.0, 180.0).samples


@pytest.fixture
def device(board: Board, ecg: NDArray[np.int16], tmp_path: Path) -> Iterator[Device]:
    path = tmp_path / "ecg.bin"
    ecg.astype("<i2").tofile(path)
    with running(with_samples(board, path)) as url, Device(url) as opened:
        yield opened


@contextmanager
def listening(board: Board) -> Iterator[str]:
    """A device that is alone at first: it prints its banner to nobody."""
    assert board.command is not None
    words = [w.format(program=board.program) for w in board.command if w not in ("--fd", "{fd}")]
    with subprocess.Popen([*words, "--listen", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def wait(device: Device, until: Callable[[DeviceStatus], bool]) -> DeviceStatus:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        now = status(device)
        if until(now):
            return now
    raise AssertionError(f"never came: {now}")


def test_switched_on_it_has_checked_itself(device: Device) -> None:
    now = status(device)
    assert (now.mode, now.faults, now.recordings, now.verdict) == ("ready", (), 0, None)
    assert now.alarms_on == ("asystole",)


def test_a_strip(device: Device) -> None:
    assert set_mode(device, "strip").mode == "strip"
    done = wait(device, lambda now: now.mode == "ready")
    assert done.samples == 30 * 180 and done.samples_lost == 0 and done.recordings == 1
    assert done.verdict in alone.VERDICTS


def test_while_it_records_the_host_is_answered_and_what_would_disturb_is_refused(
    device: Device,
) -> None:
    set_mode(device, "continuous")
    wait(device, lambda now: now.samples > 1000)
    device.info()
    with pytest.raises(BoardError, match="the device is recording: end that first"):
        device.bench(np.zeros((216, 3), np.int8), np.zeros(28, np.int8))
    with pytest.raises(BoardError, match="recording"):
        device.remove_head()
    with pytest.raises(BoardError, match="not from this mode"):
        set_mode(device, "strip")
    before = status(device)
    after = wait(device, lambda now: now.samples > before.samples + 1000)
    assert after.mode == "continuous" and after.samples_lost == 0
    assert set_mode(device, "ready").mode == "ready"
    device.remove_head()


def test_events_of_a_recording_reach_a_host_that_listens(device: Device) -> None:
    set_mode(device, "continuous")
    wait(device, lambda now: now.samples > 3000)
    reply = device.ask("poll", "status", events_acked=0)
    assert reply["next_event"] > 5 and reply["session"] != 0


def test_time(device: Device) -> None:
    assert status(device).unix_s is None
    assert alone.set_time(device, 1_700_000_000.25) is None
    known = status(device).unix_s
    assert known is not None and known >= 1_700_000_000
    moved = alone.set_time(device, 1_700_100_000.0)
    assert moved is not None and 0 < moved <= 100_000


def test_alarms_are_set_raised_and_silenced(board: Board, tmp_path: Path) -> None:
    """Ten seconds of heart, then none: asystole."""
    samples = make_record(11, 60.0, 180.0).samples
    samples[10 * 180 :] = np.random.default_rng(1).integers(-3, 4, len(samples) - 10 * 180)
    path = tmp_path / "asystole.bin"
    samples.astype("<i2").tofile(path)
    with running(with_samples(board, path)) as url, Device(url) as device:
        assert alone.set_alarms(device, ["asystole", "pause"]).alarms_on == ("asystole", "pause")
        with pytest.raises(UsageError, match="no alarm hiccup: there are asystole"):
            alone.set_alarms(device, ["hiccup"])
        set_mode(device, "continuous")
        raised = wait(device, lambda now: "asystole" in now.alarms_raised)
        assert "asystole" not in raised.alarms_silent
        assert "asystole" in alone.silence(device)


def test_alarms_that_were_set_outlast_a_reset(device: Device) -> None:
    assert status(device).alarms_on == ("asystole",)
    alone.set_alarms(device, ["pause", "af"])
    device.reset()
    assert set(status(device).alarms_on) == {"pause", "af"} and status(device).boots == 2
    alone.set_alarms(device, [])
    device.reset()
    assert status(device).alarms_on == ()


def test_no_contact_no_strip(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "open.bin"
    np.full(1800, 2047, "<i2").tofile(path)
    with running(with_samples(board, path)) as url, Device(url) as device:
        set_mode(device, "strip")
        waiting = wait(device, lambda now: now.pattern == "contact_lost" or now.mode == "ready")
        assert not waiting.contact
        done = wait(device, lambda now: now.mode == "ready")
        assert done.recordings == 0 and done.verdict is None


@pytest.mark.parametrize("mode", [0, 4, 9, 255])
def test_no_such_mode(device: Device, mode: int) -> None:
    with pytest.raises(BoardError, match="not from this mode"):
        device.ask("device_mode", "device_status_reply", mode=mode)


def test_the_command_shows_and_sets(
    board: Board,
    ecg: NDArray[np.int16],
    tmp_path: Path,
    einthoven: Callable[..., int],
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "ecg.bin"
    ecg.astype("<i2").tofile(path)
    with running(with_samples(board, path)) as url:

        def run(*words: str) -> tuple[int, dict[str, str], str]:
            code = einthoven("device", board.name, "--port", url, *words)
            out, err = capfd.readouterr()
            rows = [re.split(r"  +", line.strip(), maxsplit=1) for line in out.splitlines()]
            return code, {row[0]: row[-1] for row in rows}, err

        code, said, _ = run("--time", "--alarms", "asystole,af", "--silence")
        assert code == 0 and {"time set", "silenced: nothing sounded"} <= said.keys()
        assert (said["mode"], said["alarms on"]) == ("ready", "asystole, af")
        code, said, _ = run("--mode", "continuous")
        assert (code, said["mode"], said["alarms on"]) == (0, "continuous", "asystole, af")
        for words, told in (
            (("--mode", "strap"), "no mode 'strap'"),
            (("--alarms", "x"), "alarm x"),
        ):
            code, said, err = run(*words)
            assert (code, said, err.count("\n")) == (2, {}, 1) and told in err
        code, said, _ = run("--mode", "ready", "--alarms", "")
        assert (code, said["mode"], said["alarms on"], said["recordings"]) == (0, "ready", "–", "1")


def test_a_board_that_is_no_device_says_so() -> None:
    plain = load_board("host")
    build(plain)
    with running(plain) as url, Device(url) as device:
        for ask in (status, silence, lambda device: set_mode(device, "strip")):
            with pytest.raises(BoardError, match="does nothing alone: its firmware is no device's"):
                ask(device)


# ---- what only a process has: a button, a light and a buzzer ----


def test_a_strip_by_the_button_and_what_is_seen(ecg: NDArray[np.int16], tmp_path: Path) -> None:
    """Switched on, pressed shortly, 30 s held: flashes with each beat, then the verdict."""
    board = load_board("host_device")
    program = build(board)
    for name, text in (("script", "1000 press 200\n55000 end 0\n"), ("panel", "")):
        (tmp_path / name).write_text(text)
    ecg.astype("<i2").tofile(tmp_path / "ecg.bin")
    words: list[str | Path] = ["--listen", "0", "--fast", "--adc", tmp_path / "ecg.bin"]
    words += ["--script", tmp_path / "script", "--panel", tmp_path / "panel"]
    subprocess.run(
        [str(program), *words], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S
    )
    rows = np.loadtxt(tmp_path / "panel", dtype=int)
    during = rows[(rows[:, 0] > 5000) & (rows[:, 0] < 33000)]
    beats = during[during[:, 1] == 1]
    rr_s = np.diff(beats[:, 0]) / 1000
    assert 20 <= len(beats) <= 60 and 0.4 < np.median(rr_s) < 1.5, "a flash a beat"
    assert not during[:, 2].any(), "without a sound"
    after = rows[(rows[:, 0] > 34000) & (rows[:, 0] < 53000)]
    assert after[:, 2].any(), "the verdict sounds"


def test_battery_by_script(tmp_path: Path) -> None:
    """Low: told; empty: the recording ends, and none begins."""
    board = load_board("host_device")
    build(board)
    script = "0 battery 3900\n1000 press 2000\n30000 battery 3500\n100000 battery 3200\n"
    (tmp_path / "script").write_text(script)
    make_record(11, 40.0, 180.0).samples.astype("<i2").tofile(tmp_path / "ecg.bin")
    told = with_samples(board, tmp_path / "ecg.bin", "--script", str(tmp_path / "script"))
    with listening(told) as url, Device(url) as device:
        empty = wait(device, lambda now: now.pattern == "battery_empty")
        assert (empty.mode, empty.battery_percent, empty.recordings) == ("ready", 0, 1)
        with pytest.raises(BoardError, match="the battery is empty"):
            set_mode(device, "strip")


# ---- its log, over time and over cuts of the power: a process, whose flash is a file ----


@pytest.fixture
def lone(tmp_path: Path, ecg: NDArray[np.int16]) -> Lone:
    return Lone(tmp_path, ecg)


def test_a_strip_is_in_the_log_to_the_sample(lone: Lone, ecg: NDArray[np.int16]) -> None:
    lone.live(STRIP)
    (strip,) = lone.log().strips
    assert strip.complete and len(strip.samples) == 30 * 180 and strip.verdict is not None
    twice = np.concatenate([ecg, ecg])
    begins = [i for i in range(len(ecg)) if np.array_equal(twice[i : i + 5400], strip.samples)]
    assert len(begins) == 1, "as the front end gave it"


def test_killed_in_the_middle_of_a_strip_it_comes_back_with_what_it_had(lone: Lone) -> None:
    """At every hundredth byte of a recording's log; whatever was there before stays."""
    lone.live(STRIP)
    first = lone.log().strips[0]
    for cut in range(40, 4000, 360):
        lone.live(STRIP, "--log-cut", str(cut))
    lone.live(STRIP)
    strips = lone.log().strips
    assert np.array_equal(strips[0].samples, first.samples) and strips[0].verdict == first.verdict
    assert strips[-1].complete and len({s.at.boot for s in strips}) == len(strips) > 3


def test_a_stall_as_long_as_an_erase_loses_nothing_and_a_longer_one_says_so(lone: Lone) -> None:
    erase_ms = load_spec().numbers["ring"]["erase_ms"]
    lone.live(f"1000 press 2000\n90000 stall {erase_ms}\n200000 press 2000\n210000 end 0\n")
    assert not [h for h in lone.log().happenings if h.kind == "samples_lost"]
    lone.live(f"1000 press 2000\n90000 stall {2 * erase_ms}\n200000 press 2000\n210000 end 0\n")
    (told,) = [h for h in lone.log().happenings if h.kind == "samples_lost"]
    assert told.at.boot == max(m.at.boot for m in lone.log().minutes)


def test_a_gap_lies_in_the_strip_where_it_was(lone: Lone, ecg: NDArray[np.int16]) -> None:
    lone.live("1000 press 200\n15000 stall 4000\n60000 end 0\n")
    (strip,) = lone.log().strips
    ((begin, number),) = strip.lost
    spare_ms = sum(load_spec().numbers["ring"].values())
    assert abs(number - (4000 - spare_ms) * 180 // 1000) <= 2 and len(strip.samples) == 5400
    # It is found when the ring is looked at again, behind what was taken before the stall.
    assert 11 * 180 < begin < 16 * 180
    kept = np.delete(strip.samples, np.s_[begin : begin + number])
    twice = np.concatenate([ecg, ecg])
    assert any(np.array_equal(twice[i : i + len(kept)], kept) for i in range(len(ecg)))


def test_an_hour_and_a_half_loses_no_sample() -> None:
    """`make day` is the same for 24 hours."""
    found = day.run("host_device", 1.5)
    assert found.faults() == [] and found.minutes == 90 and found.samples == 90 * 60 * 180


def test_what_happened_is_in_the_log(lone: Lone) -> None:
    lone.live("1000 press 2000\n20000 press 200\n70000 press 2000\n80000 end 0\n")
    kinds = [h.kind for h in lone.log().happenings]
    assert kinds[:2] == ["boot", "mode"] and "mark" in kinds
    assert len(lone.log().minutes) == 2
