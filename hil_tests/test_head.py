"""A patient's head on a board: kept over a reset, exact, refused when unfit, whole or not there."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.boards.board import build, load_board
from einthoven.boards.patience import watching
from einthoven.codegen import model
from einthoven.codegen.head import Head, Layer, own_head, pack, units
from einthoven.errors import BoardError, LinkError, ModelError
from einthoven.hil_tests.faults import TO_BOARD, TO_HOST, Fault, FaultyLink, Noise
from einthoven.hil_tests.harness.device import Device
from einthoven.native import core
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel
from einthoven.native.strip import Strip
from einthoven.native.vote import Vote
from einthoven.paths import SHIPPED_MODEL
from einthoven.wire import codec

pytestmark = pytest.mark.board
TRIES = (1.0,) * 14
"""Noise spoils one upload in two: so many that chance does not matter, and as patient as usual."""


@pytest.fixture(scope="module")
def shipped() -> model.ModelFolder:
    return model.load(SHIPPED_MODEL)


def changed_head(shipped: model.ModelFolder, seed: int) -> bytes:
    """The model's own head with every parameter moved a little."""
    rng = np.random.default_rng(seed)
    layers = []
    for own, unit in zip(own_head(shipped).layers, units(shipped), strict=True):
        weights = np.clip(own.weights + rng.integers(-9, 10, own.weights.shape), -128, 127)
        bias = own.bias + rng.integers(-900, 900, own.bias.shape).astype(np.int32)
        weights[unit.dead], bias[unit.dead] = own.weights[unit.dead], own.bias[unit.dead]
        layers.append(Layer(weights.astype(np.int8), bias))
    return pack(shipped, Head(shipped.sha256, tuple(layers)))


@pytest.fixture(scope="module")
def heads(shipped: model.ModelFolder) -> tuple[bytes, bytes]:
    return changed_head(shipped, 1), changed_head(shipped, 2)


@pytest.fixture(autouse=True)
def no_head_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """The board is shared: whatever a test does, its slot is empty afterwards."""
    yield
    if "board_url" in request.fixturenames:
        with Device(request.getfixturevalue("board_url")) as device:
            device.remove_head()


def assert_computes(device: Device, head: bytes | None, samples: NDArray[np.int16]) -> None:
    """Beats carry the host's logits, with the head and without; each side votes for itself."""
    host, vote = HostModel(), Vote()
    beats = core.analyze(samples, 200, (device.hello.rail_lo, device.hello.rail_hi))
    embedding = host.embed(beats.signal, beats.features)
    found = [e for e in device.replay(samples, gain_lsb_per_mv=200).events if e.name == "beat"]
    logits, usual = host.head(embedding, head), host.head(embedding)
    voted = vote.of(logits, beats)
    assert [list(e["logits"]) for e in found] == voted.tolist()
    assert [list(e["unadapted"]) for e in found] == vote.of(usual, beats).tolist()
    confidence, unsure = Confidence().of(voted, beats.flags)
    told = Strip().gate(beats.t_samples, voted.argmax(axis=1), confidence, unsure, len(samples))
    assert [e["label"] for e in found] == told[0].tolist()
    bench = device.bench(beats.signal[3], beats.features[3])
    assert bench.logits.tolist() == logits[3].tolist()
    assert bench.unadapted.tolist() == usual[3].tolist()


def test_a_head_is_kept_and_exact_until_it_is_removed(
    board_url: str,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    signal: NDArray[np.int16],
) -> None:
    with Device(board_url) as device:
        assert (device.hello.head, device.hello.head_crc) == ("none", 0)
        assert device.hello.head_bytes == len(heads[0])
        assert_computes(device, None, signal[:5000])
        device.upload_head(shipped.sha256, heads[0])
        assert_computes(device, heads[0], signal[:5000])
        device.reset()
        crc = codec.crc32(bytes.fromhex(shipped.sha256) + heads[0])
        assert (device.hello.head, device.hello.head_crc) == ("active", crc)
        assert_computes(device, heads[0], signal[:5000])
        device.upload_head(shipped.sha256, heads[1])
        assert_computes(device, heads[1], signal[:5000])
        device.remove_head()
        assert device.hello.head == "none"
        device.remove_head()  # nothing to remove is no error
        device.reset()
        assert (device.hello.head, device.hello.head_crc) == ("none", 0)
        assert_computes(device, None, signal[:5000])


