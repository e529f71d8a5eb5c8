"""The device's key as the device has it: `firmware/keys` by cffi, on flash that can lose power."""

from enum import IntEnum

from einthoven.native.keys_library import open_parts

_PARTS = ("keys", "keys_store")
_CDEF = """
extern uint8_t ein_host_keys_pages[2][4096];
extern uint8_t ein_host_keys_entropy[32];
extern size_t ein_host_keys_entropy_bytes;
extern bool ein_host_keys_worn;
void ein_keys_init(const char *device_id, size_t n, uint32_t now_ms);
bool ein_keys_is_open(void);
void ein_keys_touch(uint32_t now_ms);
void ein_keys_step(uint32_t now_ms);
void ein_keys_close(void);
int ein_keys_state(void);
uint32_t ein_keys_wait_ms(uint32_t now_ms);
uint32_t ein_keys_boots(void);
uint32_t ein_keys_settings(void);
bool ein_keys_keep_settings(uint32_t settings);
void ein_keys_begin(const uint8_t *host_nonce, uint8_t *device_nonce);
int ein_keys_prove(const uint8_t *host_proof, uint8_t *device_proof, uint32_t now_ms);
int ein_keys_set(const uint8_t *key, const uint8_t *proof, uint32_t now_ms);
"""


class State(IntEnum):
    """`ein_keys_state_t`."""

    NONE = 0
    SET = 1
    LOST = 2


class Status(IntEnum):
    """`ein_keys_status_t`."""

    OK = 0
    WAIT = -1
    PROOF = -2
    BEGIN = -3
    CLOSED = -4
    STORE = -5


class Keys:
    """The one device of this process: its state is static, a new `Keys` is a new, blank device.

    Raises BuildError when Monocypher cannot be fetched or the C does not compile.
    """

    def __init__(self, device_id: str = "") -> None:
        self._ffi, self._lib = open_parts("keys", _PARTS, _CDEF)
        self._id = device_id.encode("ascii")
        self._lib.ein_host_keys_worn = False
        self.entropy(b"")
        self.pages = b"\xff" * 8192
        self.power_on()

    def power_on(self, cut_after: int = -1, seed: int = 0, now_ms: int = 0) -> None:
        """Boot; power goes again after `cut_after` writes of a word or erases (-1: it stays)."""
        self._lib.ein_host_flash_power(cut_after, seed)
        self._lib.ein_keys_init(self._id, len(self._id), now_ms)

    @property
    def pages(self) -> bytes:
        """Content of the two pages, 2 × 4096 bytes."""
        return bytes(self._ffi.buffer(self._lib.ein_host_keys_pages))

    @pages.setter
    def pages(self, content: bytes) -> None:
        self._ffi.memmove(self._lib.ein_host_keys_pages, content, 8192)

    def entropy(self, content: bytes) -> None:
        """What the board's source of randomness gives from now on, at most 32 bytes."""
        self._ffi.memmove(self._lib.ein_host_keys_entropy, content, len(content))
        self._lib.ein_host_keys_entropy_bytes = len(content)

    def wear_out(self) -> None:
        """From now on nothing that is written stays."""
        self._lib.ein_host_keys_worn = True

    @property
    def operations(self) -> int:
        """Writes of a word and erases since the power came on."""
        return int(self._lib.ein_host_flash_operations())

    @property
    def is_off(self) -> bool:
        """Whether the power has gone."""
        return bool(self._lib.ein_host_flash_is_off())

    @property
    def is_open(self) -> bool:
        """Whether what belongs to patients may be read."""
        return bool(self._lib.ein_keys_is_open())

    @property
    def state(self) -> State:
        """Whether there is a key."""
        return State(self._lib.ein_keys_state())

    @property
    def boots(self) -> int:
        """Boots that the device has counted."""
        return int(self._lib.ein_keys_boots())

    @property
    def settings(self) -> int:
        """The word that is kept beside the key; 0: none was."""
        return int(self._lib.ein_keys_settings())

    def keep_settings(self, settings: int) -> bool:
        """Keep it; False if the store does not take it."""
        return bool(self._lib.ein_keys_keep_settings(settings))

    def wait_ms(self, now_ms: int) -> int:
        """Until a proof is looked at."""
        return int(self._lib.ein_keys_wait_ms(now_ms))

    def step(self, now_ms: int) -> None:
        """Close the session if it is idle."""
        self._lib.ein_keys_step(now_ms)

    def touch(self, now_ms: int) -> None:
        """Something that needs the key was done."""
        self._lib.ein_keys_touch(now_ms)

    def close(self) -> None:
        """The link was lost."""
        self._lib.ein_keys_close()

    def begin(self, host_nonce: bytes) -> bytes:
        """A challenge: the device's nonce, 32 bytes, for the host's."""
        nonce = self._ffi.new("uint8_t[32]")
        self._lib.ein_keys_begin(host_nonce, nonce)
        return bytes(nonce)

    def prove(self, proof: bytes, now_ms: int = 0) -> tuple[Status, bytes]:
        """Answer a challenge; the device's own proof, 32 bytes."""
        own = self._ffi.new("uint8_t[32]")
        status = Status(self._lib.ein_keys_prove(proof, own, now_ms))
        return status, bytes(own)

    def set(self, key: bytes, proof: bytes, now_ms: int = 0) -> Status:
        """Set the key, or replace it by a masked one."""
        return Status(self._lib.ein_keys_set(key, proof, now_ms))
