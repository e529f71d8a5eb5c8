"""A chip's debug port as a probe of pyOCD's on a TCP port: its remote probe protocol, a JSON object
a line (pyOCD's `docs/remote_probe_access.md`). The probe works on registers, so that no sequence of
bits is looked at.
"""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from einthoven.hil_tests.chips.debug.access_port import (
    CTRL_STAT,
    SELECT,
    STICKY_ERROR,
    DebugPort,
)
from einthoven.hil_tests.chips.debug.jtag import Chain

_TRANSFER, _FAULT = 10, 12
"""Status codes of the protocol."""
_NO_ACK = "SWD/JTAG communication failure (No ACK)"
"""What pyOCD's own driver of CMSIS-DAP says of a chip that is gone."""
_PROPERTIES: dict[str, Any] = {
    "vendor_name": "Einthoven",
    "product_name": "modelled chip",
    "supported_wire_protocols": ["DEFAULT", "SWD"],
    "wire_protocol": "SWD",
    "capabilities": [],
}


class _Refused(Exception):  # noqa: N818 - an answer of the protocol's
    """With its status code."""


class Probe:
    """The requests of one tool to a chip, whose `reset` is told as its `chain` is."""

    def __init__(self, port: DebugPort, chain: Chain, reset: Callable[[bool], None]) -> None:
        self._port, self._chain, self._reset = port, chain, reset

    def answer(self, line: bytes) -> dict[str, Any]:
        """What a request gets."""
        asked = json.loads(line)
        told: dict[str, Any] = {"id": asked["id"], "status": 0}
        try:
            with self._chain.lock:
                result = self._do(asked["request"], *asked.get("arguments", []))
        except _Refused as refused:
            return told | {"status": refused.args[0], "error": refused.args[1]}
        return told if result is None else told | {"result": result}

    def _do(self, what: str, *words: Any) -> Any:
        if what.split("_")[0] in ("read", "write") and self._chain.pulled():
            raise _Refused(_TRANSFER, _NO_ACK)
        port = self._port
        match what, words:
            case "readprop", (name,):
                return _PROPERTIES[name]
            case "read_dp", (address,):
                return port.read(False, address)
            case "write_dp", (0, _):  # ABORT clears what is sticky
                port.write(False, CTRL_STAT, port.read(False, CTRL_STAT) | STICKY_ERROR)
            case "write_dp", (address, value):
                port.write(False, address, value)
            case "read_ap", (address,):
                return self._read(address)
            case "write_ap", (address, value):
                self._write(address, value)
            case "read_ap_multiple", (address, count):
                return [self._read(address) for _ in range(count)]
            case "write_ap_multiple", (address, values):
                for value in values:
                    self._write(address, value)
            case "assert_reset", (low,):
                self._reset(low)
            case "is_reset_asserted", ():
                return False
        return None

    def _read(self, address: int) -> int:
        self._port.write(False, SELECT, address & 0xFF0000F0)
        found = self._port.read(True, address & 0xF)
        self._require_no_fault()
        return found

    def _write(self, address: int, value: int) -> None:
        self._port.write(False, SELECT, address & 0xFF0000F0)
        self._port.write(True, address & 0xF, value)
        self._require_no_fault()

    def _require_no_fault(self) -> None:
        if self._port.read(False, CTRL_STAT) & STICKY_ERROR:
            raise _Refused(_FAULT, "memory transfer fault")


@contextmanager
def on_a_port(probe: Probe) -> Iterator[str]:
    """The probe's number for `pyocd -u`, for the block."""

    class Tool(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(json.dumps(probe.answer(line)).encode() + b"\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tool) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"remote:127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10.0)
