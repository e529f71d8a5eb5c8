"""The one description of a run, which run folder, text tables, page and JSON stand on.

`Plan` is `run.json`, `Result` is `records/<name>.json`, `Summary` (`overview.py`) is
`summary.json`. Fields stand in the order in which the files hold them. Published as JSON Schema in
`docs/schema/` (`schema.py`).

What a later version adds must have a default here, so that the runs of today stay readable;
keys that this version does not know are ignored. A change that breaks this raises the number in
`SCHEMA`, which is the version of all three: it stands in `run.json`, for the folder.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

SCHEMA = "einthoven-run/2"

Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Hertz = Annotated[float, Meta(gt=0)]
BoardRate = Annotated[int, Meta(gt=0)]
"""Samples a second of the board."""
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Crc32 = Annotated[str, Meta(pattern="^[0-9a-f]{8}$")]
Byte = Annotated[int, Meta(ge=0, le=255)]
Bit = Annotated[int, Meta(ge=0, le=1)]
Label = Literal["N", "S", "V", "F", "Q"]
StripLabel = Literal["N", "A", "O", "~"]
CountUnit = Literal["instructions", "cycles", "nanoseconds", "none"]
"""Instructions in an emulator, cycles on silicon: never called by each other's name."""

_Five = Meta(min_length=5, max_length=5)
_Six = Meta(min_length=6, max_length=6)
_Seven = Meta(min_length=7, max_length=7)
Row5 = Annotated[list[Count], _Five]
Matrix5 = Annotated[list[Row5], _Five]
Matrix6 = Annotated[list[Annotated[list[Count], _Six]], _Six]
Matrix7 = Annotated[list[Annotated[list[Count], _Seven]], _Seven]


class Entry(Struct, frozen=True):
    """What all parts have in common: no change after it was made. Each takes its fields by name."""


# run.json


class Model(Entry, kw_only=True, frozen=True, omit_defaults=True):
    """The model in the firmware: SHA-256 of its .tflite, and `database/record` it learnt from."""

    name: str
    sha256: Sha256
    params: Count
    macs: Count
    training_records: list[str]
    calibrated: bool = True
    """False: it has no confidence, and every beat is unsure. Only written when false."""


class Data(Entry, kw_only=True, frozen=True):
    """The records: `lead` as it was asked for, `files` with SHA-256 by record and file name.

    `in_training`: records of patients that the model was trained on.
    """

    db: str
    lead: str | None
    synthetic: bool
    records: list[str]
    in_training: list[str]
    files: dict[str, dict[str, Sha256]]


TflmCheck = Literal["sample", "all", "none"]
"""Which beats TFLite Micro checks: each record's first and one of 13 from there on, or all."""


class RunOptions(Entry, kw_only=True, frozen=True):
    """What the command line was given, to go on with an interrupted run; paths are absolute.

    `tflm` was true or false in 0.1: all beats or none.
    """

    board: str
    records: str
    data: str
    db: str
    lead: str | None
    port: str | None
    tflm: TflmCheck | bool
    synthetic: bool
    model: str
    adapt: float | None = None
    gain: float | UnsetType | None = UNSET
    units: str | UnsetType | None = UNSET
    checksum: bool | UnsetType = UNSET
    csv_rate: float | UnsetType | None = UNSET
    csv_gain: float | UnsetType | None = UNSET


class Sizes(Entry, kw_only=True, frozen=True):
    """Static sizes in bytes of the image that was built; null for what nobody measured."""

    flash_bytes: Count | None
    ram_bytes: Count | None
    stack_bytes: Count | None
    stack_bound_bytes: Count | None


class Plan(Entry, kw_only=True, frozen=True):
    """`run.json`: what is replayed, on what, with what. Rates in Hz, times in local time.

    `float_missing`: why the float network is not scored beside the int8 one, null if it is.
    """

    schema: str = SCHEMA
    board: str
    board_title: str
    count_unit: CountUnit
    model: Model
    pipeline_sha256: Sha256
    rate_hz: BoardRate
    data: Data
    adapt_minutes: float | None = None
    options: RunOptions
    command: str
    created: str
    versions: dict[str, str]
    sizes: Sizes = Sizes(flash_bytes=None, ram_bytes=None, stack_bytes=None, stack_bound_bytes=None)
    float_missing: str | UnsetType | None = UNSET


# records/<name>.json


class RateCounts(Entry, kw_only=True, frozen=True):
    """Found, missed, and reported where there was nothing to find."""

    tp: Count
    fn: Count
    fp: Count