def test_what_does_not_fit_is_refused(
    device: Device, shipped: model.ModelFolder, heads: tuple[bytes, bytes]
) -> None:
    device.upload_head(shipped.sha256, heads[0])
    with pytest.raises(ModelError, match=r"has model .* flash the firmware"):
        device.upload_head("0" * 64, heads[1])
    with pytest.raises(ModelError, match="takes a head of"):
        device.upload_head(shipped.sha256, heads[1][:-4])
    unfit = bytearray(heads[1])
    unfit[-20:-16] = struct.pack("<i", 2**31 - 1)
    with pytest.raises(BoardError, match="parameters do not fit"):
        device.upload_head(shipped.sha256, bytes(unfit))
    device.hello = device._hello()
    assert device.hello.head_crc == codec.crc32(bytes.fromhex(shipped.sha256) + heads[0])


def request(device: Device, name: str, **fields: object) -> codec.Message:
    return device._channel.request(name, "head_reply", lambda _: None, **fields)


def test_the_board_itself_refuses_another_models_head(
    device: Device, shipped: model.ModelFolder, heads: tuple[bytes, bytes]
) -> None:
    """A host that does not look first gets an error, and the board keeps what it had."""
    device.upload_head(shipped.sha256, heads[0])
    other = bytes(32)
    crc = codec.crc32(other + heads[0])
    for offset in range(0, len(heads[0]), 240):
        piece = heads[0][offset : offset + 240]
        device._channel.post(codec.encode("head_piece", offset=offset, bytes=piece))
    reply = request(device, "head_store", head_crc=crc, model_sha256=other)
    assert reply.name == "error" and b"another model" in reply["text"]
    device._channel.post(codec.encode("head_piece", 0, offset=len(heads[0]) - 1, bytes=b"ab"))
    assert device._hello().head_crc == codec.crc32(bytes.fromhex(shipped.sha256) + heads[0])


def test_an_upload_that_is_broken_off_changes_nothing(
    device: Device,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    signal: NDArray[np.int16],
) -> None:
    device.upload_head(shipped.sha256, heads[0])
    device._channel.post(codec.encode("head_piece", offset=0, bytes=heads[1][:200]))
    assert_computes(device, heads[0], signal[:3000])
    device._channel.post(codec.encode("head_piece", offset=200, bytes=heads[1][200:400]))
    device.reset()
    assert_computes(device, heads[0], signal[:3000])


