"""The command `page`."""

from pathlib import Path
from typing import Annotated

import typer

from einthoven.commands.options import Boards


def page(
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("einthoven.html"),
    firmware: Annotated[
        list[str] | None,
        typer.Option(metavar="BOARD", help="Put this board's firmware into it; again for more."),
    ] = None,
    boards: Boards = None,
) -> None:
    """Write the page that watches a board from a browser: one file that needs no network."""
    from einthoven.boards.board import load_board
    from einthoven.fleet.firmware import built
    from einthoven.fleet.page_images import manifest, way
    from einthoven.page import html, with_firmware

    text = html()
    wanted = [load_board(name) for name in dict.fromkeys(firmware or ())]
    for board in wanted:
        way(board)  # before anything is built
    if wanted:
        text = with_firmware(text, manifest([(board, built(board)) for board in wanted]))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    carries = f", with firmware for {', '.join(b.name for b in wanted)}" if wanted else ""
    print(f"{out}{carries}: open it in Chrome, Edge or Opera, and press “Connect a board”")
