"""A board under test: who it is, what it costs, and what it makes of a record.

The conversation is docs/SPEC.md, section 5. Whatever the link loses is asked for again; a board
that was reset in mid-record is given the record again from its start.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.boards.board import Board
from einthoven.boards.patience import Patience
from einthoven.errors import BoardError, KeysError, LinkError, ModelError
from einthoven.fleet.image import Image
from einthoven.hil_tests.harness import lock, update
from einthoven.hil_tests.harness.channel import Channel, LinkStatistics
from einthoven.hil_tests.harness.session import BoardResetError, Session
from einthoven.hil_tests.harness.update import UpdateStatus
from einthoven.native.strip import Raw
from einthoven.wire import codec
from einthoven.wire.codec import Message
from einthoven.wire.samples import encode_record
from einthoven.wire.schema import schema

__all__ = ["BenchResult", "Device", "Hello", "LinkStatistics", "Network", "Replayed"]

TIMEOUTS_S = (1.0, 1.0, 2.0, 2.0, 4.0, 4.0)
"""Tries of a request; together longer than a watchdog's time-out and a boot."""
SILENT_S = 5.0
"""In stream mode: without a sample for so long, there is no ADC."""
_STREAM_POLL_S = 0.5
"""In stream mode a quiet board is asked no more often: an ADC that pauses is no bad link, which
`Session` would conclude from many polls in a row that bring nothing."""
_HANG_TRIES = 4
"""Of an emulated chip, which takes its time to stand still for as long as a watchdog waits."""
MAX_RESETS = 5
"""Resets within one record after which the board counts as broken."""


@dataclass(frozen=True)
class Hello:
    """What a board says about itself. SHA-256 sums in hex; enumerations by name."""

    board: str
    model: str
    build: str
    serial: str
    classes: tuple[str, ...]
    model_sha256: str
    pipeline_sha256: str
    rate_hz: int
    adc_bits: int
    gain_lsb_per_mv: int
    rail_lo: int
    rail_hi: int
    window_samples: int
    channels: int
    features: int
    arena_bytes: int
    head: str
    """State of the patient's head: none, active, foreign, unsupported."""
    head_bytes: int
    """Size of a head for this model; 0: it takes none."""
    head_crc: int
    """Of the active head; 0: none."""
    count_unit: str
    reset_reason: str


@dataclass(frozen=True)
class Replayed:
    """One record's outcome: all events in order, the board's counters, the verdict on it."""

    events: list[Message]
    info: Mapping[str, Any]
    verdict: Raw


@dataclass(frozen=True)
class BenchResult:
    """One inference: int8 logits, and its cost in the board's `count_unit`."""

    logits: NDArray[np.int8]
    """By the patient's head where one is active."""
    unadapted: NDArray[np.int8]
    """By the model's own last layers; else the same."""
    count: int


@dataclass(frozen=True)
class Network:
    """The second network of a board's firmware."""

    name: str
    sha256: str
    """Of its .tflite, in hex."""
    input_bytes: int
    outputs: int
    arena_bytes: int


