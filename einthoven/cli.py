"""`einthoven …`: a thin face. It parses, calls and prints; nothing imports it.

An EinthovenError becomes one line and exit code 2. Ctrl-C ends with exit code 130.
"""

import functools
import gc
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from einthoven.commands import (
    analysis,
    boards,
    check,
    data,
    device_log,
    devices,
    fleet,
    keys,
    live,
    model,
    page,
    patients,
    runs,
)
from einthoven.errors import DISK_FULL, EinthovenError

app = typer.Typer(
    name="einthoven",
    help="Train, quantize, flash and prove an ECG beat classifier on microcontrollers of a few "
    "dollars. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show all that tools print, TensorFlow's start too."),
    ] = False,
) -> None:
    if verbose:
        os.environ["EINTHOVEN_VERBOSE"] = "1"  # for worker processes, too


data_app = typer.Typer(
    no_args_is_help=True, help="Find, fetch and verify records; add noise to them."
)
app.add_typer(data_app, name="data", rich_help_panel="Records")
keys_app = typer.Typer(
    no_args_is_help=True, help="Keys of devices and of their operator; open sealed exports."
)
app.add_typer(keys_app, name="keys", rich_help_panel="Devices")
fleet_app = typer.Typer(no_args_is_help=True, help="Many boards: what is plugged in.")
app.add_typer(fleet_app, name="fleet", rich_help_panel="Boards")
log_app = typer.Typer(
    no_args_is_help=True, help="A device's own log: what it holds, to copy, to read, to delete."
)
app.add_typer(log_app, name="log", rich_help_panel="Devices")


def _careful(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what a user can cause into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except EinthovenError as error:
            raise _failed(str(error)) from None
        except KeyboardInterrupt as stop:
            print(f"\ninterrupted{f': {stop}' if str(stop) else ''}", file=sys.stderr)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # `einthoven … | head`: the reader has had enough
            _silence_stdout()
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno in DISK_FULL:
                _silence_stdout()
                raise _failed(f"disk full: make room and try again ({error})") from None
            if error.filename is None:
                raise
            # A file or folder that may not be read or written, or has an impossible name.
            raise _failed(f"{error.filename}: {error.strerror}") from None

    return run


def _failed(message: str) -> typer.Exit:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return typer.Exit(2)


def _silence_stdout() -> None:
    """Keep the interpreter from failing once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Replay and score": (
        *(runs.demo, runs.replay, runs.report, runs.compare),
        *(data.score, analysis.analyze),
    ),
    "Live": (live.monitor, live.record, live.serve, page.page),
    "Patients": (patients.adapt,),
    "Devices": (
        *(keys.sign_image, keys.update),
        *(devices.card, devices.device),
    ),
    "Boards": (
        *(boards.boards, boards.new, boards.build, fleet.flash, boards.info),
        *(check.check, boards.bench, boards.size, fleet.doctor),
    ),
    "Model": (model.train, model.quantize, model.evaluate, model.export, model.profile),
}
for _panel, _commands in _COMMANDS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_careful(_command))
for _command in (data.list_, data.fetch, data.verify, data.mix):
    data_app.command(_command.__name__.rstrip("_"))(_careful(_command))
for _command in (keys.new, keys.show, keys.set_, keys.operator, keys.unseal):
    keys_app.command(_command.__name__.rstrip("_"))(_careful(_command))
fleet_app.command("scan")(_careful(fleet.scan))
for _command in (device_log.status, device_log.fetch, device_log.export, device_log.clear):
    log_app.command(_command.__name__)(_careful(_command))


def main() -> None:
    """Entry point of the `einthoven` command."""
    # Imports make objects by the hundred thousand and drop none: to look was a tenth of the time.
    gc.set_threshold(20_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character gets a stand-in, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = app(prog_name="einthoven", standalone_mode=False)
    except typer.TyperException as error:  # unknown option, missing argument, no number ...
        message = error.format_message()  # none where help was asked for by saying nothing
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "einthoven"
        code = _failed(f"{message} (see: {where} --help)").exit_code if message else 2
    sys.exit(code or 0)
