"""What commands answer with `--json`, as types; published as JSON Schema in `docs/schema/`.

An answer's `schema` names the command and a number. What a later version adds has a default here;
a change that breaks a reader raises the number. Keys that a reader does not know are to be ignored.
"""

from msgspec import Struct

from einthoven.fleet.checked import CheckReport
from einthoven.fleet.ledger import FlashReport


class Part(Struct, frozen=True, kw_only=True):
    """What all have in common: no change after it was made, fields by name."""


class BoardFacts(Part, frozen=True, kw_only=True):
    """A board, as its board.toml has it."""

    name: str
    title: str
    mcu: str
    tested: str
    """What it was run on, or "no: " and why."""
    count_unit: str
    is_process: bool
    """It runs on this machine: an emulator, or the host."""
    is_device: bool
    """It works without a computer."""
    usb: list[str]
    """`vendor:product` of its serial port."""
    flashers: list[str]
    """Tools that flash it, the usual one first."""


class PortFacts(Part, frozen=True, kw_only=True):
    """A serial port of this machine that is on USB."""

    port: str
    address: str
    """As a fleet file names it: `serial:NUMBER` or `usb:PATH`; "" where the system does not say."""
    usb: str
    product: str


class Boards(Part, frozen=True, kw_only=True):
    """`einthoven boards --json`."""

    schema: str = "einthoven-boards/1"
    boards: list[BoardFacts]
    ports: list[PortFacts]


class NetworkFacts(Part, frozen=True, kw_only=True):
    """A second network in a board's firmware."""

    name: str
    sha256: str
    input_bytes: int
    outputs: int
    arena_bytes: int


class Info(Part, frozen=True, kw_only=True):
    """`einthoven info --json`: what a board says of itself (`hello_reply`, `info_reply`)."""

    schema: str = "einthoven-info/1"
    board: str
    model: str
    build: str
    serial: str
    classes: list[str]
    model_sha256: str
    pipeline_sha256: str
    rate_hz: int
    adc_bits: int
    gain_lsb_per_mv: int
    rail_lo: int
    rail_hi: int
    window_samples: int
    channels: int
    features: int
    arena_bytes: int
    head: str
    head_bytes: int
    head_crc: int
    count_unit: str
    reset_reason: str
    counters: dict[str, int]
    """Of `info_reply`; a later protocol may add some."""
    network: NetworkFacts | None


class Bench(Part, frozen=True, kw_only=True):
    """`einthoven bench --json`."""

    schema: str = "einthoven-bench/1"
    board: str
    model: str
    count_unit: str
    """Of all counts: instructions in an emulator, cycles on silicon, nanoseconds on a host."""
    multiply_adds: int
    inferences: list[int]
    """Cost of each."""
    per_sample_mean: float
    per_sample_max: int
    stack_used_bytes: int
    differing: int
    """Inferences that did not give the host's logits."""
    modelled_cycles: dict[str, int] = {}
    """Of an inference on an emulated STM32F4, by memory: by a model, not counted."""


class BoardSize(Part, frozen=True, kw_only=True):
    """What a board's firmware costs."""

    board: str
    measured: dict[str, int]
    budget: dict[str, int]


class Size(Part, frozen=True, kw_only=True):
    """`einthoven size --json`."""

    schema: str = "einthoven-size/1"
    boards: list[BoardSize]
    problems: list[str]
    """What exceeds its budget, in words."""


class LogStatus(Part, frozen=True, kw_only=True):
    """`einthoven log status --json`: `log_status_reply`, and the copy that is here."""

    schema: str = "einthoven-log-status/1"
    board: str
    serial: str
    ready: int
    """1: a record would find room."""
    sectors: int
    boot: int
    bytes: int
    seconds: int
    oldest_sequence: int
    oldest_offset: int
    next_sequence: int
    next_offset: int
    records: int
    given_up: int
    lost: int
    least_erases: int
    most_erases: int
    copy: str | None
    """File of the copy; None: there is none yet."""
    copy_bytes: int
    copy_complete: bool


class ScanFinding(Part, frozen=True, kw_only=True):
    """A device of `einthoven fleet scan`."""

    state: str
    """"new"; "known": in the fleet file; "absent": there, and not plugged in."""
    name: str
    id: str
    board: str
    port: str
    probe: str
    flasher: str
    """The tool for its debug probe; "": the board's usual one."""
    what: str
    """What is plugged in, for people."""
    boards: list[str]
    """Of a new one that did not answer: the boards that it may be."""


class Scan(Part, frozen=True, kw_only=True):
    """`einthoven fleet scan --json`."""

    schema: str = "einthoven-scan/1"
    devices: list[ScanFinding]
    written: str | None
    """The fleet file, if something was added to it."""


class DoctorFinding(Part, frozen=True, kw_only=True):
    """One thing that `einthoven doctor` looked at."""

    about: str
    state: str
    """"ok"; "note": only something that is not needed now is missing; "problem"."""
    found: str
    mend: str
    """The line that mends it."""


class Doctor(Part, frozen=True, kw_only=True):
    """`einthoven doctor --json`."""

    schema: str = "einthoven-doctor/1"
    findings: list[DoctorFinding]
    problems: int


ANSWERS: dict[str, type[Struct]] = {
    "boards": Boards,
    "info": Info,
    "bench": Bench,
    "size": Size,
    "log-status": LogStatus,
    "flash": FlashReport,
    "check": CheckReport,
    "scan": Scan,
    "doctor": Doctor,
}
"""Name in `docs/schema/` to the type that is published there."""
