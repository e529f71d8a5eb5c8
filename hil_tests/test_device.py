"""What a board must do on a good link."""

import os
import subprocess
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.board import build, load_board
from einthoven.errors import BoardError, ModelError
from einthoven.hil_tests.harness.channel import Channel
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.session import Session
from einthoven.native import core, disturbance
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel
from einthoven.native.events import SIGNAL_STATE
from einthoven.native.gate import Gate
from einthoven.native.strip import Strip
from einthoven.native.vote import Vote
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder
from einthoven.wire.schema import schema

pytestmark = pytest.mark.board
KEPT = 32
"""EIN_OUTBOX_EVENTS."""


def test_hello_tells_who_it_is(device: Device, request: pytest.FixtureRequest) -> None:
    board = load_board(request.config.getoption("--board"))
    who = device.hello
    assert (who.board, who.count_unit) == (board.name, board.count_unit)
    assert (who.adc_bits, who.gain_lsb_per_mv) == (board.adc_bits, board.gain_lsb_per_mv)
    assert who.pipeline_sha256 == core.pipeline_sha256()
    assert who.rate_hz == core.rate_hz()
    assert who.classes == ("N", "S", "V", "F", "Q")
    assert who.rail_lo < 0 < who.rail_hi


def test_another_model_or_pipeline_is_refused(device: Device, board_url: str) -> None:
    who = device.hello
    device.close()
    with Device(
        board_url,
        expect_model_sha256=who.model_sha256,
        expect_pipeline_sha256=who.pipeline_sha256,
    ):
        pass
    with pytest.raises(ModelError, match=r"has model .* flash the firmware"):
        Device(board_url, expect_model_sha256="0" * 64)
    with pytest.raises(ModelError, match=r"has pipeline .* flash the firmware"):
        Device(board_url, expect_pipeline_sha256="0" * 64)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "another"}, "where another's board.toml says another"),
        ({"count_unit": "none"}, "says none"),
        ({"adc_bits": 24}, "says 24"),
        ({"gain_lsb_per_mv": 7}, "says 7"),
    ],
)
def test_a_board_that_is_not_what_its_file_says_is_refused(
    request: pytest.FixtureRequest, board_url: str, changed: dict[str, Any], words: str
) -> None:
    board = load_board(request.config.getoption("--board"))
    with Device(board_url, expect_board=board):
        pass
    with pytest.raises(BoardError, match=words):
        Device(board_url, expect_board=replace(board, **changed))


def assert_like_host(device: Device, samples: NDArray[np.int16], gain: int = 200) -> None:
    """Every event of the board equals that of the same code on the host, logits and tensors too."""
    rails = (device.hello.rail_lo, device.hello.rail_hi)
    shown: list[int] = []
    replayed = device.replay(samples, progress=shown.append, gain_lsb_per_mv=gain)
    running = core.Core(gain, rails)
    beats = running.whole(samples)
    model, stage, gate = HostModel(), Strip(), Gate()
    passed = gate.passes(beats)
    embedding = model.embed(beats.signal, beats.features)
    logits = model.head(embedding)
    logits[passed] = gate.logits
    logits = Vote().of(logits, beats)
    confidence, doubtful = Confidence().of(logits, beats.flags)
    label, unsure = stage.gate(
        beats.t_samples, logits.argmax(axis=1), confidence, doubtful, len(samples)
    )
    found = [event for event in replayed.events if event.name == "beat"]
    assert [event["number"] for event in replayed.events] == list(range(len(replayed.events)))
    for name, expected in {
        "t_samples": beats.t_samples,
        "t_emitted": beats.t_emitted,
        "flags": beats.flags | np.where(passed, core.FLAG_PASSED, 0),
        "rr_prev_samples": beats.rr_prev_samples,
        "rr_next_samples": beats.rr_next_samples,
        "label": label,
        "confidence": confidence,
        "unsure": unsure,
    }.items():
        assert [event[name] for event in found] == np.asarray(expected).tolist(), name
    assert [list(event["logits"]) for event in found] == logits.tolist()
    assert [event["tensor_crc"] for event in found] == [
        zlib.crc32(signal.tobytes() + features.tobytes())
        for signal, features in zip(beats.signal, beats.features, strict=True)
    ]
    verdict, _ = stage.verdict(
        beats, logits, embedding, label, unsure, running.templates(), len(samples)
    )
    assert replayed.verdict == verdict
    states = [(e["t_samples"], e["flags"]) for e in replayed.events if e.name == "signal"]
    of_core = np.zeros(len(beats.signal_events), dtype=SIGNAL_STATE)
    of_core["t_samples"], of_core["flags"] = beats.signal_events.T
    both = disturbance.joined(of_core, disturbance.states(samples, gain, rails))
    assert states == [tuple(state) for state in both.tolist()]
    assert shown == sorted(shown) and shown[-1] == len(samples)
    assert replayed.info["samples"] == len(samples)
    assert replayed.info["inferences"] == int((~passed).sum())


