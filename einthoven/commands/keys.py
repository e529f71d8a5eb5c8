"""Commands about keys: keys new, show, set, operator, unseal; sign-image, update."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Boards, Port

FleetFile = Annotated[Path, typer.Option("--fleet", help="The operator's file of devices.")]
_FLEET = Path("fleet.toml")


def new(
    name: Annotated[
        str | None, typer.Argument(help="What you call the device.", show_default=False)
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Each device of the fleet file that takes a key and has none yet."
        ),
    ] = False,
    fleet: FleetFile = _FLEET,
    device_id: Annotated[
        str, typer.Option("--id", help="The chip's unique id, as `einthoven info` shows it.")
    ] = "",
    board: Annotated[str, typer.Option(help="Its board (see: einthoven boards).")] = "",
) -> None:
    """Make a key for a device, and note it in the fleet file. Keep a copy of the key file."""
    from einthoven.boards.board import load_board
    from einthoven.errors import UsageError
    from einthoven.fleet import inventory
    from einthoven.fleet.proof import fingerprint
    from einthoven.report.text import console

    if every == (name is not None):
        raise UsageError("name a device, or say --all (see: einthoven keys new --help)")
    if every and (device_id or board):
        raise UsageError("--id and --board are of one device")
    names = [name] if name is not None else []
    if every:
        names = [
            device.name
            for device in inventory.read(fleet).devices
            if not device.key and device.board and load_board(device.board).is_device
        ]
    screen = console()
    for one in names:
        entry = inventory.add(fleet, one, device_id, board)
        made = inventory.read(fleet).key(entry)
        where = fleet.parent / entry.key.removeprefix("file:")
        screen.print(f"wrote {where}, fingerprint {fingerprint(made)}", soft_wrap=True)
    if not names:
        screen.print(f"every device of {fleet} that takes a key has one", soft_wrap=True)
        return
    copies, devices = (
        ("a copy of it", "that device's log")
        if len(names) == 1
        else (
            "copies of them",
            "those devices' logs",
        )
    )
    screen.print(
        f"keep {copies}: without it nobody reads {devices}. The next `einthoven flash` gives it, "
        f"or einthoven keys set {names[0] if len(names) == 1 else 'NAME'}",
        soft_wrap=True,
    )


def show(fleet: FleetFile = _FLEET) -> None:
    """The devices of the fleet file, with the fingerprint of each key. Never a key."""
    from rich.table import Table

    from einthoven.errors import KeysError
    from einthoven.fleet import inventory
    from einthoven.fleet.proof import fingerprint
    from einthoven.report.text import console

    found = inventory.read(fleet)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Device", "Id", "Board", "Key"):
        table.add_column(heading, overflow="fold")
    for device in found.devices:
        try:
            words = fingerprint(found.key(device)) if device.key else "none"
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
    from einthoven.boards.board import running
    from einthoven.fleet import inventory, keys, reach
    from einthoven.fleet.proof import fingerprint
    from einthoven.hil_tests.harness.device import Device
    from einthoven.report.text import console

    found = inventory.read(fleet)
    entry = found.device(name)
    key = found.key(entry)
    target = reach.board_of(found, entry)
    at = running(target, port) if port else reach.reached(found, entry)
    with at as url, Device(url, baud=target.baud) as device:
        reach.require_identity(entry, device.hello.serial, url)
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


def sign_image(
    board: Annotated[str, typer.Argument(help="A board with slots (see: einthoven boards).")],
    key: Annotated[Path, typer.Option("--key", help="The operator's operator-sign.key.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the release.")],
    version: Annotated[str, typer.Option(help="Three numbers, such as 0.3.0.")] = "",
    boards: Boards = None,
) -> None:
    """Build a device's firmware for its slots, and sign it: what a cable writes, and updates."""
    from einthoven import __version__
    from einthoven.boards.board import load_board
    from einthoven.fleet import operator as own
    from einthoven.fleet import release
    from einthoven.fleet.image import version_number
    from einthoven.report.text import console

    number = version_number(version or __version__)
    described, signing = load_board(board), own.signing_key(key)
    out.mkdir(parents=True, exist_ok=True)  # before what takes a minute
    made = release.make(described, number, signing)
    screen = console()
    whole = out / f"{board}.bin"
    whole.write_bytes(release.whole(made))
    screen.print(f"wrote {whole}: by cable to 0x{made.boot_address:08x}", soft_wrap=True)
    for slot, image in enumerate(made.images):
        path = out / f"{board}.slot{slot}.img"
        path.write_bytes(image.file)
        screen.print(f"wrote {path}: {len(image.program):,} bytes", soft_wrap=True)


def update(
    images: Annotated[list[Path], typer.Argument(help="The release's .img files, all of them.")],
    board: Annotated[str, typer.Option(help="The device's board.")],
    public: Annotated[Path, typer.Option("--signed-by", help="The operator's operator-sign.pub.")],
    port: Port = None,
    boards: Boards = None,
    name: Annotated[str, typer.Option(help="Its name in the fleet file, if it has a key.")] = "",
    fleet: FleetFile = _FLEET,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Even if it is older than what runs.")
    ] = False,
) -> None:
    """Send signed firmware to a device, which starts it, and goes back if it does not work."""
    from einthoven.boards.board import load_board, running
    from einthoven.errors import BoardError
    from einthoven.fleet import inventory, release
    from einthoven.fleet import operator as own
    from einthoven.fleet.image import version_text
    from einthoven.hil_tests.harness.device import Device
    from einthoven.report.text import console

    target, trusted = load_board(board), own.verifying_key(public)
    found = inventory.read(fleet) if name else None
    with running(target, port) as url, Device(url, baud=target.baud) as device:
        now = device.update_status()
        if now.load is None:
            raise BoardError(
                f"the device on {url} has no second slot: flash it by cable (einthoven flash)"
            )
        image = release.free(images, now.load)
        image.require_signature(trusted)
        if found:
            device.unlock(found.key(found.device(name)))
        after = device.update(image, allow_downgrade)
        if after.version != image.version or after.load == image.load:
            raise BoardError(
                f"the device on {url} refused {version_text(image.version)} and runs "
                f"{version_text(after.version)}: is its boot stage this operator's?"
            )
    console().print(
        f"{board} runs {version_text(image.version)}; it stays if it works for 20 s",
        soft_wrap=True,
    )


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