class Rates(Entry, kw_only=True, frozen=True):
    """Counts, sensitivity, positive predictive value and F1 (0 to 1, null where not defined)."""

    tp: Count
    fn: Count
    fp: Count
    se: Share | None
    ppv: Share | None
    f1: Share | None


class Confusion(Entry, kw_only=True, frozen=True):
    """Beats by the literature's classes: `matrix` [reference][board], `missed`, `extra`."""

    classes: list[Label]
    matrix: Matrix5
    missed: Row5
    extra: Row5


class Scores(Entry, kw_only=True, frozen=True):
    """EC57's rates, and those by the literature's mapping, of several records together."""

    qrs: Rates
    veb: Rates
    sveb: Rates
    confusion: Confusion
    literature: dict[Label, Rates]
    rr_error_ms: Seconds | None
    shutdown_s: Count


class RecordScores(Entry, kw_only=True, frozen=True):
    """One record's scores from `start_s` on, with all that prints any table of them again.

    `counts`: rows N S V F Q O X of the reference, columns of the board; `literature_counts`: the
    same by the literature's classes. `record` is there where records stand in a list.
    """

    record: str | UnsetType = UNSET
    qrs: Rates
    veb: Rates
    sveb: Rates
    confusion: Confusion
    literature: dict[Label, Rates]
    rr_error_ms: Seconds | None
    shutdown_s: Count
    start_s: Seconds
    counts: Matrix7
    literature_counts: Matrix6
    rr_error_sum: Seconds
    rr_errors: Count
    rate_hz: Hertz


class Protocols(Entry, kw_only=True, frozen=True):
    """A record's scores as EC57 asks and over the whole record (`score.PROTOCOLS`)."""

    ec57: RecordScores
    whole: RecordScores


class PatientHead(Entry, kw_only=True, frozen=True):
    """Where a patient's head came from: `database/record`, minutes and labelled beats of it."""

    record: str
    minutes: float
    beats: dict[str, Count]
    settings: dict[str, Any]
    sha256: Sha256


class Adaptation(Entry, kw_only=True, frozen=True):
    """The patient's head, and the record's scores without it."""

    record: str
    minutes: float
    beats: dict[str, Count]
    settings: dict[str, Any]
    sha256: Sha256
    unadapted: Protocols | None

    def head(self) -> PatientHead:
        """The head alone."""
        return PatientHead(
            record=self.record,
            minutes=self.minutes,
            beats=self.beats,
            settings=self.settings,
            sha256=self.sha256,
        )


ConfidenceRow = tuple[Byte, Bit, Bit, Count]
"""Confidence in 1/255, whether called unsure, whether of a wrong class, number of beats."""


class Confidence(Entry, kw_only=True, frozen=True):
    """Unsure beats of all; `rows` over the whole record, null without a reference."""

    unsure: Count
    rows: list[ConfidenceRow] | None


class Rhythm(Entry, kw_only=True, frozen=True):
    """The board's rhythm events by kind (`scoring.rhythm`), and against the reference's."""

    events: dict[str, Count]
    scored: dict[str, RateCounts] | None


class Verdict(Entry, kw_only=True, frozen=True):
    """What the device says of the record as a strip: N, A, O or ~ as CinC 2017 writes them.

    `label`: what the folder's REFERENCE-v3.csv says of it; null where it says nothing. `differs`:
    the host's verdict on the same samples is another one.
    """

    verdict: StripLabel
    probability: Share
    reasons: list[str]
    label: StripLabel | None
    differs: bool


class EpisodeCounts(Entry, kw_only=True, frozen=True):
    """EC57's comparison of episodes, as `scoring.episodes.EpisodeScores` has it; times in s.

    `record` is there where records stand in a list.
    """

    record: str | UnsetType = UNSET
    found: Count
    missed: Count
    true: Count
    false: Count
    found_s: Seconds
    reference_s: Seconds
    true_s: Seconds
    test_s: Seconds
    episode_se: Share | None
    episode_ppv: Share | None
    duration_se: Seconds | None
    duration_ppv: Seconds | None


class EpisodeKinds(Entry, kw_only=True, frozen=True):
    """Atrial fibrillation, and ventricular flutter or fibrillation."""

    af: EpisodeCounts
    vf: EpisodeCounts


class EpisodeProtocols(Entry, kw_only=True, frozen=True):
    """As EC57 asks and over the whole record."""

    ec57: EpisodeKinds
    whole: EpisodeKinds


