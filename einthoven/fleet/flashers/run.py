"""Calling a flasher: its lines as they come, its end, and what it meant by it.

A tool is ended when it has been silent or at work for too long, with all that it started, and when
the user stops the whole.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable

from einthoven.fleet.flashers.job import Chip, Job, Step, Tool
from einthoven.fleet.flashers.trouble import FlashError, Trouble, no_permission
from einthoven.tool_output import first_error

LOOK_S = 0.2
Progress = Callable[[float], None]
"""Told how much of a job is done, 0 to 1."""


def flash(tool: Tool, job: Job, progress: Progress, stop: threading.Event) -> str:
    """Write the job's image with the tool; how it was verified. Raises FlashError, BoardError."""
    if shutil.which(tool.command[0]) is None:
        raise FlashError(
            Trouble.TOOL_MISSING,
            f"{job.name}: '{tool.command[0]}' is not installed: {tool.install}",
        )
    for node in (job.probe.node if job.probe else None, job.port):
        if node and os.path.exists(node) and not os.access(node, os.R_OK | os.W_OK):  # noqa: PTH110
            raise no_permission(job.name, job.probe, job.port)
    before = 0.0
    for step in tool.steps(job):
        _run(tool, job, step, _part(progress, before, step.share), stop)
        before += step.share
    progress(1.0)
    return tool.verified


def _part(progress: Progress, before: float, share: float) -> Progress:
    return lambda done: progress(before + done * share)


def _run(tool: Tool, job: Job, step: Step, progress: Progress, stop: threading.Event) -> None:
    process = subprocess.Popen(
        [*tool.command, *step.command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # what it starts ends with it, and Ctrl-C is this program's
        cwd=job.scratch,
        env=job.environment,
    )
    try:
        output = _listen(tool, job, step, process, progress, stop)
    finally:
        _end(process)
    failure = understand(tool, job, step, output, process.returncode)
    if failure is not None:
        raise failure
    if step.after is not None:
        step.after()


def _listen(
    tool: Tool,
    job: Job,
    step: Step,
    process: subprocess.Popen[bytes],
    progress: Progress,
    stop: threading.Event,
) -> str:
    assert process.stdout is not None
    said: list[str] = []
    rest, deadline = b"", time.monotonic() + step.limit_s
    while True:
        if stop.is_set():
            raise FlashError(Trouble.STOPPED, f"{job.name}: stopped while {tool.name} was at work")
        if time.monotonic() > deadline:
            last = said[-1] if said else "nothing"
            raise FlashError(
                Trouble.TIME_OUT,
                f"{job.name}: {tool.name} was ended after {step.limit_s:.0f} s; the last that it "
                f"said: {last}",
            )
        if not select.select([process.stdout], [], [], LOOK_S)[0]:
            continue
        chunk = os.read(process.stdout.fileno(), 4096)
        if not chunk:
            process.wait()
            return "\n".join([*said, rest.decode(errors="replace")])
        # Progress bars begin anew with a carriage return or step back.
        *lines, rest = re.split(rb"[\r\n\b]+", rest + chunk)
        for line in (raw.decode(errors="replace").strip() for raw in lines):
            if line:
                said.append(line)
                done = tool.done(line)
                if done is not None:
                    progress(done)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it left behind
    if process.stdout is not None:
        process.stdout.close()


def understand(tool: Tool, job: Job, step: Step, output: str, code: int) -> FlashError | None:
    """What a call came to: None if it went well and spoke with the right chip."""
    wrong = _wrong_chip(tool, job, output)
    if wrong is not None:
        return wrong
    if code == 0 and (not step.says or re.search(step.says, output)):
        return None
    for pattern, trouble in tool.troubles:
        found = re.search(pattern, output)
        if found is None:
            continue
        if trouble is Trouble.NO_PERMISSION:
            return no_permission(job.name, job.probe, job.port)
        line = output[: found.end()].splitlines()[-1] + output[found.end() :].partition("\n")[0]
        line = line.rpartition(f"{tool.name}: ")[2]  # behind a progress bar that it broke off
        return FlashError(trouble, f"{job.name}: {_WORDS.get(trouble, trouble)} ({line})")
    said = first_error(output) if output.strip() else "it said nothing"
    end = f"ended with code {code}" if code else "did not say that it had succeeded"
    return FlashError(Trouble.FAILED, f"{job.name}: {tool.name} {end}: {said}")


_WORDS = {
    Trouble.CHIP_UNKNOWN: "the tool does not know the chip yet: pyocd pack install with the name "
    "of the target",
    Trouble.NOT_THERE: "nothing answers: is it plugged in, powered, and in its boot loader?",
    Trouble.WRONG_CHIP: "this is another chip than the board has",
    Trouble.LOCKED: "the chip is protected against reading or writing: unlocking erases all of it, "
    "key and log included; see docs/fleet.md",
    Trouble.LINK_LOST: "the link was lost: is the cable loose?",
    Trouble.NOT_VERIFIED: "what is in the chip differs from what was written",
}


def _wrong_chip(tool: Tool, job: Job, output: str) -> FlashError | None:
    found = tool.chip(output) if tool.chip else Chip()
    expected = job.number("device_id")
    if expected is not None and found.device_id not in (None, expected):
        return FlashError(
            Trouble.WRONG_CHIP,
            f"{job.name}: a chip of kind 0x{found.device_id:03x} is there, and {job.board} has "
            f"0x{expected:03x}: is it the right board, at the right probe?",
        )
    if job.id and found.unique_id and found.unique_id != job.id:
        return FlashError(
            Trouble.WRONG_CHIP,
            f"{job.name}: the chip there is {found.unique_id}, and the fleet file says {job.id}: "
            "plug in that one, or correct the file",
        )
    return None


def require_same(job: Job, read: bytes) -> None:
    """Raise FlashError unless what was read back from the chip is the image."""
    image = job.image.read_bytes()
    if read[: len(image)] != image:
        at = next((i for i, (a, b) in enumerate(zip(read, image, strict=False)) if a != b), None)
        where = f"first at byte {at:,}" if at is not None else f"{len(read):,} bytes came back"
        raise FlashError(
            Trouble.NOT_VERIFIED, f"{job.name}: {_WORDS[Trouble.NOT_VERIFIED]} ({where})"
        )
