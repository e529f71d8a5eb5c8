"""A host on the line of a modelled chip, in the chip's own time; and what both say alike."""

from einthoven.hil_tests.chips.served import Chip
from einthoven.hil_tests.harness.host import Host
from einthoven.hil_tests.harness.record import board_events
from einthoven.native.events import Events
from einthoven.wire import codec
from einthoven.wire.codec import FrameDecoder, Message

GAIN_LSB_PER_MV, RAILS = 200, (-2048, 2047)
_WAIT_NS = 1_000_000_000
_EVENTS = ("beat", "signal", "rhythm")
_WAITING = 4
"""Samples at most that the firmware has not fetched yet."""


def encoded(name: str, **fields: int) -> bytes:
    """A request, as a host sends it."""
    return codec.encode(name, sequence=1, **fields)


class Line:
    """Requests to the chip, one after the other."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.told: list[Message] = []
        """What came without being asked for."""
        self._decoder = FrameDecoder()

    def ask(self, name: str, **fields: int) -> Message:
        """A request and its reply. Raises AssertionError where none comes within a second."""
        self.chip.coming += encoded(name, **fields)
        until = self.chip.ns + _WAIT_NS
        while self.chip.ns < until:
            self.chip.sleep()
            self.chip.wake()
            frames = self._decoder.feed(bytes(self.chip.sent))
            self.chip.sent.clear()
            replies = [codec.decode(frame) for frame in frames]
            self.told += [reply for reply in replies if reply.sequence == 0]
            for reply in replies:
                if reply.sequence != 0:
                    return reply
        raise AssertionError(f"no reply to {name}")

    def start_stream(self, session: int) -> None:
        """The chip's own samples from now on."""
        low, high = RAILS
        asked = {"gain_lsb_per_mv": GAIN_LSB_PER_MV, "rail_lo": low, "rail_hi": high}
        self.ask("start", session=session, mode=1, **asked)


def agreed(line: Line) -> tuple[Events, int]:
    """What the host says of the samples that have gone through the chip's session so far, and how
    many those are. Raises AssertionError where one of the last beats differs in any bit.

    The session begins somewhere in the chip's samples: where their count says, but for those that
    were not fetched yet.
    """
    n = line.ask("poll", events_acked=0)["next_sample"]
    sampling = line.chip.sampling
    told = {m["number"]: m for m in line.told if m.name in _EVENTS}  # some of them twice
    ours = board_events([told[number] for number in sorted(told)]).beats
    newest = sampling.taken - n
    for begin in range(max(newest - _WAITING, 0), newest + 1):
        samples = sampling.samples[begin : begin + n]
        theirs = Host(None).check(samples, GAIN_LSB_PER_MV, RAILS)[0]
        known = theirs.beats[theirs.beats["t_emitted"] < n]
        last = known[-len(ours) :].copy()
        last["count"] = ours["count"]
        if len(ours) > 0 and last.tobytes() == ours.tobytes():
            return theirs, n
    raise AssertionError(f"{len(ours)} beats of the chip are not the host's")
