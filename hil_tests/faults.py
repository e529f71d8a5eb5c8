"""A bad cable: a proxy between a device and its board that does harm at given bytes.

Harm that takes several bytes is a burst: it hits what was under way when it began. A host that
waits and asks again finds the burst over, however few bytes had been under way. (Counted in bytes
alone, a burst outlasts any number of tries: six of 15 bytes are less than what it still had to
eat, so the board "did not answer" whenever a busy machine had left little under way.)
"""

import random
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from einthoven.boards.patience import watched, watching
from einthoven.hil_tests.harness.links import PortLostError, open_link
from einthoven.wire import codec as wire

TO_BOARD: Literal["to_board"] = "to_board"
TO_HOST: Literal["to_host"] = "to_host"
Direction = Literal["to_board", "to_host"]
_POLL_S = 0.02


@dataclass(frozen=True)
class Fault:
    """What happens to the bytes `at` … `at + size - 1` that travel in one direction.

    They are fewer if the host asks again meanwhile: see above. drop: they vanish. double: they come
    twice. flip: one bit of each is wrong. stall: `seconds` pass before them. cut: the connection to
    the host breaks, and can be opened again. reset: the board is restarted before them. silence:
    nothing passes any more, in this direction.
    """

    kind: Literal["drop", "double", "flip", "stall", "cut", "reset", "silence"]
    direction: Direction
    at: int
    size: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Noise:
    """Every byte of a direction has one wrong bit with this probability; seeded."""

    direction: Direction
    probability: float
    seed: int = 0


class _CutError(Exception):
    pass


class _Wire:
    """One direction: applies what is due and hands on the rest."""

    def __init__(self, direction: Direction, faults: Sequence[Fault | Noise]) -> None:
        self._faults = sorted(
            (f for f in faults if isinstance(f, Fault) and f.direction == direction),
            key=lambda fault: fault.at,
        )
        self._noise = [f for f in faults if isinstance(f, Noise) and f.direction == direction]
        self._random = random.Random(self._noise[0].seed if self._noise else 0)
        self._at = 0
        self._silent = False
        self._in_burst = False  # the first fault has hit a part of its bytes
        self._burst_over = False

    def end_burst(self) -> None:
        """From the next byte on; called by the other direction's thread, too."""
        self._burst_over = True

    @property
    def left(self) -> int:
        """Faults that have not happened."""
        return len(self._faults)

    def carry(self, data: bytes) -> list[bytes]:
        """What arrives for `data`; raises _CutError where the connection breaks."""
        out: list[bytes] = []
        if self._burst_over:
            self._burst_over = False
            if self._in_burst:
                self._in_burst = False
                self._faults.pop(0)
        while data:
            fault = self._faults[0] if self._faults else None
            if fault is None or fault.at >= self._at + len(data):
                out.append(self._pass(data))
                break
            before = max(0, fault.at - self._at)
            out.append(self._pass(data[:before]))
            data = data[before:]
            if len(data) < fault.size and fault.kind in ("drop", "double", "flip"):
                hit, data = data, b""
                self._faults[0] = Fault(
                    fault.kind, fault.direction, fault.at + len(hit), fault.size - len(hit)
                )
                self._in_burst = True
            else:
                hit, data = data[: fault.size], data[fault.size :]
                self._faults.pop(0)
                self._in_burst = False
            out.append(self._apply(fault, hit))
        return out

    def _pass(self, data: bytes) -> bytes:
        self._at += len(data)
        if self._silent:
            return b""
        for noise in self._noise:
            data = bytes(
                byte ^ (1 << self._random.randrange(8))
                if self._random.random() < noise.probability
                else byte
                for byte in data
            )
        return data

    def _apply(self, fault: Fault, hit: bytes) -> bytes:
        self._at += len(hit)
        if self._silent or fault.kind == "drop":
            return b""
        if fault.kind == "double":
            return hit + hit
        if fault.kind == "flip":
            return bytes(byte ^ 0x10 for byte in hit)
        if fault.kind == "stall":
            time.sleep(fault.seconds)
        elif fault.kind == "cut":
            raise _CutError
        elif fault.kind == "reset":
            return wire.DELIMITER + wire.encode("reset") + hit
        elif fault.kind == "silence":
            self._silent = True
            return b""
        return hit


class _Asking:
    """Finds where the host asks again: it sends a delimiter first, and the byte before is one."""

    def __init__(self) -> None:
        self._last = 1

    def split(self, data: bytes) -> list[bytes]:
        """`data` (not empty), cut before each of these places; the first piece may be empty."""
        before = bytes((self._last,)) + data[:-1]
        self._last = data[-1]
        places = [i for i, pair in enumerate(zip(before, data, strict=True)) if pair == (0, 0)]
        bounds = [0, *places, len(data)]
        return [data[a:b] for a, b in pairwise(bounds)]


class FaultyLink:
    """Context manager: a TCP port (`url`) in front of the board on `board_url`, with faults."""

    def __init__(self, board_url: str, faults: Sequence[Fault | Noise], baud: int = 115200) -> None:
        self._board = open_link(board_url, baud)
        self._asking = _Asking()
        self._wires = {d: _Wire(d, faults) for d in (TO_BOARD, TO_HOST)}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_POLL_S)
        self._client: socket.socket | None = None
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._to_board, self._to_host)
        ]
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._watching = watching(self.url, watched(board_url))

    @property
    def faults_left(self) -> int:
        """Faults that have not happened: the conversation was too short for them."""
        return sum(wire.left for wire in self._wires.values())

    def __enter__(self) -> "FaultyLink":
        self._watching.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._hang_up(self._client)
        self._listener.close()
        self._board.close()
        self._watching.__exit__(None, None, None)

    def _end(self) -> None:
        """The board has gone: so does the cable, instead of being silent."""
        self._stop.set()
        self._listener.close()
        self._hang_up(self._client)

    def _hang_up(self, client: socket.socket | None) -> None:
        """End that connection; the next one may have been accepted meanwhile, and stays."""
        if client is None:
            return
        if self._client is client:
            self._client = None
        # Both directions at once, also for the thread that is just reading from it.
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    def _carry_to_board(self, data: bytes) -> None:
        for part in self._wires[TO_BOARD].carry(data):
            self._board.write(part)

    def _to_board(self) -> None:
        while not self._stop.is_set():
            client = self._client
            try:
                if client is None:
                    client, _ = self._listener.accept()
                    client.settimeout(_POLL_S)
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._client = client
                data = client.recv(4096)
                if not data:
                    raise _CutError
                first, *again = self._asking.split(data)
                self._carry_to_board(first)
                for piece in again:
                    for wire in self._wires.values():
                        wire.end_burst()
                    self._carry_to_board(piece)
            except TimeoutError:
                continue
            except (_CutError, OSError):
                self._hang_up(client)
            except PortLostError:
                self._end()
        self._hang_up(self._client)

    def _to_host(self) -> None:
        while not self._stop.is_set():
            client = None
            try:
                data = self._board.read(_POLL_S)
                client = self._client
                for part in self._wires[TO_HOST].carry(data):
                    if client is not None and part:
                        client.sendall(part)
            except (_CutError, OSError):
                self._hang_up(client)
            except PortLostError:
                self._end()