class Episodes(Entry, kw_only=True, frozen=True):
    """Share of the record in atrial fibrillation, and the episodes against the reference's."""

    af_burden: Share
    scored: EpisodeProtocols | None


class Difference(Entry, kw_only=True, frozen=True):
    """One beat that differs between two sides; `t_samples` of the board."""

    record: str
    between: str
    time_s: Seconds
    t_samples: Count
    what: str
    left: str
    right: str


class Agreement(Entry, kw_only=True, frozen=True):
    """Beats that differ, board and host, host and TFLite Micro (null: not compared).

    `tflm_beats`: how many TFLite Micro has checked; not in runs of 0.1, where it was all or none.
    """

    beats: Count
    device_vs_host_int8: Count
    host_int8_vs_tflm: Count | None
    signal_states_differ: Count
    differences: list[Difference]
    rhythm_events_differ: Count | UnsetType = UNSET
    tflm_beats: Count | UnsetType = UNSET


class Link(Entry, kw_only=True, frozen=True):
    """What the record took on the link, resends included."""

    bytes_sent: Count
    bytes_received: Count
    bytes_lost: Count
    retries: Count
    resets: Count
    seconds: Seconds
    times_real_time: Seconds


class Counter(Entry, kw_only=True, frozen=True):
    """Number, sum and largest of what the board counted, in its `count_unit`."""

    n: Count
    sum: Count
    max: Count


class LargestCount(Entry, kw_only=True, frozen=True):
    """Number and largest of what the board counted, in its `count_unit`."""

    n: Count
    max: Count


class Counters(Entry, kw_only=True, frozen=True):
    """The board's own counters over this record; `stack_used_bytes` is 0 where it cannot tell."""

    stack_used_bytes: Count
    per_sample: Counter
    per_inference: Counter
    to_event: LargestCount


class Firmware(Entry, kw_only=True, frozen=True):
    """What the board's hello said; `name`: the board of a fleet that computed the record."""

    build: str
    serial: str
    arena_bytes: Count
    name: str | UnsetType = UNSET


class Strip(Entry, kw_only=True, frozen=True):
    """Seconds of the record worth a look: `mv` in mV from `start_s`; marks as [time in s, class].

    `differ`: times in s at which board and host differ.
    """

    record: str
    reason: str
    start_s: Seconds
    rate_hz: BoardRate
    mv: list[float]
    events: list[tuple[float, str]]
    reference: list[tuple[float, str]]
    differ: list[float] = []


class SignalShare(Entry, kw_only=True, frozen=True):
    """Share of a record's time by what the board said of the signal (`scoring.quality`)."""

    lost: Share
    lead_off: Share
    clipped: Share
    flat: Share
    noisy: Share
    hum: Share = 0.0
    motion: Share = 0.0


class Gaps(Entry, kw_only=True, frozen=True):
    """How often, and for how many samples of its own rate, a recording lacks samples."""

    number: Count
    samples: Count


class SignalRead(Entry, kw_only=True, frozen=True):
    """How the recording was read, and how much of it there was to read.

    `unreadable`: too little to be scored. `coupled`: the front end took off an offset, of
    `offset_mv`, that the ADC cannot hold. `unchecked`: its header has no checksum.
    """

    share: SignalShare
    unreadable: bool
    coupled: bool
    offset_mv: float
    unchecked: bool
    gaps: Gaps | None


class Result(Entry, kw_only=True, frozen=True):
    """`records/<name>.json`: one finished record.

    `protocols` is null without a reference, and for a record that is unreadable.
    `host_int8`: the host's scores where its beats are not the board's; `float_network`: those of
    the network before it was quantized, where that is at hand.
    `verdict` is there where the record is a strip: of two minutes at most.
    """

    record: str
    lead: str
    record_rate_hz: Hertz
    gain_assumed: bool
    signal: SignalRead | UnsetType = UNSET
    samples: Count
    samples_crc32: Crc32
    seconds: Seconds
    beats: Count
    protocols: Protocols | None
    adaptation: Adaptation | None = None
    confidence: Confidence
    rhythm: Rhythm
    verdict: Verdict | UnsetType = UNSET
    episodes: Episodes | UnsetType = UNSET
    agreement: Agreement
    link: Link
    counters: Counters
    device: Firmware
    strips: list[Strip]
    host_int8: Protocols | UnsetType | None = UNSET
    float_network: Protocols | UnsetType = UNSET
