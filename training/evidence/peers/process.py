"""The near end of `worker.py`: asks a detector for a record's beats, and survives whatever it does.

A detector that takes longer than its time, or whose process ends, has failed on that record; the
next one gets a fresh process.
"""

import json
import os
import selectors
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")}
TIME_LIMIT = "TimeLimit"
PROCESS_ENDED = "ProcessEnded"
"""`exception` of what is not one: no answer in time, or none at all."""


class Worker:
    """A detector in a process of its own, started when it is first asked."""

    def __init__(
        self,
        python: Path,
        detector: str,
        limit_s: float,
        module: str = "adapters",
        search_path: Path = HERE,
    ) -> None:
        """`module` (in `search_path`) holds the detector; `limit_s`: wall-clock time a record."""
        script = str(HERE / "worker.py")
        self._command = [str(python), script, str(search_path), module, detector]
        self._limit_s = limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def ask(self, signal: Path) -> dict[str, Any]:
        """The worker's answer for a signal's file, see `worker.answer`."""
        process = self._process or self._start()
        self._process = process
        if process.stdin is None:
            raise AssertionError("the worker has no input")
        try:
            process.stdin.write(json.dumps({"signal": str(signal)}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended()
        line = self._line(process)
        if line is None:
            self._stop()
            limit = f"no answer within {self._limit_s:g} s"
            return {"exception": TIME_LIMIT, "message": limit, "where": ""}
        if not line:
            return self._ended()
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "MPLBACKEND": "Agg", "PYTHONPATH": ""},
        )

    def _line(self, process: subprocess.Popen[bytes]) -> bytes | None:
        """A line of the worker's; empty when it has ended, None when time is up."""
        if process.stdout is None:
            raise AssertionError("the worker has no output")
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(self._limit_s):
                return None
        return process.stdout.readline()

    def _ended(self) -> dict[str, Any]:
        code = self._process.wait() if self._process else None
        self._stop()
        return {"exception": PROCESS_ENDED, "message": f"exit code {code}", "where": ""}

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
