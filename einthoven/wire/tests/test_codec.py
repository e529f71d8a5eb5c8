"""The host's codec: the case table of wire.toml, and what must hold for any bytes and samples."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from einthoven.wire import codec
from einthoven.wire.codec import Frame, FrameDecoder, WireError
from einthoven.wire.samples import MAX_CODE_BYTES, decode_piece, encode_pieces
from einthoven.wire.schema import case_values, schema

CASES = {case["name"]: case for case in schema().cases}
SAMPLE_CASES = {case["name"]: case for case in schema().sample_cases}


def expected_frames(name: str) -> list[Frame]:
    frames = []
    for raw in CASES[name]["frames"]:
        if "message" in raw:
            message = schema().message(raw["message"])
            payload = codec.encode_payload(message.name, case_values(message, raw))
            frames.append(Frame(message.code, raw["sequence"], payload))
        else:
            frames.append(Frame(raw["code"], raw["sequence"], bytes.fromhex(raw["payload"])))
    return frames


@pytest.mark.parametrize("step", [1, 2, 7, 4096])
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, step: int) -> None:
    data = bytes.fromhex(CASES[name]["bytes"])
    decoder = FrameDecoder()
    frames = [f for i in range(0, len(data), step) for f in decoder.feed(data[i : i + step])]
    assert frames == expected_frames(name)
    assert decoder.rejected_frames == CASES[name]["rejected_frames"]
    assert decoder.rejected_bytes == CASES[name]["rejected_bytes"]
    assert decoder.text == []


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if n.startswith("message ")])
def test_message_both_ways(name: str) -> None:
    raw = CASES[name]["frames"][0]
    message = schema().message(raw["message"])
    values = case_values(message, raw)
    data = codec.encode(message.name, raw["sequence"], **values)
    assert data == bytes.fromhex(CASES[name]["bytes"])
    [frame] = FrameDecoder().feed(data)
    decoded = codec.decode(frame)
    assert (decoded.name, decoded.sequence) == (message.name, raw["sequence"])
    assert dict(decoded.fields) == values


def test_every_message_has_a_case() -> None:
    seen = {raw.get("message") for case in CASES.values() for raw in case["frames"]}
    assert {message.name for message in schema().messages} <= seen


@pytest.mark.parametrize("name", SAMPLE_CASES)
def test_sample_case(name: str) -> None:
    case = SAMPLE_CASES[name]
    samples = np.array(case["samples"], dtype=np.int16)
    code = bytes.fromhex(case["code"])
    if not case.get("valid", True):
        with pytest.raises(WireError):
            decode_piece(code, len(samples))
        return
    np.testing.assert_array_equal(decode_piece(code, len(samples)), samples)
    [piece] = encode_pieces(samples)
    assert piece.code == code


def test_text_is_shown_and_not_counted() -> None:
    decoder = FrameDecoder()
    poll = codec.encode("poll", 3, events_acked=1)
    frames = decoder.feed(b"\0Einthoven on host.\r\nfault: pc=0x08001234\r\n\0" + poll)
    assert decoder.text == ["Einthoven on host.", "fault: pc=0x08001234"]
    assert len(frames) == 1 and decoder.rejected_frames == 0


def test_endless_garbage_takes_no_memory() -> None:
    decoder = FrameDecoder()
    for _ in range(1000):
        decoder.feed(b"\xff" * 1000)
    assert len(decoder._pending) <= 4096
    decoder.feed(b"\0")
    assert decoder.rejected_bytes == 1_000_000
    assert len(decoder.feed(codec.encode("info", 1))) == 1


@given(st.lists(st.binary(max_size=300), max_size=8), st.randoms(use_true_random=False))
def test_any_bytes_and_any_split(parts: list[bytes], random: object) -> None:
    data = b"\0".join(parts) + b"\0" + codec.encode("poll", 1, events_acked=7)
    whole, pieces = FrameDecoder(), FrameDecoder()
    frames = whole.feed(data)
    cut = sorted(random.randrange(len(data) + 1) for _ in range(10))  # type: ignore[attr-defined]
    bounds = [0, *cut, len(data)]
    got = [f for a, b in pairwise(bounds) for f in pieces.feed(data[a:b])]
    assert got == frames
    assert pieces.rejected_bytes == whole.rejected_bytes
    assert frames[-1] == Frame(0x05, 1, (7).to_bytes(4, "little"))


@given(st.binary(max_size=248), st.integers(0, 255), st.integers(0, 255))
def test_frame_round_trip(payload: bytes, code: int, sequence: int) -> None:
    frame = Frame(code, sequence, payload)
    data = codec.encode_frame(frame)
    assert data.index(0) == len(data) - 1 <= 255
    assert FrameDecoder().feed(data) == [frame]


@given(st.binary(max_size=248), st.sampled_from([m.code for m in schema().messages] + [0x7E]))
def test_any_payload_decodes_or_is_refused(payload: bytes, code: int) -> None:
    try:
        message = codec.decode(Frame(code, 0, payload))
    except WireError:
        return
    again = codec.encode_payload(message.name, message.fields)
    assert again == payload


@pytest.mark.parametrize("bit", range(8 * 12))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(codec.encode("poll", 5, events_acked=0x01020304))
    assert len(data) == 12
    data[bit // 8] ^= 1 << bit % 8
    frames = FrameDecoder().feed(bytes(data) + b"\0")
    assert frames == []


def int16s(*values: int) -> NDArray[np.int16]:
    return np.array(values, dtype=np.int16)


@settings(max_examples=60)
@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=900),
    st.sampled_from([1, 2, 50, 320, 512]),
    st.integers(0, 16),
)
def test_samples_round_trip(values: list[int], count: int, shift: int) -> None:
    samples = int16s(*(value >> shift for value in values))
    pieces = encode_pieces(samples, count)
    assert [p.start for p in pieces] == np.cumsum([0, *(p.count for p in pieces)])[:-1].tolist()
    assert all(len(p.code) <= MAX_CODE_BYTES and p.count <= count for p in pieces)
    decoded = np.concatenate([decode_piece(p.code, p.count) for p in pieces])
    np.testing.assert_array_equal(decoded, samples)


@given(st.binary(max_size=60), st.integers(1, 200))
def test_any_code_decodes_or_is_refused(code: bytes, count: int) -> None:
    try:
        samples = decode_piece(code, count)
    except WireError:
        return
    [piece] = encode_pieces(samples, count=len(samples))
    # Some code is longer than it had to be: an escape where none was needed.
    assert len(piece.code) <= len(code)


def test_pieces_from_the_middle() -> None:
    samples = np.arange(1000, dtype=np.int16)
    pieces = encode_pieces(samples, 100, first=450)
    assert pieces[0].start == 450 and pieces[-1].start + pieces[-1].count == 1000
    assert encode_pieces(int16s(), 100) == []


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: codec.encode("pol", events_acked=1), "no message 'pol'"),
        (lambda: codec.encode("poll"), "missing or unknown fields events_acked"),
        (lambda: codec.encode("poll", events_acked=-1), "does not fit"),
        (lambda: codec.encode("poll", events_acked=2**32), "does not fit"),
        (lambda: codec.encode("tensor", offset=0, bytes=bytes(300)), "exceeds 248"),
        (lambda: codec.decode(Frame(0x7E, 0, b"")), "unknown message type 0x7e"),
        (lambda: codec.decode(Frame(0x05, 0, b"abc")), "'poll' has 3 bytes instead of 4"),
        (lambda: encode_pieces(np.zeros(3, dtype=np.int32)), "int16"),
        (lambda: encode_pieces(int16s(1), 0), "1 to 512"),
    ],
)
def test_misuse_is_refused_in_one_line(call: object, what: str) -> None:
    with pytest.raises(WireError, match=what) as caught:
        call()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.mark.records
def test_a_record_takes_less_than_0_7_bytes_a_sample(mitdb: object) -> None:
    from einthoven.records.adc import to_board
    from einthoven.records.record import read_record

    samples = to_board(read_record(mitdb, "119"), 180, 200, 12)  # type: ignore[arg-type]
    pieces = encode_pieces(samples)
    size = sum(
        len(codec.encode("samples", start=p.start, events_acked=0, count=p.count, code=p.code))
        for p in pieces
    )
    assert size / len(samples) < 0.7
