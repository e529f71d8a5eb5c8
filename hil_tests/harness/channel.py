"""Requests and replies over a link that loses things: sequence numbers, patience, reopening."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from einthoven.boards.board import BANNER
from einthoven.boards.patience import Patience, watched
from einthoven.errors import BoardError, LinkError
from einthoven.hil_tests.harness.links import PortLostError, open_link
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder, Message, WireError

_REOPEN_S = 5.0
"""Patience with a port that has gone: an unplugged or restarted board's comes back sooner."""
_REOPEN_WAIT_S = 0.25
_FOREIGN_TRIES = 3
"""Of a request, until a port that prints text and nothing else counts as another firmware's. A
board that starts prints its banner sooner; one that reports a fault is left time to restart."""
_OWN_TEXT = (BANNER.decode(), "fault: ")


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

    `timeouts_s`: patience with each try of a request (`einthoven.boards.patience`, counted in
    what the board has had the chance to do); their number is that of the tries.
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
        self._frames = 0
        self._loss = ""  # why the port was lost, the last time
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
        """What has arrived, with a patience of `timeout_s` for a message; PortLostError as above.

        A slow port brings a frame in pieces: a piece is no reason to come back with nothing, which
        the caller would take for silence. What has arrived is looked at even if the time is over:
        a busy machine may have kept this program from it. Raises LinkError if the board's process
        has ended.
        """
        return self._receive(Patience(self.url, timeout_s))

    def _receive(self, patience: Patience) -> list[Message]:
        if self._early:
            messages, self._early = self._early, []
            return messages
        while True:
            over = patience.over
            try:
                messages = self._messages(self._link.read(0.0 if over else patience.wait_s))
            except PortLostError as error:
                self._loss = str(error)
                raise
            if messages or over:
                return messages
            patience.look()

    def _messages(self, data: bytes) -> list[Message]:
        self.statistics.bytes_received += len(data)
        messages: list[Message] = []
        for frame in self.decoder.feed(data):
            try:
                messages.append(codec.decode(frame))
                self._frames += 1
            except WireError:
                self.decoder.reject(frame)
        return messages

    def reopen(self) -> None:
        """Open the port again after PortLostError; LinkError if it does not come back."""
        self._link.close()
        self.decoder.restart()
        self._early.clear()
        self.statistics.retries += 1
        patience, reason = Patience(self.url, _REOPEN_S), ""
        while not patience.over:
            time.sleep(_REOPEN_WAIT_S)
            patience.look(_REOPEN_WAIT_S)
            try:
                self._link = open_link(self.url, self._baud)
                return
            except BoardError as error:
                reason = str(error).removeprefix(f"cannot open {self.url}: ")
        raise LinkError(
            f"{self.url} is gone ({self._loss or 'the port was lost'}; then: {reason}): the board "
            "was unplugged or its program ended"
        )

    def request(
        self, name: str, reply: str, others: Callable[[Message], None], **fields: Any
    ) -> Message:
        """Send a request until its reply comes, and return that.

        Messages in between go to `others`. The reply may also be the message "error". Raises
        LinkError when all tries are used up.
        """
        tries: list[int] = []
        lost = 0
        before = (self.statistics.bytes_received, self._frames, len(self._printed()))
        for number, timeout_s in enumerate(self.timeouts_s):
            self.statistics.retries += number > 0
            self._sequence = self._sequence % 255 + 1
            tries.append(self._sequence)
            try:
                # The delimiter ends what a broken write may have left on the line.
                again = codec.DELIMITER if number else b""
                self.send(again + codec.encode(name, self._sequence, **fields))
                found = self._await(tries, {reply, "error"}, others, timeout_s)
            except PortLostError as error:
                self._loss = str(error)
                lost += 1
                self.reopen()
                continue
            if found is not None:
                return found
            if number + 1 >= _FOREIGN_TRIES and self._is_foreign():
                break
        if lost == len(tries):
            raise LinkError(
                f"{self.url} is lost again whenever it is opened ({self._loss}): is it a board, "
                "and does no other program use it?"
            )
        raise LinkError(self._unanswered(*before))

    def _printed(self) -> list[str]:
        return self.decoder.text + self.decoder.unfinished_text()

    def _is_foreign(self) -> bool:
        text = self._printed()
        return (
            not self._frames
            and bool(text)
            and not any(own in line for line in text for own in _OWN_TEXT)
        )

    def _unanswered(self, received: int, frames: int, lines: int) -> str:
        """Why a request failed: what came since the channel had received so much of each."""
        who = f"the board on {self.url} does not answer"
        cure = f"check its power, the cable and the baud rate ({self._baud}), or reset it"
        process = watched(self.url)
        if process is not None and process.stopped():
            return f"{who}: its process is stopped; let it go on (kill -CONT {process.pid})"
        text = self._printed()
        printed = f"it printed: {text[-1]}" if text else ""
        if self._is_foreign():
            return f"{who}; {printed}: another program is on it (einthoven flash); else {cure}"
        if self._frames > frames:
            who = f"{who}, though messages come from it"
        elif len(text) == lines:
            n = self.statistics.bytes_received - received
            who = f"{who}: {n} bytes came, and no message" if n else f"{who}: nothing came"
        return f"{who}: {cure}" + (f"; {printed}" if printed else "")

    def refusal(self, error: Message) -> BoardError:
        """What to raise for a board's message "error"."""
        text = error["text"].decode("ascii", "replace")
        return BoardError(f"the board on {self.url} refuses: {text}")

    def _await(
        self,
        tries: list[int],
        names: set[str],
        others: Callable[[Message], None],
        timeout_s: float,
    ) -> Message | None:
        """The reply to the last of `tries`. One to an earlier try says that the board is slow, not
        lost: it comes to the last one, too, and gets the time for it."""
        patience = Patience(self.url, timeout_s)
        while True:
            over = patience.over
            messages = self._receive(patience)
            for n, message in enumerate(messages):
                if message.sequence == tries[-1] and message.name in names:
                    # What follows is for whoever asked: the first events come with "start"'s reply.
                    self._early = messages[n + 1 :]
                    return message
                if message.sequence in tries and message.name in names:
                    patience.renew()
                    over = False
                others(message)
            if over:
                return None