def upload_faults(name: str, size: int) -> list[Fault | Noise]:
    """Faults while a head of `size` bytes goes to the board."""
    faults: dict[str, list[Fault | Noise]] = {
        "drop": [Fault("drop", TO_BOARD, size // 3, 40)],
        "flip": [Fault("flip", TO_BOARD, size // 2, 2)],
        "double": [Fault("double", TO_BOARD, size // 3, 300)],
        "cut": [Fault("cut", TO_BOARD, size // 2)],
        "reset": [Fault("reset", TO_BOARD, size - 100)],
        "no reply": [Fault("drop", TO_HOST, 140, 15)],
        "noise": [Noise(TO_BOARD, 2e-4, 3), Noise(TO_HOST, 2e-4, 4)],
    }
    return faults[name]


@pytest.mark.parametrize("name", ["drop", "flip", "double", "cut", "reset", "no reply", "noise"])
def test_an_upload_survives(
    name: str,
    board_url: str,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    signal: NDArray[np.int16],
) -> None:
    with (
        FaultyLink(board_url, upload_faults(name, len(heads[0]))) as link,
        Device(link.url, timeouts_s=TRIES) as device,
    ):
        device.upload_head(shipped.sha256, heads[0])
        assert link.faults_left == 0
    with Device(board_url) as device:
        assert_computes(device, heads[0], signal[:3000])


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_a_dead_link_leaves_the_old_head(
    share: float,
    board_url: str,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    signal: NDArray[np.int16],
) -> None:
    with Device(board_url) as device:
        device.upload_head(shipped.sha256, heads[0])
    with (
        FaultyLink(board_url, [Fault("silence", TO_BOARD, round(share * len(heads[0])))]) as link,
        Device(link.url, timeouts_s=(0.3, 0.3)) as device,
        pytest.raises(LinkError),
    ):
        device.upload_head(shipped.sha256, heads[1])
    with Device(board_url) as device:
        assert device.hello.head == "active"
        assert_computes(device, heads[0], signal[:3000])


# ---- power cuts: the host board's slot as a file ----


class Powered:
    """The host board with its slot in a file; `cut`: it ends after so many bytes of it."""

    def __init__(self, slot: Path, cut: int | None = None) -> None:
        program = str(load_board("host").program)
        options = [] if cut is None else ["--power-cut", str(cut)]
        self.process = subprocess.Popen(
            [program, "--listen", "0", "--slot", str(slot), *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self._watching = watching(self.url, self.process)

    def __enter__(self) -> str:
        self._watching.__enter__()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._watching.__exit__(None, None, None)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def host_board() -> None:
    build(load_board("host"))


ERASED = 4352
"""EIN_SLOT_BYTES."""


def cuts(head_bytes: int) -> list[int]:
    """In the erase, in the description and the parameters, in the word that comes last."""
    written = ERASED + 36 + head_bytes
    return [
        *(0, 1, 30, 41, 700, ERASED - 1, ERASED),
        *(ERASED + 4, ERASED + 20, ERASED + 900, written - 1),
        *range(written, written + 4),
    ]


def test_a_power_cut_leaves_the_old_head_or_none(
    host_board: None,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("einthoven.hil_tests.harness.channel._REOPEN_WAIT_S", 0.001)
    crcs = [codec.crc32(bytes.fromhex(shipped.sha256) + head) for head in heads]
    slot = tmp_path / "slot"
    with Powered(slot) as url, Device(url) as device:
        device.upload_head(shipped.sha256, heads[0])
    full = slot.read_bytes()
    seen = set()
    for cut in cuts(len(heads[0])):
        slot.write_bytes(full)
        with Powered(slot, cut) as url, Device(url) as device:
            assert device.hello.head_crc == crcs[0]
            with pytest.raises(LinkError, match="is gone: its program ended with code 0"):
                device.upload_head(shipped.sha256, heads[1])
        with Powered(slot) as url, Device(url) as device:
            found = (device.hello.head, device.hello.head_crc)
            assert found in (("active", crcs[0]), ("none", 0)), cut
            seen.add(found)
            device.upload_head(shipped.sha256, heads[1])  # and nothing is the worse for it
            assert device.hello.head_crc == crcs[1]
    assert len(seen) == 2


def test_one_byte_later_the_new_head_is_there(
    host_board: None, shipped: model.ModelFolder, heads: tuple[bytes, bytes], tmp_path: Path
) -> None:
    slot = tmp_path / "slot"
    cut = ERASED + len(heads[0]) + 40
    with Powered(slot, cut) as url, Device(url) as device:
        device.upload_head(shipped.sha256, heads[0])
    with Powered(slot) as url, Device(url) as device:
        assert device.hello.head == "active"


def test_a_slot_with_another_models_head(
    host_board: None, shipped: model.ModelFolder, heads: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """As after flashing a new model: not used, told, and replaced or removed like any other."""
    slot = tmp_path / "slot"
    with Powered(slot) as url, Device(url) as device:
        device.upload_head(shipped.sha256, heads[0])
    content = bytearray(slot.read_bytes())
    content[8:40] = bytes(32)
    slot.write_bytes(content)
    with Powered(slot) as url, Device(url) as device:
        assert (device.hello.head, device.hello.head_crc) == ("foreign", 0)
        device.upload_head(shipped.sha256, heads[1])
        assert device.hello.head == "active"


@pytest.mark.parametrize("at", [0, 3, 4, 20, 39, 40, 900, -1])
def test_a_flipped_bit_in_the_slot_is_found(
    at: int,
    host_board: None,
    shipped: model.ModelFolder,
    heads: tuple[bytes, bytes],
    tmp_path: Path,
) -> None:
    slot = tmp_path / "slot"
    with Powered(slot) as url, Device(url) as device:
        device.upload_head(shipped.sha256, heads[0])
    content = bytearray(slot.read_bytes())
    content[at if at >= 0 else 40 + len(heads[0]) - 1] ^= 0x10
    slot.write_bytes(content)
    with Powered(slot) as url, Device(url) as device:
        assert device.hello.head in ("none", "foreign") and device.hello.head_crc == 0


def test_the_same_head_again_is_not_written_again(
    host_board: None, shipped: model.ModelFolder, heads: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """A lost reply must not cost an erase: flash wears out."""
    slot = tmp_path / "slot"
    with Powered(slot) as url, Device(url) as device:
        device.upload_head(shipped.sha256, heads[0])
    with Powered(slot, cut=0) as url, Device(url) as device:  # it would end at the first byte
        device.upload_head(shipped.sha256, heads[0])
        assert device.hello.head == "active"
