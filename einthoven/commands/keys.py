"""Commands about keys: keys new, show, set, operator, unseal."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.runs import Boards, Port

FleetFile = Annotated[Path, typer.Option("--fleet", help="The operator's file of devices.")]
_FLEET = Path("fleet.toml")


def new(
    name: Annotated[str, typer.Argument(help="What you call the device.")],
    fleet: FleetFile = _FLEET,
    device_id: Annotated[
        str, typer.Option("--id", help="The chip's unique id, as `einthoven info` shows it.")
    ] = "",
    board: Annotated[str, typer.Option(help="Its board (see: einthoven boards).")] = "",
) -> None:
    """Make a key for a device, and note both in the fleet file. Keep a copy of the key file."""
    from einthoven.fleet import keys
    from einthoven.fleet.proof import fingerprint
    from einthoven.report.text import console

    entry = keys.add(fleet, name, device_id, board)
    print_to = console()
    made = keys.read(fleet).key(entry)
    where = fleet.parent / entry.key.removeprefix("file:")
    print_to.print(f"wrote {where}, fingerprint {fingerprint(made)}", soft_wrap=True)
    print_to.print(
        f"keep a copy of it: without it nobody reads that device's log. Next: einthoven keys set "
        f"{name}",
        soft_wrap=True,
    )


def show(fleet: FleetFile = _FLEET) -> None:
    """The devices of the fleet file, with the fingerprint of each key. Never a key."""
    from rich.table import Table

    from einthoven.errors import KeysError
    from einthoven.fleet import keys
    from einthoven.fleet.proof import fingerprint
    from einthoven.report.text import console

    found = keys.read(fleet)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Device", "Id", "Board", "Key"):
        table.add_column(heading, overflow="fold")
    for device in found.devices:
        try:
            words = fingerprint(found.key(device))
        except KeysError as error:
            words = str(error)
        table.add_row(device.name, device.id, device.board, words)
    console().print(table)


def set_(
    name: Annotated[str, typer.Argument(help="The device's name in the fleet file.")],
    fleet: FleetFile = _FLEET,
    port: Port = None,
    boards: Boards = None,
    old: Annotated[
        Path | None, typer.Option("--old", help="File of the key that it has, to replace it.")
    ] = None,
) -> None:
    """Give a device its key, over the cable that it was flashed with."""
    from einthoven.boards.board import load_board, running
    from einthoven.errors import KeysError
    from einthoven.fleet import keys
    from einthoven.fleet.proof import fingerprint
    from einthoven.hil_tests.harness.device import Device
    from einthoven.report.text import console

    found = keys.read(fleet)
    entry = found.device(name)
    key = found.key(entry)
    if not entry.board:
        raise KeysError(f'{fleet}: say which board {name} is (board = "…"; see: einthoven boards)')
    target = load_board(entry.board)
    with running(target, port) as url, Device(url, baud=target.baud) as device:
        if entry.id and entry.id != device.hello.serial:
            raise KeysError(
                f"the device on {url} is {device.hello.serial or 'without an id'}, and {name} is "
                f"{entry.id}: plug in that one, or correct {fleet}"
            )
        device.set_key(key, keys.read_key(old) if old else None)
    console().print(f"{name} has the key {fingerprint(key)}", soft_wrap=True)


def operator(
    folder: Annotated[Path, typer.Argument(help="Folder for them, new or without such keys.")],
) -> None:
    """Make the operator's own keys: to sign firmware with, and to open sealed exports."""
    from einthoven.fleet import operator as own
    from einthoven.report.text import console

    for path in own.make(folder):
        console().print(f"wrote {path}", soft_wrap=True)


def unseal(
    sealed: Annotated[Path, typer.Argument(help="What `einthoven log export --to` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write what is in it.")],
    key: Annotated[Path, typer.Option("--key", help="The operator's operator-seal.key.")],
) -> None:
    """Open an export that was sealed to the operator."""
    from einthoven.errors import KeysError
    from einthoven.fleet import operator as own
    from einthoven.report.text import console

    content = own.unseal(sealed.read_bytes(), key)
    try:
        with out.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise KeysError(f"{out} is there already: name another file with --out") from None
    console().print(f"wrote {out} ({len(content):,} bytes)", soft_wrap=True)
