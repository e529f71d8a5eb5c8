"""Updates: signatures against `cryptography`, every refusal, a cut at every operation."""

import hashlib
import random
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from einthoven.errors import KeysError
from einthoven.fleet.image import Image, layout, parse, sign, version_number, version_text
from einthoven.native.slots import Slots, SlotState, UpdateStatus

OPERATOR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = OPERATOR.public_key().public_bytes_raw()
ORDER = 2**252 + 27742317777372353535851937790883648493
PROGRAM = random.Random(1).randbytes(2000)
OLD, NEW = version_number("0.2.0"), version_number("0.3.0")


def image(slot: int, version: int = NEW, program: bytes = PROGRAM, board: str = "board") -> Image:
    return sign(program, board, version, 0x08020000 + 0x20000 * slot, OPERATOR)


def flashed() -> Slots:
    """A board that a cable has written, and that works."""
    slots = Slots("board", PUBLIC)
    slots.write(0, image(0, OLD).file)
    assert slots.state(0) == SlotState.CABLE
    assert slots.boot() == 0 and slots.confirm()
    assert slots.state(0) == SlotState.CONFIRMED
    return slots


def send(slots: Slots, new: Image, downgrade: bool = False) -> UpdateStatus:
    status = slots.begin(new.header, downgrade)
    while status == UpdateStatus.OK and slots.next < len(new.program) and not slots.is_off:
        at = slots.next
        status = slots.piece(at, new.program[at : at + 240])
    return slots.finish() if status == UpdateStatus.OK else status


def test_sha512_is_hashlib_s() -> None:
    slots, rng = Slots(), random.Random(2)
    for size in [*range(0, 300), 1000, 98304]:
        content = rng.randbytes(size)
        split = rng.randrange(size + 1)
        assert slots.sha512(content, split) == hashlib.sha512(content).digest()


def test_signatures_are_those_of_cryptography() -> None:
    slots, rng = Slots(), random.Random(3)
    for _ in range(40):
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        public = key.public_key().public_bytes_raw()
        header = rng.randbytes(layout().signed_bytes)
        signed = header + key.sign(header)
        assert slots.is_signed(signed, public)
        assert not slots.is_signed(signed, PUBLIC)
        flipped = bytearray(signed)
        flipped[rng.randrange(len(signed))] ^= 1 << rng.randrange(8)
        assert not slots.is_signed(bytes(flipped), public)
        # The same point with a larger scalar: valid for naive checks, refused by RFC 8032.
        scalar = int.from_bytes(signed[-32:], "little") + ORDER
        assert not slots.is_signed(signed[:-32] + scalar.to_bytes(32, "little"), public)


def test_an_update_is_tried_and_confirms_itself() -> None:
    slots = flashed()
    new = image(1)
    assert send(slots, new) == UpdateStatus.OK
    assert slots.finish() == UpdateStatus.OK  # a reply was lost
    assert slots.content(1).startswith(new.header)
    assert slots.state(1) == SlotState.PENDING
    assert slots.boot() == 1 and slots.state(1) == SlotState.TRIED
    assert slots.confirm() and slots.state(1) == SlotState.CONFIRMED
    assert slots.boot() == 1
    assert send(slots, image(0, NEW)) == UpdateStatus.OK  # and back into the first slot
    assert slots.boot() == 0 and slots.confirm() and slots.boot() == 0


def test_one_that_does_not_confirm_itself_is_given_up() -> None:
    slots = flashed()
    assert send(slots, image(1)) == UpdateStatus.OK
    assert slots.boot() == 1
    assert slots.boot() == 0
    assert slots.state(1) == SlotState.REFUSED and slots.boot() == 0


def test_what_the_operator_has_not_signed_never_runs() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    address = 0x08040000
    for bad in (
        sign(PROGRAM, "board", NEW, address, other),
        sign(PROGRAM, "board", NEW, address, None),
        replace(image(1), version=NEW + 1),  # signed, and changed afterwards
    ):
        slots = flashed()
        assert send(slots, bad) == UpdateStatus.OK
        assert slots.boot() == 0 and slots.state(1) == SlotState.REFUSED


def test_a_boot_stage_without_key_asks_for_the_digest_only() -> None:
    slots = Slots("board")
    slots.write(0, sign(PROGRAM, "board", OLD, slots.address(0), None).file)
    assert slots.boot() == 0
    slots.write(0, sign(PROGRAM, "board", OLD, slots.address(0), None).file[:-1] + b"\0")
    assert slots.boot() is None


def test_flipped_bits_in_a_slot_are_found_before_its_first_start() -> None:
    rng = random.Random(5)
    for _ in range(60):
        slots = flashed()
        content = bytearray(image(1).file)
        at = rng.choice([rng.randrange(192), rng.randrange(512, len(content))])
        content[at] ^= 1 << rng.randrange(8)
        slots.write(1, bytes(content))
        assert slots.boot() == 0


