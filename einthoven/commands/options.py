"""Options that several commands take, each with one help text."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of WFDB records, or one that holds databases by name. Else $EINTHOVEN_DATA, "
        "../shared/data, the user's cache, PhysioNet.",
        show_default=False,
    ),
]
Kaggle = Annotated[
    Path | None,
    typer.Option(
        help="Reference studies: folder of Kaggle's heartbeat CSV files, instead of records.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int, typer.Option(min=1, help="Boards at the same time, at most one a core (a port: always 1).")
]
Port = Annotated[
    str | None,
    typer.Option(help="Serial port or any pyserial URL (socket://host:port).", show_default=False),
]


def _own_boards(folder: Path | None) -> None:
    from einthoven.boards.board import own_boards
    from einthoven.errors import BoardError

    if folder is not None:
        try:
            own_boards(folder)
        except BoardError as error:
            raise typer.BadParameter(str(error)) from None


Boards = Annotated[
    Path | None,
    typer.Option(
        callback=_own_boards,
        help="Folder of boards of your own, a folder each ($EINTHOVEN_BOARDS). ./boards is looked "
        "into anyway.",
        show_default=False,
    ),
]
"""Heeded while the command line is read: commands take it and have nothing left to do."""
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON (docs/schema), for programs.")]
Database = Annotated[str, typer.Option(help="Database in --data.")]
Lead = Annotated[
    str | None,
    typer.Option(
        help="Lead or column by name (default: MLII, else the first ECG signal).",
        show_default=False,
    ),
]
Gain = Annotated[
    float | None,
    typer.Option(
        help="Counts per unit, instead of the file's; negative: upside down.",
        show_default=False,
    ),
]
Units = Annotated[
    str | None,
    typer.Option(help="Unit of the signal, instead of the file's: uV, mV, V.", show_default=False),
]
CsvRate = Annotated[float | None, typer.Option(help="CSV: rows a second.", show_default=False)]
CsvGain = Annotated[
    float | None,
    typer.Option(help="CSV: its numbers per mV (or --units).", show_default=False),
]
Checksum = Annotated[
    bool,
    typer.Option(
        "--checksum/--no-checksum",
        help="Hold a header's checksum that does not fit against a record.",
    ),
]
