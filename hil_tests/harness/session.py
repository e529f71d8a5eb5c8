"""One record on its way through a board: credit, resending, events, resets (docs/SPEC.md, 5)."""

import secrets
from bisect import bisect_right
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import BoardError, LinkError
from einthoven.hil_tests.harness.channel import Channel
from einthoven.hil_tests.harness.links import PortLostError
from einthoven.wire import codec
from einthoven.wire.codec import Message
from einthoven.wire.samples import Piece, encode_pieces
from einthoven.wire.schema import schema

_EVENTS = frozenset({"beat", "signal", "rhythm"})
_FLAGS = schema().enums["status_flag"]
_MAX_IDLE_POLLS = 20
"""Polls in a row after which neither samples nor events went on."""


class BoardResetError(Exception):
    """The board does not know the session any more."""


class Session:
    """A session of a board: `start` opens it, then `replay`, or in stream mode `receive`.

    `events` collects all events in order. A session that repeats an earlier one (after a reset)
    is handed the earlier one's: its own first ones must be equal, or BoardError is raised.
    """

    def __init__(self, channel: Channel, events: list[Message]) -> None:
        self.events = events
        self._channel = channel
        self._known = {event["number"]: event for event in events}
        self._number = secrets.randbelow(2**32 - 1) + 1
        self._open = False
        self._next_event = 0
        self._acked = 0
        self._credit = 0
        self._in_flight: deque[tuple[int, int]] = deque()  # (index after the last sample, bytes)
        self._resend = False
        self._full = False
        self._last_poll = (-1, -1)
        self._idle_polls = 0

    def start(self, mode: str, gain_lsb_per_mv: int, rails: tuple[int, int]) -> None:
        """Open the session on the board; BoardError if it refuses."""
        reply = self._channel.request(
            "start",
            "status",
            self._on_message,
            session=self._number,
            mode=schema().enums["mode"][mode],
            gain_lsb_per_mv=gain_lsb_per_mv,
            rail_lo=rails[0],
            rail_hi=rails[1],
        )
        self._require_status(reply)
        self._open = True
        self._credit = reply["credit_bytes"]

    def replay(
        self, samples: NDArray[np.int16], pieces: list[Piece], progress: Callable[[int], None]
    ) -> None:
        """Send all samples, cut into `pieces`, and wait for the last event.

        Raises BoardResetError when the board was reset, LinkError when retries do not help.
        """
        starts = [piece.start for piece in pieces]
        wait_s = self._channel.timeouts_s[0]
        upcoming = 0
        while self._acked < len(samples):
            before = self._acked
            try:
                upcoming = self._fill(samples, pieces, starts, upcoming)
                messages = self._channel.receive(wait_s)
                for message in messages:
                    self._on_message(message)
                if not messages or self._resend:
                    upcoming = self.poll()
            except PortLostError:
                self._channel.reopen()
                upcoming = self.poll()
            if self._acked != before:
                progress(self._acked)
        self.finish(len(samples))

    def receive(self, timeout_s: float) -> None:
        """Take what comes within `timeout_s`; poll if an event was lost on the way."""
        try:
            for message in self._channel.receive(timeout_s):
                self._on_message(message)
        except PortLostError:
            self._channel.reopen()
            self._resend = True
        if self._resend:
            self.poll()

    def poll(self) -> int:
        """Ask where the board is and for all events that have not come; returns its next sample.

        After the reply nothing is under way. Raises BoardResetError, and LinkError when many
        polls in a row have brought nothing.
        """
        self._require_progress()
        self._channel.statistics.retries += bool(self._in_flight) and not self._full
        reply = self._request("poll", events_acked=self._next_event)
        first_kept = reply["next_event"] - reply["waiting_events"]
        if first_kept > self._next_event:  # stream mode: the board could not keep them
            self._channel.statistics.events_lost += first_kept - self._next_event
            self._next_event = first_kept
        self._acked = reply["next_sample"]
        self._in_flight.clear()
        self._resend = reply["next_event"] > self._next_event
        self._full = False
        return self._acked

    def finish(self, samples: int) -> None:
        """Tell the board that nothing comes after `samples`, and wait for the last event."""
        while True:
            reply = self._request("finish", samples=samples, events_acked=self._next_event)
            if reply["flags"] & _FLAGS["resend"]:
                raise LinkError(
                    f"the board on {self._channel.url} has {reply['next_sample']} samples "
                    f"instead of {samples}: flash the firmware of this checkout (einthoven flash)"
                )
            if reply["flags"] & _FLAGS["finished"] and reply["next_event"] == self._next_event:
                return
            self._require_progress()

    def verdict(self) -> Message:
        """The verdict on what was replayed, after `finish`. Raises BoardResetError."""
        reply = self._channel.request("verdict", "verdict_reply", self._on_message)
        if reply.name == "error":
            raise self._channel.refusal(reply)
        if reply["session"] != self._number:
            raise BoardResetError
        return reply

    # ---- details ----

    def _request(self, name: str, **fields: int) -> Message:
        reply = self._channel.request(name, "status", self._on_message, **fields)
        self._require_status(reply)
        return reply

    def _require_status(self, reply: Message) -> None:
        if reply.name == "error":
            raise self._channel.refusal(reply)
        if reply["session"] != self._number:
            raise BoardResetError

    def _require_progress(self) -> None:
        now = (self._acked, self._next_event)
        self._idle_polls = self._idle_polls + 1 if now == self._last_poll else 0
        self._last_poll = now
        if self._idle_polls > _MAX_IDLE_POLLS:
            raise LinkError(
                f"the link to the board on {self._channel.url} loses too much: "
                "check the cable and the baud rate"
            )

    def _fill(
        self, samples: NDArray[np.int16], pieces: list[Piece], starts: list[int], upcoming: int
    ) -> int:
        """Send as much as the credit allows, from sample `upcoming` on; returns the next one."""
        under_way = sum(size for _, size in self._in_flight)
        out = bytearray()
        while upcoming < len(samples):
            piece = pieces[bisect_right(starts, upcoming) - 1]
            end = piece.start + piece.count
            if piece.start != upcoming:  # the board took a part of this one
                piece = encode_pieces(samples[:end], end - upcoming, upcoming)[0]
                end = piece.start + piece.count
            data = self._message(piece)
            if self._in_flight and under_way + len(data) > self._credit:
                break
            out += data
            under_way += len(data)
            self._in_flight.append((end, len(data)))
            upcoming = end
        if out:
            self._channel.send(bytes(out))
        return upcoming

    def _message(self, piece: Piece) -> bytes:
        about = {"start": piece.start, "events_acked": self._next_event}
        if piece.lost:
            return codec.encode("gap", lost=piece.count, **about)
        return codec.encode("samples", count=piece.count, code=piece.code, **about)

    def _on_message(self, message: Message) -> None:
        if not self._open:
            return  # left over from before
        if message.name in _EVENTS:
            self._on_event(message)
        elif message.name == "status" and message.sequence == 0:
            if message["session"] != self._number:
                raise BoardResetError
            self._acked = max(self._acked, message["next_sample"])
            while self._in_flight and self._in_flight[0][0] <= self._acked:
                self._in_flight.popleft()
            self._resend |= bool(message["flags"] & _FLAGS["resend"])
            self._full |= bool(message["flags"] & _FLAGS["full"])
        elif message.name == "error" and message.sequence == 0:
            self._require_status(message)

    def _on_event(self, event: Message) -> None:
        number = event["number"]
        if number > self._next_event:
            self._resend = True  # one before it was lost: poll brings all of them again
            return
        known = self._known.get(number)
        if known is not None and not _same(known, event):
            raise BoardError(
                f"the board on {self._channel.url} computed event {number} differently when "
                f"it was repeated: {_brief(known)} became {_brief(event)}"
            )
        if number == self._next_event:
            self._next_event += 1
            if known is None:
                self._known[number] = event
                self.events.append(event)


def _same(one: Message, other: Message) -> bool:
    """Equal but for `count`: interrupts and caches change what an inference costs."""
    return one.name == other.name and all(
        value == other.fields[key] for key, value in one.fields.items() if key != "count"
    )


def _brief(event: Message) -> str:
    return ", ".join(f"{key} {value}" for key, value in event.fields.items() if key != "count")