def test_replay_gives_the_events_of_the_host(
    board_url: str, patient: tuple[float, ...], signal: NDArray[np.int16]
) -> None:
    with Device(board_url, timeouts_s=patient) as device:
        assert_like_host(device, signal)
        assert device.link.retries == device.link.bytes_lost == device.link.resets == 0
        assert device.link.times_real_time > 0


def test_records_do_not_leave_anything_behind(device: Device, signal: NDArray[np.int16]) -> None:
    assert_like_host(device, signal[:4000])
    assert_like_host(device, (signal // 2).astype(np.int16), gain=100)
    assert_like_host(device, signal[:4000])


@pytest.mark.parametrize("n", [0, 1, 100])
def test_short_records(device: Device, signal: NDArray[np.int16], n: int) -> None:
    replayed = device.replay(signal[:n])
    assert replayed.info["samples"] == n


def test_more_events_than_the_board_can_keep(board_url: str, patient: tuple[float, ...]) -> None:
    """QRS-like spikes 210 ms apart, faster than any heart: flow control, not loss."""
    samples = np.zeros(180 * 40, dtype=np.int16)
    for offset, height in enumerate((60, 240, 400, 240, -80)):
        samples[200 + offset :: 38] = height
    with Device(board_url, timeouts_s=patient) as device:
        assert_like_host(device, samples)
        assert device.link.bytes_lost == device.link.retries == 0


def test_incompressible_samples(device: Device) -> None:
    noise = np.random.default_rng(5).integers(-2000, 2000, 6000).astype(np.int16)
    assert_like_host(device, noise)


@pytest.mark.records
def test_a_real_record(device: Device, mitdb: Path) -> None:
    from einthoven.records.adc import to_board
    from einthoven.records.record import read_record

    who = device.hello
    record = read_record(mitdb, "208")
    samples = to_board(record, who.rate_hz, who.gain_lsb_per_mv, who.adc_bits)
    assert_like_host(device, samples[: 180 * 300], who.gain_lsb_per_mv)


def test_bench_is_the_model(device: Device) -> None:
    rng = np.random.default_rng(6)
    who = device.hello
    model = HostModel()
    counts = []
    for _ in range(3):
        signal = rng.integers(-128, 128, (who.window_samples, who.channels)).astype(np.int8)
        features = rng.integers(-128, 128, who.features).astype(np.int8)
        result = device.bench(signal, features)
        expected = model.infer(signal[None], features[None])[0]
        np.testing.assert_array_equal(result.logits, expected)
        counts.append(result.count)
    if who.count_unit == "instructions":  # nothing in the kernels depends on the data
        assert max(counts) - min(counts) <= 0.01 * max(counts)
    with pytest.raises(ModelError, match="the board's model takes"):
        device.bench(np.zeros((3, 2), dtype=np.int8), np.zeros(1, dtype=np.int8))


def test_reset_boots_again(device: Device) -> None:
    device.reset()
    assert device.hello.reset_reason == "software"
    assert any("Not a medical device." in line for line in device.log)
    assert device.info()["samples"] == 0


def test_bad_gain_and_rails_are_refused(device: Device, signal: NDArray[np.int16]) -> None:
    with pytest.raises(BoardError, match="refuses: gain or rails out of range"):
        device.replay(signal[:100], gain_lsb_per_mv=0)
    with pytest.raises(BoardError, match="refuses: gain or rails out of range"):
        device.replay(signal[:100], rails=(100, -100))


def test_nonsense_is_answered_and_harmless(board_url: str, patient: tuple[float, ...]) -> None:
    channel = Channel(board_url, 115200, patient)
    heard: list[codec.Message] = []
    try:
        reset = schema().message("reset").code
        frames = [
            codec.Frame(0x7E, 9, b"123"),
            codec.Frame(0x03, 10, b"short"),
            codec.Frame(reset, 11, b"too long"),
        ]
        channel.send(codec.DELIMITER + b"".join(codec.encode_frame(frame) for frame in frames))
        channel.send(b"\xff" * 400 + b"\0")
        channel.request("info", "info_reply", heard.append)
    finally:
        channel.close()
    errors = [message.sequence for message in heard if message.name == "error"]
    assert errors == [9, 10, 11]


# ---- the host's own ways to be connected ----


@pytest.fixture(scope="module")
def host() -> Path:
    """The host board's program."""
    return build(load_board("host"))


@contextmanager
def started(program: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [str(program), *arguments], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def test_over_a_pseudo_terminal(host: Path, signal: NDArray[np.int16]) -> None:
    with started(host, "--pty") as process, Device(first_line(process)) as device:
        assert_like_host(device, signal[:4000])


def test_over_pipes(host: Path) -> None:
    with started(host) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(codec.DELIMITER + codec.encode("hello", 7, protocol=1))
        decoder = FrameDecoder()
        frames: list[codec.Frame] = []
        while not frames:
            frames = decoder.feed(process.stdout.read(4096))
        assert codec.decode(frames[0])["board"] == "host"
        assert "Not a medical device." in decoder.text[0]
        process.stdin.close()
        assert process.wait(60) == 0


@contextmanager
def streaming(host: Path, adc: Path, samples: NDArray[np.int16]) -> Iterator[Device]:
    """The host board with `samples` in the FIFO `adc`, as fast as they are written, then none."""
    os.mkfifo(adc)
    data = samples.astype("<i2").tobytes()
    writer = threading.Thread(target=adc.write_bytes, args=[data], daemon=True)
    writer.start()
    with (
        started(host, "--listen", "0", "--adc", str(adc)) as process,
        Device(first_line(process)) as device,
    ):
        yield device
    writer.join()


def test_stream_mode(host: Path, signal: NDArray[np.int16], tmp_path: Path) -> None:
    """Samples from a FIFO in place of an ADC: the events of a replay, if all fit the board's store,
    which is how long the host may be kept from fetching them."""
    samples = signal[:4000]
    beats = core.analyze(samples, 200, (-2048, 2047))
    assert 20 < len(beats.t_samples) + len(beats.signal_events) <= KEPT
    with streaming(host, tmp_path / "adc", samples) as device:
        events = list(device.stream(len(samples) / 180))
        assert device.link.events_lost == 0
    found = [event["t_samples"] for event in events if event.name == "beat"]
    assert found == beats.t_samples.tolist()


def test_stream_mode_counts_what_nobody_fetched(
    host: Path, signal: NDArray[np.int16], tmp_path: Path
) -> None:
    """The last events of a minute are kept until someone comes, and those before are counted."""
    beats = core.analyze(signal, 200, (-2048, 2047))
    total = len(beats.t_samples) + len(beats.signal_events)
    with streaming(host, tmp_path / "adc", signal) as device:
        channel, events = device._channel, list[codec.Message]()
        session = Session(channel, events)
        session.start("stream", 200, (-2048, 2047))
        while (info := device.info())["samples"] < len(signal):
            pass  # what comes before the reply is not taken
        session.poll()
        session.finish(0)
    lost = info["events_lost"]
    assert channel.statistics.events_lost == lost <= total - KEPT
    assert [event["number"] for event in events] == list(range(lost, total))
    found = [event["t_samples"] for event in events if event.name == "beat"]
    assert found == beats.t_samples[-len(found) :].tolist()


def test_stream_mode_whose_adc_stops(
    host: Path, signal: NDArray[np.int16], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample before the end: it is the ADC that is silent, not a link that loses too much."""
    monkeypatch.setattr("einthoven.hil_tests.harness.device.SILENT_S", 0.2)
    with (
        streaming(host, tmp_path / "adc", signal[:999]) as device,
        pytest.raises(BoardError, match="takes no samples: has it an ADC"),
    ):
        list(device.stream(1000 / 180))


def test_stream_mode_without_an_adc(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("einthoven.hil_tests.harness.device.SILENT_S", 0.2)
    with (
        started(host, "--listen", "0") as process,
        Device(first_line(process)) as device,
        pytest.raises(BoardError, match="takes no samples: has it an ADC"),
    ):
        list(device.stream(1.0))
