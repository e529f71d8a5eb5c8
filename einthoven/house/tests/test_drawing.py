"""The committed picture shows the contract as it is."""

from einthoven.house.drawing import PICTURE, draw, storeys


def test_the_committed_picture_is_of_this_contract() -> None:
    drawn = draw(storeys())
    assert PICTURE.read_text(encoding="utf-8") == drawn, "run `python -m einthoven.house.drawing`"


def test_every_room_has_a_line_that_says_what_it_holds() -> None:
    for storey in storeys():
        if storey.kind == "room":
            assert all(room.note for room in storey.rooms)


def test_a_board_stands_on_the_application_and_that_on_the_core() -> None:
    rows = [room.name for storey in storeys() for room in storey.rooms]
    order = ["boards/stm32f4", "firmware/app", "firmware/core", "firmware/generated"]
    assert [name for name in rows if name in order] == order
