"""A board by its kind, or a certain device by its name in the fleet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from einthoven.boards.board import Board

FLEET = Path("fleet.toml")


@contextmanager
def reached(name: str, port: str | None, fleet_file: Path = FLEET) -> "Iterator[tuple[Board, str]]":
    """The board of that name and its URL while it runs; of a fleet's device with its lock held.

    Raises BoardError, KeysError.
    """
    from einthoven.boards.board import list_boards, load_board, running
    from einthoven.errors import UsageError
    from einthoven.fleet import inventory, reach

    if name in list_boards() or not fleet_file.exists():
        board = load_board(name)
        with running(board, port) as url:
            yield board, url
        return
    fleet = inventory.read(fleet_file)
    device = fleet.device(name)
    if port is not None:
        raise UsageError(f"{fleet_file} says where {name} is: leave --port out")
    with reach.reached(fleet, device) as url:
        yield reach.board_of(fleet, device), url
