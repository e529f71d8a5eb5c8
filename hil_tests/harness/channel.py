"""Requests and replies over a link that loses things: sequence numbers, time-outs, reopening."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from einthoven.errors import BoardError, LinkError
from einthoven.hil_tests.harness.links import PortLostError, open_link
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder, Message, WireError

_REOPEN_TRIES = 20
_REOPEN_WAIT_S = 0.25


@dataclass
class LinkStatistics:
    """What it took to get everything across.

    `bytes_lost`: received but part of no good frame, on either side, and overruns of the board's
    receiver. `retries`: requests repeated, samples sent again, ports opened again. `samples` and
    `seconds` are those of the replays. `events_lost`: in stream mode, what the board could not keep
    until it was fetched.
    """

    bytes_sent: int = 0
    bytes_received: int = 0
    bytes_lost: int = 0
    retries: int = 0
    resets: int = 0
    events_lost: int = 0
    samples: int = 0
    seconds: float = 0.0
    rate_hz: int = 0

    @property
    def times_real_time(self) -> float:
        """Signal time over wall time of the replays; 0 before the first one."""
        return self.samples / self.rate_hz / self.seconds if self.seconds else 0.0


class Channel:
    """Messages to and from one board on `url`.

    `timeouts_s`: how long each try of a request waits; their number is that of the tries.
    Raises BoardError if the port cannot be opened.
    """

    def __init__(self, url: str, baud: int, timeouts_s: tuple[float, ...]) -> None:
        self.url = url
        self.timeouts_s = timeouts_s
        self.statistics = LinkStatistics()
        self.decoder = FrameDecoder()
        self._baud = baud
        self._sequence = 0
        self._early: list[Message] = []  # came in one piece with a reply, after it
        self._link = open_link(url, baud)

    def close(self) -> None:
        """Close the port."""
        self._link.close()

    def send(self, data: bytes) -> None:
        """Send encoded messages; PortLostError if the port has gone."""
        self._link.write(data)
        self.statistics.bytes_sent += len(data)

    def post(self, data: bytes) -> None:
        """Send what no reply belongs to; the port is opened again if it has gone, `data` is not."""
        try:
            self.send(data)
        except PortLostError:
            self.reopen()

    def receive(self, timeout_s: float) -> list[Message]:
        """What has arrived, waiting up to `timeout_s` for a message; PortLostError as above.

        A slow port brings a frame in pieces: a piece is no reason to come back with nothing, which
        the caller would take for silence. What has arrived is looked at even if the time is over:
        a busy machine may have kept this program from it.
        """
        if self._early:
            messages, self._early = self._early, []
            return messages
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            data = self._link.read(max(0.0, left))
            messages = self._messages(data)
            if messages or not data or left <= 0:
                return messages

    def _messages(self, data: bytes) -> list[Message]:
        self.statistics.bytes_received += len(data)
        messages: list[Message] = []
        for frame in self.decoder.feed(data):
            try:
                messages.append(codec.decode(frame))
            except WireError:
                self.decoder.reject(frame)
        return messages

    def reopen(self) -> None:
        """Open the port again after PortLostError; LinkError if it does not come back."""
        self._link.close()
        self.decoder.restart()
        self._early.clear()
        self.statistics.retries += 1
        for _ in range(_REOPEN_TRIES):
            time.sleep(_REOPEN_WAIT_S)
            try:
                self._link = open_link(self.url, self._baud)
                return
            except BoardError:
                continue
        raise LinkError(f"{self.url} is gone: the board was unplugged or its program ended")

    def request(
        self, name: str, reply: str, others: Callable[[Message], None], **fields: Any
    ) -> Message:
        """Send a request until its reply comes, and return that.

        Messages in between go to `others`. The reply may also be the message "error". Raises
        LinkError when all tries are used up.
        """
        for number, timeout_s in enumerate(self.timeouts_s):
            self.statistics.retries += number > 0
            self._sequence = self._sequence % 255 + 1
            try:
                # The delimiter ends what a broken write may have left on the line.
                again = codec.DELIMITER if number else b""
                self.send(again + codec.encode(name, self._sequence, **fields))
                found = self._await(self._sequence, {reply, "error"}, others, timeout_s)
            except PortLostError:
                self.reopen()
                continue
            if found is not None:
                return found
        heard = f"; it printed: {self.decoder.text[-1]}" if self.decoder.text else ""
        raise LinkError(
            f"the board on {self.url} does not answer: check its power, the cable and the baud "
            f"rate ({self._baud}), or reset it{heard}"
        )

    def refusal(self, error: Message) -> BoardError:
        """What to raise for a board's message "error"."""
        text = error["text"].decode("ascii", "replace")
        return BoardError(f"the board on {self.url} refuses: {text}")

    def _await(
        self, sequence: int, names: set[str], others: Callable[[Message], None], timeout_s: float
    ) -> Message | None:
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            messages = self.receive(max(0.0, left))
            for n, message in enumerate(messages):
                if message.sequence == sequence and message.name in names:
                    # What follows is for whoever asked: the first events come with "start"'s reply.
                    self._early = messages[n + 1 :]
                    return message
                others(message)
            if left <= 0:
                return None