@pytest.mark.parametrize(
    ("new", "status"),
    [
        (image(1, version=version_number("0.1.9")), UpdateStatus.OLDER),
        (image(1, board="another"), UpdateStatus.UNFIT),
        (image(0), UpdateStatus.UNFIT),
    ],
)
def test_what_does_not_fit_erases_nothing(new: Image, status: UpdateStatus) -> None:
    slots = flashed()
    assert send(slots, image(1)) == UpdateStatus.OK
    before = slots.content(1)
    assert slots.begin(new.header) == status
    assert slots.begin(new.header[:-1]) == slots.begin(b"") == UpdateStatus.UNFIT
    assert slots.content(1) == before


def test_an_older_one_on_purpose() -> None:
    slots = flashed()
    assert send(slots, image(1, version_number("0.1.9")), downgrade=True) == UpdateStatus.OK
    assert slots.boot() == 1 and slots.confirm() and slots.boot() == 1


def test_pieces_that_come_twice_or_too_early_change_nothing() -> None:
    slots, new = flashed(), image(1)
    assert slots.piece(0, b"1234") == UpdateStatus.NONE and slots.finish() == UpdateStatus.NONE
    assert slots.begin(new.header) == UpdateStatus.OK
    assert slots.piece(4, b"1234") == UpdateStatus.OK and slots.next == 0
    assert slots.piece(0, new.program[:240]) == slots.piece(0, b"1234" * 9) == UpdateStatus.OK
    assert slots.next == 240
    assert slots.begin(new.header) == UpdateStatus.OK and slots.next == 240  # goes on
    assert slots.piece(240, bytes(5)) == slots.piece(240, bytes(1764)) == UpdateStatus.UNFIT
    assert slots.finish() == UpdateStatus.CONTENT
    assert send(slots, new) == UpdateStatus.OK and slots.boot() == 1


def test_a_program_that_arrived_wrong_is_not_installed() -> None:
    slots, new = flashed(), image(1)
    assert send(slots, replace(new, program=PROGRAM[:-4] + b"oops")) == UpdateStatus.OK
    slots = flashed()
    assert slots.begin(new.header) == UpdateStatus.OK
    assert slots.piece(0, b"oops" * 500) == UpdateStatus.OK
    assert slots.finish() == UpdateStatus.CONTENT
    assert slots.boot() == 0 and slots.state(1) == SlotState.EMPTY


def test_a_cut_at_every_operation_of_an_update() -> None:
    """At any write or erase, of update, first start and confirmation: something signed starts, the
    new image only when it is whole, and the update can be made again."""
    new = image(1)
    slots = flashed()
    before = slots.content(0)

    def whole_story() -> None:
        send(slots, new)
        if not slots.is_off:
            slots.boot()
        if not slots.is_off:
            slots.confirm()

    slots.power()
    whole_story()
    total, starts = slots.operations, {0: 0, 1: 0}
    for cut in range(total):
        slots.write(0, before)
        slots.write(1, b"" if cut % 2 else image(1, OLD, PROGRAM[:400]).file[:300])
        slots.power()
        assert slots.boot() == 0
        slots.power(cut, seed=cut)
        whole_story()
        assert slots.is_off
        slots.power()
        for _ in range(3):  # what was cut may read differently each time
            started = slots.boot()
            assert started is not None
            starts[started] += 1
            if started == 1:
                assert slots.content(1)[512 : 512 + len(PROGRAM)] == PROGRAM
                assert slots.content(1).startswith(new.header)
        if started == 1:
            assert slots.confirm()
        else:
            assert send(slots, new) == UpdateStatus.OK
            assert slots.boot() == 1 and slots.confirm()
        assert slots.boot() == 1
    assert total > 500 and starts[0] > 1000 and sum(starts.values()) == 3 * total


def test_a_cut_at_the_first_start_of_what_a_cable_wrote() -> None:
    for other in (b"", image(1, OLD).file):
        for cut in range(6):
            slots = Slots("board", PUBLIC)
            slots.write(0, image(0).file)
            slots.write(1, other)
            slots.power(cut, seed=cut)
            slots.boot()
            slots.confirm()
            slots.power()
            assert slots.boot() is not None and slots.confirm()
            assert slots.boot() is not None


def test_image_files_say_what_is_wrong_with_them() -> None:
    whole = image(1).file
    assert parse(whole) == image(1)
    parse(whole).require_signature(OPERATOR.public_key())
    with pytest.raises(KeysError, match="not signed by this operator"):
        replace(image(1), version=7).require_signature(OPERATOR.public_key())
    for content, says in (
        (b"", "no firmware image"),
        (whole[:511], "no firmware image"),
        (whole[:-4], "damaged"),
        (whole[:-1] + b"\0", "damaged"),
        (whole[:8] + b"\7" + whole[9:], "format 7"),
        (whole[:55] + b"\7" + whole[56:], "more in it"),
        (whole[:70] + b"\7" + whole[71:], "digest"),
    ):
        with pytest.raises(KeysError, match=says):
            parse(content)
    for program in (b"", bytes(98305)):
        with pytest.raises(KeysError, match="1 to 98,304"):
            sign(program, "board", OLD, 0, OPERATOR)
    assert version_text(version_number("1.22.333")) == "1.22.333"
    for text in ("1.2", "v1.2.3", "256.0.0", "1.0.65536"):
        with pytest.raises(KeysError, match="three numbers"):
            version_number(text)
