"""A board's own signal as it comes: samples, what is missing of them, events (docs/SPEC.md, 5).

What the link loses is asked for again; what the board's ADC lost, or what nobody fetched in time,
is said. The board's session may be this program's, or one that the board has begun by itself.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import BoardError, LinkError
from einthoven.hil_tests.harness.channel import Channel
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.links import PortLostError
from einthoven.wire.codec import Message, WireError
from einthoven.wire.samples import decode_piece
from einthoven.wire.schema import schema

__all__ = ["Began", "Item", "Missing", "Samples", "Watcher"]

_EVENTS = frozenset({"beat", "signal", "rhythm"})
_ACK_S = 0.5
_ACK_BLOCKS = 8
"""The board keeps 15; at real time half a second comes first."""
_TRIES = 8
"""Requests in a row that leave something missing which the board says it has."""


@dataclass(frozen=True)
class Began:
    """A session from here on: samples and events count from its own begin.

    `at`: index of the first sample that is known of it.
    """

    session: int
    at: int


@dataclass(frozen=True)
class Samples:
    """int16 counts of the board's ADC, [n], from index `start` on."""

    start: int
    values: NDArray[np.int16]


@dataclass(frozen=True)
class Missing:
    """Samples that will not come: the ADC had no room ("board"), or nobody fetched them."""

    start: int
    count: int
    by: Literal["board", "link"]


Item = Began | Samples | Missing | Message
"""What a watched board says; a Message is one of beat, signal, rhythm."""


class Watcher:
    """Watches `device`: a session in stream mode, opened unless the board is in one already.

    Raises BoardError when it refuses (a device with a key: locked), LinkError.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._channel: Channel = device.channel
        self._own = 0  # the session that this program has opened
        self._session = 0
        self._upcoming = 0  # samples before it were given
        self._next_event = 0
        self._blocks: dict[int, Message] = {}  # by the index of the first sample, or the gap before
        self._events: dict[int, Message] = {}
        self._items: list[Item] = []
        self._since_ack = 0
        self._acked_at = 0.0
        reply = self._request(on=False)
        if not reply["runs"]:
            self._open()

    @property
    def session(self) -> int:
        """The session that is watched; 0 while none has begun."""
        return self._session

    def take(self, timeout_s: float = _ACK_S) -> list[Item]:
        """What has come within `timeout_s`, in order. A lost port is opened again if it comes back.

        Raises LinkError when it does not, or when the link loses too much.
        """
        due = self._acked_at + _ACK_S - time.monotonic()
        try:
            for message in self._channel.receive(max(0.0, min(timeout_s, due))):
                self._on_message(message)
        except PortLostError:
            self._channel.reopen()
            self._acked_at = 0.0
        self._sort()
        missing = bool(self._blocks or self._events)
        if missing or self._since_ack >= _ACK_BLOCKS or time.monotonic() - self._acked_at >= _ACK_S:
            self._acknowledge()
        items, self._items = self._items, []
        return items

    def ask(self, name: str, reply: str, **fields: int) -> Message | None:
        """Another request meanwhile, and its reply; None if the board refuses it or has none such.

        Raises LinkError.
        """
        found = self._channel.request(name, reply, self._on_message, **fields)
        return None if found.name == "error" else found

    def stop(self) -> list[Item]:
        """End the watching, and the session if it is this program's; what came until then."""
        if self._own and self._own == self._session:
            done = self._channel.request(
                "finish", "status", self._on_message, samples=0, events_acked=self._next_event
            )
            if done.name == "error":
                raise self._channel.refusal(done)
            self._acknowledge()
        self._request(on=False)
        self._sort()
        items, self._items = self._items, []
        return items

    def _open(self) -> None:
        who = self._device.hello
        self._own = secrets.randbelow(2**32 - 1) + 1
        reply = self._channel.request(
            "start",
            "status",
            lambda _: None,
            session=self._own,
            mode=schema().enums["mode"]["stream"],
            gain_lsb_per_mv=who.gain_lsb_per_mv,
            rail_lo=who.rail_lo,
            rail_hi=who.rail_hi,
        )
        if reply.name == "error":
            raise self._channel.refusal(reply)
        self._blocks.clear()
        self._begin(self._own, 0)
        self._acked_at = 0.0

    def _request(self, on: bool) -> Message:
        reply = self._channel.request(
            "watch",
            "watch_reply",
            self._on_message,
            on=int(on),
            session=self._session,
            samples_acked=self._upcoming,
            events_acked=self._next_event,
        )
        if reply.name == "error":
            text = reply["text"].decode("ascii", "replace")
            if reply["error"] == schema().enums["error"]["unknown_message"]:
                raise BoardError(
                    f"the board on {self._device.url} cannot be watched: flash the firmware of "
                    "this checkout (einthoven flash)"
                )
            raise BoardError(f"the board on {self._device.url} refuses to be watched: {text}")
        self._acked_at = time.monotonic()
        self._since_ack = 0
        return reply

    def _acknowledge(self) -> None:
        for _ in range(_TRIES):
            reply = self._request(on=True)
            if self._own and not reply["runs"] and reply["session"] != self._own:
                self._open()  # the board was reset
                continue
            if not reply["session"]:
                return  # of nothing yet
            if reply["session"] != self._session or reply["next_sample"] < self._upcoming:
                self._begin(reply["session"], reply["first_sample"])
            self._sort()
            self._skip(reply)
            if self._upcoming >= reply["next_sample"] and not self._events:
                return
        raise LinkError(
            f"the link to the board on {self._device.url} loses too much: "
            "check the cable and the baud rate"
        )

    def _begin(self, session: int, at: int) -> None:
        self._session = session
        self._upcoming = at
        self._next_event = 0
        self._events.clear()
        self._blocks = {n: b for n, b in self._blocks.items() if b["session"] == session}
        self._items.append(Began(session, at))

    def _skip(self, reply: Message) -> None:
        """Goes over what the board does not have any more."""
        if reply["first_sample"] > self._upcoming:
            count = reply["first_sample"] - self._upcoming
            self._items.append(Missing(self._upcoming, count, "link"))
            self._upcoming = reply["first_sample"]
        if reply["first_event"] > self._next_event:
            self._channel.statistics.events_lost += reply["first_event"] - self._next_event
            self._next_event = reply["first_event"]
        self._sort()

    def _on_message(self, message: Message) -> None:
        if message.name == "trace":
            begin = message["start"] - message["lost"]
            if message["session"] != self._session:
                if begin < 0:
                    return
                self._begin(message["session"], begin)
            self._blocks[begin] = message
            self._since_ack += 1
        elif message.name in _EVENTS:
            self._events[message["number"]] = message

    def _sort(self) -> None:
        """Moves what follows without a gap to what is given next, and forgets repetitions."""
        while (block := self._blocks.pop(self._upcoming, None)) is not None:
            if block["lost"]:
                self._items.append(Missing(self._upcoming, block["lost"], "board"))
            try:
                values = decode_piece(block["code"], block["count"])
            except WireError as error:
                raise BoardError(f"the board on {self._device.url}: {error}") from None
            if block["count"]:
                self._items.append(Samples(block["start"], values))
            self._upcoming = block["start"] + block["count"]
            if not block["count"] and not block["lost"]:
                break
        self._blocks = {n: b for n, b in self._blocks.items() if n > self._upcoming}
        while self._session and (event := self._events.pop(self._next_event, None)) is not None:
            self._items.append(event)
            self._next_event += 1
        self._events = {n: e for n, e in self._events.items() if n > self._next_event}
