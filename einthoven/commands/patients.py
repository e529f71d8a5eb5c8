"""The command about patients: adapt."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from einthoven.commands.options import Boards, Data, Database, Lead, Port

if TYPE_CHECKING:
    from einthoven.codegen.head import Head

_HEAD_STATES = {
    "none": "computes with the model's own last layers",
    "active": "computes with a patient's head",
    "foreign": "holds a head for another model, which it does not use",
    "unsupported": "cannot keep a head",
}


def adapt(
    record: Annotated[
        str | None, typer.Option(help="Fit a head on this record's beats.", show_default=False)
    ] = None,
    minutes: Annotated[float, typer.Option(help="Of its first minutes, 5 at most.")] = 5.0,
    out: Annotated[
        Path | None, typer.Option(help="File to write the head to.", show_default=False)
    ] = None,
    head: Annotated[
        Path | None,
        typer.Option(help="Take this head instead of fitting one.", show_default=False),
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Board to give the head to.", show_default=False)
    ] = None,
    port: Port = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the board's head.")] = False,
    data: Data = None,
    db: Database = "mitdb",
    lead: Lead = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of the model (default: the shipped one).", show_default=False),
    ] = None,
    boards: Boards = None,
) -> None:
    """Fit the model's last layers to a patient's labelled beats, and give them to a board."""
    from einthoven.errors import UsageError
    from einthoven.paths import SHIPPED_MODEL

    folder = model or SHIPPED_MODEL
    if remove:
        if record or out or head or board is None:
            raise UsageError("--remove needs --board, and no --record, --head or --out")
        _with_board(board, port, folder, None)
        return
    if (record is None) == (head is None):
        raise UsageError("say which head: --record NAME fits one, --head FILE holds one")
    if out is None and board is None:
        raise UsageError("say where the head is to go: --out FILE, --board NAME, or both")
    made = _head(folder, record, head, minutes, data, db, lead)
    if out is not None:
        made.write(out)
        print(f"wrote {out}")
    if board is not None:
        _with_board(board, port, folder, made)


def _head(
    folder: Path,
    record: str | None,
    head: Path | None,
    minutes: float,
    data: Path | None,
    db: str,
    lead: str | None,
) -> "Head":
    from einthoven.codegen.head import Head, describe
    from einthoven.records.download import find_database
    from einthoven.training.adaptation.fit import adapt_record, require_minutes
    from einthoven.training.adaptation.memory import engine_of

    if record is None:
        assert head is not None
        return Head.read(head)
    require_minutes(minutes)
    database = find_database(data, db, record)
    engine = engine_of(folder)
    made = adapt_record(engine.model, engine.host, database, record, lead, minutes)
    facts = describe(made)
    beats = ", ".join(f"{n} {name}" for name, n in facts["beats"].items() if n)
    print(f"head {facts['sha256'][:12]}… from {beats} of {record}'s first {minutes:g} minutes")
    return made


def _with_board(board: str, port: str | None, folder: Path, made: "Head | None") -> None:
    """Upload a head, or remove the one that is there; then say what the board holds."""
    from einthoven.boards.board import load_board, running
    from einthoven.codegen.head import pack
    from einthoven.codegen.model import load
    from einthoven.hil_tests.harness.device import Device

    target = load_board(board)
    parameters = None if made is None else pack(load(folder), made)
    with running(target, port) as url, Device(url, target.baud, expect_board=target) as device:
        if made is None or parameters is None:
            device.remove_head()
        else:
            device.upload_head(made.model_sha256, parameters)
        print(f"{board} {_HEAD_STATES[device.hello.head]}")
    if target.command is not None and port is None:
        print("it was started for this and has ended, and its slot with it: give a --port")