class Device:
    """A board on `url` (serial port name or any pyserial URL). Use as a context manager.

    `expect_model_sha256`, `expect_pipeline_sha256`: refuse a board with others (ModelError);
    `expect_board`: refuse one that is not what that board.toml says (BoardError); None accepts any.
    Raises BoardError if the port cannot be opened, LinkError if nobody answers.
    """

    def __init__(
        self,
        url: str,
        baud: int = 115200,
        expect_model_sha256: str | None = None,
        expect_pipeline_sha256: str | None = None,
        timeouts_s: tuple[float, ...] = TIMEOUTS_S,
        expect_board: Board | None = None,
    ) -> None:
        self._channel = Channel(url, baud, timeouts_s)
        self._board_lost = 0
        try:
            self.hello = self._hello()
            self._require_board(expect_board)
            self._require("model", self.hello.model_sha256, expect_model_sha256)
            self._require("pipeline", self.hello.pipeline_sha256, expect_pipeline_sha256)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the port. The board keeps running."""
        self._channel.close()

    @property
    def url(self) -> str:
        """Where the board is."""
        return self._channel.url

    @property
    def channel(self) -> Channel:
        """The requests and replies on its link."""
        return self._channel

    @property
    def link(self) -> LinkStatistics:
        """What the link lost and had to repeat, over all replays of this device."""
        return self._channel.statistics

    @property
    def log(self) -> list[str]:
        """Lines of text that the board printed: banner, fault reports."""
        return self._channel.decoder.text

    def info(self) -> Mapping[str, Any]:
        """Resources and counters: the fields of `info_reply` in codegen/spec/wire.toml."""
        return self._request("info", "info_reply").fields

    def ask(self, name: str, reply_name: str, **fields: Any) -> Message:
        """A request of `wire.toml` and its reply. Raises BoardError for a refusal, LinkError."""
        return self._request(name, reply_name, **fields)

    def reset(self) -> None:
        """Restart the board, and wait until it answers again."""
        self._channel.post(codec.encode("reset"))
        self.hello = self._hello()

    def hang(self) -> str:
        """Let its program stand still until the watchdog restarts it; why it was started then.

        Raises LinkError if it does not come back.
        """
        self._channel.post(codec.encode("hang"))
        for left in reversed(range(_HANG_TRIES)):
            try:
                self.hello = self._hello()
                break
            except LinkError:
                if left == 0:
                    raise
        return self.hello.reset_reason

    def bench(self, signal: NDArray[np.int8], features: NDArray[np.int8]) -> BenchResult:
        """Run the board's model once. signal: int8 [window, channels]; features: int8 [features].

        Raises ModelError for other shapes, LinkError when the tensor does not get through.
        """
        who = self.hello
        if signal.shape != (who.window_samples, who.channels) or features.shape != (who.features,):
            raise ModelError(
                f"the board's model takes {who.window_samples}×{who.channels} and {who.features} "
                f"values, not {signal.shape} and {features.shape}"
            )
        return self._infer(signal.astype(np.int8).tobytes() + features.astype(np.int8).tobytes())

    def network(self) -> Network | None:
        """The second network that the board carries; None if it carries none."""
        reply = self._channel.request("network", "network_reply", _ignore)
        if reply.name == "error":
            return None
        facts = dict(reply.fields)
        name, sha256 = facts.pop("network"), bytes(facts.pop("sha256")).hex()
        return Network(name, sha256, **facts)

    def infer(self, network: Network, values: NDArray[np.int8]) -> BenchResult:
        """Run the board's second network once, on int8 values in the order of its input.

        Raises ModelError for another number of values, LinkError when they do not get through.
        """
        if values.size != network.input_bytes:
            raise ModelError(
                f"{network.name} takes {network.input_bytes} values, not {values.size}"
            )
        found = self._infer(values.astype(np.int8).tobytes())
        n = network.outputs
        return replace(found, logits=found.logits[:n], unadapted=found.unadapted[:n])

    def _infer(self, tensor: bytes) -> BenchResult:
        step = schema().max_payload - schema().message("tensor").fixed_size
        for _ in self._channel.timeouts_s:
            for offset in range(0, len(tensor), step):
                piece = tensor[offset : offset + step]
                self._channel.post(codec.encode("tensor", offset=offset, bytes=piece))
            reply = self._channel.request(
                "bench", "bench_reply", _ignore, tensor_crc=codec.crc32(tensor)
            )
            if reply.name == "bench_reply":
                logits, unadapted = (
                    np.array(reply[key], dtype=np.int8) for key in ("logits", "unadapted")
                )
                return BenchResult(logits, unadapted, reply["count"])
            if reply["error"] != schema().enums["error"]["bad_tensor"]:
                raise self._channel.refusal(reply)
            self.link.retries += 1  # a piece was lost
        raise LinkError(f"{self.url}: the tensor does not arrive undamaged; check the cable")

    def keeps_key(self) -> bool:
        """Whether its firmware has a place for a key; a board without is open to all."""
        return lock.keeps_key(self._channel)

    def key_state(self) -> str:
        """Whether the device has a key: none (it is open to all), set, lost. Closes it.

        Raises BoardError for a board that is no device.
        """
        return lock.key_state(self._channel, self.hello.serial)

    def unlock(self, key: bytes) -> None:
        """Open what belongs to patients, until the link is lost or nothing is asked for 2 min.

        `key`: 32 bytes. A device without a key is open. Raises KeysError for a wrong one.
        """
        lock.unlock(self._channel, self.hello.serial, key)

    def set_key(self, new: bytes, old: bytes | None = None) -> None:
        """Give the device its first key, or replace `old`. It is open afterwards. KeysError."""
        lock.set_key(self._channel, self.hello.serial, new, old)

    def log_status(self) -> Mapping[str, Any]:
        """What the device's log holds: fields of `log_status_reply` in codegen/spec/wire.toml.

        Raises BoardError for a board that keeps no log.
        """
        return self._of_log(self._channel.request("log_status", "log_status_reply", _ignore)).fields

    def log_read(self, sequence: int, offset: int) -> tuple[int, int, bytes]:
        """The log's next bytes from a place on, and where they begin; none: there are no more.

        Raises KeysError if the device is not open (`unlock`), BoardError as above, LinkError.
        """
        most = schema().max_payload - schema().message("log_bytes").fixed_size
        reply = self._of_log(
            self._channel.request(
                *("log_read", "log_bytes", _ignore), log_sequence=sequence, offset=offset, most=most
            )
        )
        return reply["log_sequence"], reply["offset"], reply["bytes"]

    def log_clear(self, sequence: int, offset: int) -> bool:
        """Delete the log, unless something was added behind that place: False then.

        Raises KeysError, BoardError, LinkError as above.
        """
        reply = self._channel.request(
            "log_clear", "log_status_reply", _ignore, log_sequence=sequence, offset=offset
        )
        if reply.name == "error" and reply["error"] == schema().enums["error"]["not_now"]:
            return False
        self._of_log(reply)
        return True

    def _of_log(self, reply: Message) -> Message:
        if reply.name != "error":
            return reply
        errors = schema().enums["error"]
        if reply["error"] == errors["locked"]:
            raise KeysError(f"the device on {self.url} is closed: its log needs its key")
        if reply["error"] == errors["unknown_message"]:
            raise BoardError(
                f"the board on {self.url} keeps no log: its firmware is no device's "
                "(einthoven boards)"
            )
        raise self._channel.refusal(reply)

    def update_status(self, confirm: bool = False) -> UpdateStatus:
        """What a device's slots of firmware hold; `confirm`: what runs works, and stays."""
        return update.query(self._channel, confirm)

    def update(
        self,
        image: Image,
        allow_downgrade: bool = False,
        progress: Callable[[int], None] = lambda n: None,
    ) -> UpdateStatus:
        """Bring firmware into the other slot, and reset; what the slots hold then.

        What runs then has to be confirmed within 20 s of work by itself, or by `update_status`. An
        image that the boot stage refused stands there as such. Raises KeysError for an older one,
        BoardError if it does not fit, LinkError.
        """
        update.send(self._channel, image, allow_downgrade, progress)
        self.reset()
        return self.update_status()

    def upload_head(self, model_sha256: str, parameters: bytes) -> None:
        """Give the board a patient's head, which it keeps until it is removed or replaced.

        `parameters`: what `einthoven.codegen.head.pack` made, for the model with that SHA-256.
        Raises ModelError for another model's, BoardError when the board has no slot or does not
        keep it, LinkError when it does not get through; the board then has the old head or none.
        """
        self._require("model", self.hello.model_sha256, model_sha256)
        if len(parameters) != self.hello.head_bytes:
            raise ModelError(
                f"the board on {self.url} takes a head of {self.hello.head_bytes} bytes, not of "
                f"{len(parameters)}: flash the firmware of this checkout (einthoven flash)"
            )
        model = bytes.fromhex(model_sha256)
        crc = codec.crc32(model + parameters)
        step = schema().max_payload - schema().message("head_piece").fixed_size
        for _ in self._channel.timeouts_s:
            for offset in range(0, len(parameters), step):
                piece = parameters[offset : offset + step]
                self._channel.post(codec.encode("head_piece", offset=offset, bytes=piece))
            reply = self._channel.request(
                "head_store", "head_reply", _ignore, head_crc=crc, model_sha256=model
            )
            if reply.name == "head_reply":
                self._take_head(reply)
                if self.hello.head != "active" or self.hello.head_crc != crc:
                    raise BoardError(f"the board on {self.url} did not keep the head: try again")
                return
            if reply["error"] != schema().enums["error"]["bad_head"]:
                raise self._channel.refusal(reply)
            self.link.retries += 1  # a piece was lost
        raise LinkError(f"{self.url}: the head does not arrive undamaged; check the cable")

    def remove_head(self) -> None:
        """Erase the board's slot. Raises BoardError when it has none, LinkError."""
        self._take_head(self._request("head_remove", "head_reply"))

    def _take_head(self, reply: Message) -> None:
        state = _names("head_state").get(reply["head"], "unknown")
        self.hello = replace(self.hello, head=state, head_crc=reply["head_crc"])

    def replay(
        self,
        samples: NDArray[np.int16],
        progress: Callable[[int], None] | None = None,
        gain_lsb_per_mv: int | None = None,
        rails: tuple[int, int] | None = None,
        gaps: Sequence[tuple[int, int]] = (),
    ) -> Replayed:
        """Send `samples` (int16 counts at the board's rate) and return the events they cause.

        `gaps`: (first, number) of those that never came; the board is told so instead.

        `progress` is told the number of samples that went through the board; it goes back when
        the board was reset. Gain (LSB per mV) and rails (counts) default to the board's ADC's.
        Raises LinkError when retries do not cure the link, BoardError when the board refuses, or
        gives other events when a record is repeated.
        """
        who = self.hello
        rails = rails or (who.rail_lo, who.rail_hi)
        gain = who.gain_lsb_per_mv if gain_lsb_per_mv is None else gain_lsb_per_mv
        pieces = encode_record(samples, gaps)
        events: list[Message] = []
        lost_before = self._lost_bytes(self.info())
        began = time.monotonic()
        resets = 0
        while True:
            session = Session(self._channel, events)
            try:
                session.start("replay", gain, rails)
                session.replay(samples, pieces, progress or _ignore)
                verdict = session.verdict()
                break
            except BoardResetError:
                resets += 1
                self.link.resets += 1
                lost_before = 0  # the board counts from its boot on
            if resets > MAX_RESETS:
                printed = f"; it printed: {self.log[-1]}" if self.log else ""
                raise LinkError(f"the board on {self.url} was reset {resets} times{printed}")
        self.link.seconds += time.monotonic() - began
        self.link.samples += len(samples)
        self.link.rate_hz = who.rate_hz
        info = self.info()
        self._board_lost += self._lost_bytes(info) - lost_before
        self.link.bytes_lost = self._board_lost + self._channel.decoder.rejected_bytes
        return Replayed(events, info, Raw(**{f.name: verdict[f.name] for f in fields(Raw)}))

    def stream(self, seconds: float) -> Iterator[Message]:
        """Events of the board's own ADC, as they come, until it has taken `seconds` of signal.

        Raises BoardError when no samples come (no ADC), LinkError when the board was reset: what
        it knew about the patient is lost.
        """
        who = self.hello
        session = Session(self._channel, [])
        wanted = round(seconds * who.rate_hz)
        try:
            session.start("stream", who.gain_lsb_per_mv, (who.rail_lo, who.rail_hi))
            given = taken = 0
            patience = Patience(self.url, SILENT_S)
            while taken < wanted:
                wait_s = max(_STREAM_POLL_S, min(1.0, (wanted - taken) / who.rate_hz))
                session.receive(wait_s)
                before, taken = taken, session.poll()
                patience.look(wait_s)
                if taken > before:
                    patience.renew()
                elif patience.over:
                    raise BoardError(f"the board on {self.url} takes no samples: has it an ADC?")
                yield from session.events[given:]
                given = len(session.events)
            session.finish(0)
            yield from session.events[given:]
        except BoardResetError:
            raise LinkError(f"the board on {self.url} was reset while streaming") from None

    def _request(self, name: str, reply_name: str, **fields: Any) -> Message:
        reply = self._channel.request(name, reply_name, _ignore, **fields)
        if reply.name == "error":
            unknown = reply["error"] == schema().enums["error"]["unknown_message"]
            if unknown and name.startswith("device_"):
                raise BoardError(
                    f"the board on {self.url} does nothing alone: its firmware is no device's "
                    "(einthoven boards)"
                )
            raise self._channel.refusal(reply)
        return reply

    def _hello(self) -> Hello:
        self._channel.post(codec.DELIMITER)  # ends what an earlier program left half sent
        reply = self._request("hello", "hello_reply", protocol=schema().version)
        values = dict(reply.fields)
        protocol = values.pop("protocol")
        if protocol != schema().version:
            raise BoardError(
                f"the board on {self.url} speaks protocol {protocol}, this program "
                f"{schema().version}: flash the firmware of this checkout (einthoven flash)"
            )
        for name in ("model_sha256", "pipeline_sha256"):
            values[name] = bytes(values[name]).hex()
        for name, enum in (
            ("count_unit", "count_unit"),
            ("reset_reason", "reset_reason"),
            ("head", "head_state"),
        ):
            values[name] = _names(enum).get(values[name], "unknown")
        values["classes"] = tuple(values["classes"].split(","))
        return Hello(**values)

    def _require_board(self, expected: Board | None) -> None:
        """Another board's answers would stand under this one's name, in another unit or scale."""
        if expected is None:
            return
        who, half = self.hello, 1 << (expected.adc_bits - 1)
        for what, found, wanted in (
            ("is", who.board, expected.name),
            ("counts", who.count_unit, expected.count_unit),
            ("has an ADC of bits", who.adc_bits, expected.adc_bits),
            ("has a gain per mV of", who.gain_lsb_per_mv, expected.gain_lsb_per_mv),
            ("has rails at", (who.rail_lo, who.rail_hi), (-half, half - 1)),
        ):
            if found != wanted:
                raise BoardError(
                    f"the board on {self.url} {what} {found}, where {expected.name}'s board.toml "
                    f"says {wanted}: name the board that is there with --board, or flash this one"
                )

    def _require(self, what: str, found: str, expected: str | None) -> None:
        if expected is not None and found != expected:
            raise ModelError(
                f"the board on {self.url} has {what} {found[:12]}…, this checkout has "
                f"{expected[:12]}…: flash the firmware of this checkout (einthoven flash)"
            )

    @staticmethod
    def _lost_bytes(info: Mapping[str, Any]) -> int:
        lost: int = info["rejected_bytes"] + info["rx_overruns"]
        return lost


def _names(enum: str) -> dict[int, str]:
    return {code: name for name, code in schema().enums[enum].items()}


def _ignore(_: object) -> None:
    pass
