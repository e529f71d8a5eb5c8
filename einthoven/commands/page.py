"""The command `page`."""

from pathlib import Path
from typing import Annotated

import typer


def page(
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("einthoven.html"),
) -> None:
    """Write the page that watches a board from a browser: one file that needs no network."""
    from einthoven.page import html

    text = html()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(f"{out}: open it in Chrome, Edge or Opera, and press “Connect a board”")
