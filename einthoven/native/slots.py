"""Slots of firmware, update, boot decision: `firmware/keys` by cffi; power can be cut."""

from enum import IntEnum

from einthoven.native.keys_library import open_parts

_PARTS = ("image", "signature", "sha512", "slots", "update", "boot")
SLOT_BYTES = 0x20000
_CDEF = """
extern uint8_t ein_host_slots[2][131072];
extern uint32_t ein_host_slots_running;
void ein_host_sha512(const uint8_t *bytes, size_t n, size_t split, uint8_t *digest);
bool ein_image_is_signed(const uint8_t *header, const uint8_t *public_key);
unsigned ein_boot_choose(const uint8_t *public_key, const char *board);
int ein_slots_state(unsigned slot, void *image);
uint32_t ein_slots_port_address(unsigned slot);
bool ein_slots_port_erase(unsigned slot);
int ein_update_begin(const uint8_t *header, size_t n, bool downgrade, const char *board);
int ein_update_piece(uint32_t offset, const uint8_t *bytes, size_t n);
int ein_update_finish(void);
void ein_update_init(void);
bool ein_update_confirm(void);
int ein_update_state(void);
uint32_t ein_update_next(void);
"""


class SlotState(IntEnum):
    """`ein_slot_state_t`."""

    EMPTY = 0
    CABLE = 1
    PENDING = 2
    TRIED = 3
    CONFIRMED = 4
    REFUSED = 5


class UpdateStatus(IntEnum):
    """`ein_update_status_t`."""

    OK = 0
    NONE = -1
    UNFIT = -2
    OLDER = -3
    CONTENT = -4
    FLASH = -5


class Slots:
    """The one board of this process, with two slots of 128 KB; a new `Slots` has empty ones.

    Raises BuildError when Monocypher cannot be fetched or the C does not compile.
    """

    def __init__(self, board: str = "board", public_key: bytes = bytes(32)) -> None:
        self._ffi, self._lib = open_parts("slots", _PARTS, _CDEF)
        self._board = board.encode("ascii")
        self._key = public_key
        for slot in (0, 1):
            self.write(slot, b"")

    def power(self, cut_after: int = -1, seed: int = 0) -> None:
        """Power comes, and goes again after `cut_after` writes of a word or erases (-1: stays)."""
        self._lib.ein_host_flash_power(cut_after, seed)

    def boot(self) -> int | None:
        """What the boot stage starts, which then runs; None if there is nothing."""
        slot = int(self._lib.ein_boot_choose(self._key, self._board))
        self._lib.ein_host_slots_running = slot
        self._lib.ein_update_init()
        return slot if slot < 2 else None

    def write(self, slot: int, content: bytes) -> None:
        """What a cable does: power, an erased slot, and `content` at its begin."""
        self.power()
        self._lib.ein_slots_port_erase(slot)
        whole = content.ljust(SLOT_BYTES, b"\xff")
        self._ffi.memmove(self._lib.ein_host_slots[slot], whole, SLOT_BYTES)

    def content(self, slot: int) -> bytes:
        """What lies in a slot."""
        return bytes(self._ffi.buffer(self._lib.ein_host_slots[slot]))

    def address(self, slot: int) -> int:
        """Where a slot begins."""
        return int(self._lib.ein_slots_port_address(slot))

    def state(self, slot: int) -> SlotState:
        """What a slot holds."""
        return SlotState(self._lib.ein_slots_state(slot, self._ffi.new("uint8_t[64]")))

    @property
    def operations(self) -> int:
        """Writes of a word and erases since the power came."""
        return int(self._lib.ein_host_flash_operations())

    @property
    def is_off(self) -> bool:
        """Whether the power has gone."""
        return bool(self._lib.ein_host_flash_is_off())

    def begin(self, header: bytes, downgrade: bool = False) -> UpdateStatus:
        """Begin an update."""
        status = self._lib.ein_update_begin(header, len(header), downgrade, self._board)
        return UpdateStatus(status)

    def piece(self, offset: int, content: bytes) -> UpdateStatus:
        """A piece of the program."""
        return UpdateStatus(self._lib.ein_update_piece(offset, content, len(content)))

    def finish(self) -> UpdateStatus:
        """Compare, and install."""
        return UpdateStatus(self._lib.ein_update_finish())

    def confirm(self) -> bool:
        """What runs works."""
        return bool(self._lib.ein_update_confirm())

    @property
    def next(self) -> int:
        """Bytes that have arrived."""
        return int(self._lib.ein_update_next())

    def sha512(self, content: bytes, split: int = 0) -> bytes:
        """The C's SHA-512, in two calls."""
        digest = self._ffi.new("uint8_t[64]")
        self._lib.ein_host_sha512(content, len(content), split, digest)
        return bytes(digest)

    def is_signed(self, header: bytes, public_key: bytes) -> bool:
        """The C's check of a header's signature."""
        return bool(self._lib.ein_image_is_signed(header, public_key))
