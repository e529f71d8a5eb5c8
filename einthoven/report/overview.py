"""`summary.json` in types, the part of the description of a run that follows from its records.

What it means: docs/replay.md. Kept to the byte by every version that writes `SCHEMA`.
"""

from typing import Literal

from msgspec import UNSET, UnsetType

from einthoven.report.description import (
    Count,
    CountUnit,
    Data,
    Difference,
    Entry,
    EpisodeCounts,
    Firmware,
    Gaps,
    Model,
    PatientHead,
    RateCounts,
    Rates,
    RecordScores,
    Scores,
    Seconds,
    Sha256,
    Share,
    SignalShare,
    StripLabel,
)


class AverageRates(Entry, kw_only=True, frozen=True):
    """Mean over the records on which the rate is defined; null if on none."""

    se: float | None
    ppv: float | None
    f1: float | None


class Average(Entry, kw_only=True, frozen=True):
    """Means over records by kind of beat."""

    qrs: AverageRates
    veb: AverageRates
    sveb: AverageRates


class Protocol(Entry, kw_only=True, frozen=True):
    """Scores of all records by one protocol; `gross_unseen` leaves out `data.in_training`."""

    gross: Scores
    gross_unseen: Scores | None
    average: Average
    records: list[RecordScores]


class ProtocolSummaries(Entry, kw_only=True, frozen=True):
    """As EC57 asks, and over whole records."""

    ec57: Protocol
    whole: Protocol


class WithoutBeats(Entry, kw_only=True, frozen=True):
    """A record on which there was no beat to compare, with the reason as far as it is known."""

    record: str
    seconds: Seconds
    reason: str


class AgreementSummary(Entry, kw_only=True, frozen=True):
    """Beats that differ, over all records.

    `without_beats`: records that had none, of which nothing was compared; there if there are any.
    """

    beats: Count
    device_vs_host_int8: Count
    host_int8_vs_tflm: Count | None
    signal_states_differ: Count
    first_difference: Difference | None
    without_beats: list[WithoutBeats] | UnsetType = UNSET
    rhythm_events_differ: Count | UnsetType = UNSET
    tflm_beats: Count | UnsetType = UNSET


class Judged(Entry, kw_only=True, frozen=True):
    """Scored detections, and those of a wrong class."""

    beats: Count
    wrong: Count


class ReliabilityBin(Entry, kw_only=True, frozen=True):
    """Detections whose confidence is from `low` to `high`: claimed and right share."""

    low: float
    high: float
    beats: Count
    claimed: float
    right: float


class Reliability(Entry, kw_only=True, frozen=True):
    """Whether confidence deserves its name (`scoring.reliability.summary`)."""

    sure: Judged
    unsure: Judged
    error_all: float | None
    error_sure: float | None
    claimed: float | None
    calibration_error: float | None
    bins: list[ReliabilityBin]


class ConfidenceSummary(Entry, kw_only=True, frozen=True):
    """All beats, the unsure among them, and how right they are where there is a reference."""

    beats: Count
    unsure: Count
    scored: Reliability | None


class RhythmRecord(Entry, kw_only=True, frozen=True):
    """One record's rhythm events."""

    record: str
    events: dict[str, Count]
    scored: dict[str, RateCounts] | None


class RhythmSummary(Entry, kw_only=True, frozen=True):
    """Rates by kind over the records that have a reference, and the counts by record."""

    scored: dict[str, Rates] | None
    records: list[RhythmRecord]


class VerdictScore(Entry, kw_only=True, frozen=True):
    """Labelled strips by the rule of CinC 2017: F1 by class, the mean of N, A and O.

    `confusion`: by label (rows) and verdict, in the order N, A, O, ~. Null where a class is absent.
    """

    strips: Count
    f1: dict[StripLabel, Share | None]
    mean_f1_nao: Share | None
    confusion: list[list[Count]]


class VerdictsSummary(Entry, kw_only=True, frozen=True):
    """Records that are strips, by verdict; `score` is null where none is labelled.

    `differ`: verdicts of the board that are not the host's.
    """

    strips: Count
    differ: Count
    told: dict[StripLabel, Count]
    score: VerdictScore | None


class EpisodeTable(Entry, kw_only=True, frozen=True):
    """One kind of episode by one protocol."""

    gross: EpisodeCounts
    records: list[EpisodeCounts]


class EpisodeTables(Entry, kw_only=True, frozen=True):
    """Atrial fibrillation, and ventricular flutter or fibrillation."""

    af: EpisodeTable
    vf: EpisodeTable


class EpisodeProtocolTables(Entry, kw_only=True, frozen=True):
    """As EC57 asks, and over whole records."""

    ec57: EpisodeTables
    whole: EpisodeTables


class Burden(Entry, kw_only=True, frozen=True):
    """One record's share in atrial fibrillation."""

    record: str
    af_burden: Share


class EpisodesSummary(Entry, kw_only=True, frozen=True):
    """Share of all signal in atrial fibrillation; the tables of records that have a reference."""

    af_burden: Share | None
    records: list[Burden]
    protocols: EpisodeProtocolTables | None


class ClassRates(Entry, kw_only=True, frozen=True):
    """One side of an adaptation: classes as the literature maps them, scored as EC57 does.

    `macro_f1` over those of N, S, V that the reference has.
    """

    beats: Count
    accuracy: float | None
    N: Rates
    S: Rates
    V: Rates
    macro_f1: float | None


class Sides(Entry, kw_only=True, frozen=True):
    """The same beats without and with the patients' heads."""

    unadapted: ClassRates
    adapted: ClassRates


class AdaptedRecord(Entry, kw_only=True, frozen=True):
    """One record without and with its patient's head."""

    record: str
    head: PatientHead
    unadapted: ClassRates
    adapted: ClassRates


class AdaptationSummary(Entry, kw_only=True, frozen=True):
    """Adapted records of the run, and all of them together."""

    protocol: Literal["ec57"]
    minutes: float
    records: list[AdaptedRecord]
    gross: Sides


class ArithmeticScores(Entry, kw_only=True, frozen=True):
    """One arithmetic of the network over all scored records: literature's classes."""

    ec57: ClassRates
    whole: ClassRates


class Arithmetics(Entry, kw_only=True, frozen=True):
    """The same records by the float network, by int8 on the host and by int8 on the board.

    `float_network` is null where it is missing, and `float_missing` says why.
    """

    records: Count
    float_network: ArithmeticScores | None
    float_missing: str | None
    host_int8: ArithmeticScores
    device_int8: ArithmeticScores


class Resources(Entry, kw_only=True, frozen=True):
    """Static sizes from the build, dynamic figures from what the board counted.

    The unit of the counter is in the names; only those of the run's `count_unit` are there, and
    `instructions_per_sample` and `instructions_per_inference` always (null for another unit).
    """

    flash_bytes: Count | None
    ram_bytes: Count | None
    stack_bytes: Count | None
    stack_bound_bytes: Count | None
    arena_bytes: Count | None
    stack_used_bytes: Count | None
    count_unit: CountUnit
    instructions_per_sample: float | None = None
    instructions_per_inference: float | None = None
    instructions_per_sample_max: Count | UnsetType | None = UNSET
    instructions_per_inference_max: Count | UnsetType | None = UNSET
    instructions_to_event_max: Count | UnsetType | None = UNSET
    cycles_per_sample: float | UnsetType | None = UNSET
    cycles_per_inference: float | UnsetType | None = UNSET
    cycles_per_sample_max: Count | UnsetType | None = UNSET
    cycles_per_inference_max: Count | UnsetType | None = UNSET
    cycles_to_event_max: Count | UnsetType | None = UNSET
    nanoseconds_per_sample: float | UnsetType | None = UNSET
    nanoseconds_per_inference: float | UnsetType | None = UNSET
    nanoseconds_per_sample_max: Count | UnsetType | None = UNSET
    nanoseconds_per_inference_max: Count | UnsetType | None = UNSET
    nanoseconds_to_event_max: Count | UnsetType | None = UNSET

    def counted(self, what: str) -> float | None:
        """`per_sample`, `per_inference_max` ... in the run's own unit; None if not counted."""
        value = getattr(self, f"{self.count_unit}_{what}", None)
        return None if value is UNSET else value


class LinkSummary(Entry, kw_only=True, frozen=True):
    """Over all records; `seconds` are those of all boards together."""

    bytes_lost: Count
    retries: Count
    bytes_sent: Count
    bytes_received: Count
    seconds: Seconds
    ecg_seconds: Seconds
    times_real_time: Seconds | None


class Latency(Entry, kw_only=True, frozen=True):
    """From R to the moment the beat's event leaves the core, in ms, over all beats."""

    median: float | None
    p99: float | None
    max: float | None


class SignalSummary(Entry, kw_only=True, frozen=True):
    """What the recordings were, what had to be assumed, and how much there was to read.

    `share`: of all time. `unreadable`: records with a signal in less than 1 - `unreadable_above`
    of their time, which are not scored. `offset_taken_off`: in mV, of those that are coupled.
    `not_replayed`: records that are bad, with their faults.
    """

    unreadable_above: Share
    unreadable: list[str]
    share: SignalShare
    records: dict[str, SignalShare]
    leads: dict[str, str]
    gain_assumed: list[str]
    offset_taken_off: dict[str, float]
    gaps: dict[str, Gaps]
    unchecked: list[str]
    not_replayed: dict[str, str]


class Summary(Entry, kw_only=True, frozen=True):
    """`summary.json`: every figure of a run, with model, pipeline and data by SHA-256."""

    schema: str
    notice: str
    board: str
    board_title: str
    firmware: Firmware | None
    model: Model
    pipeline_sha256: Sha256
    data: Data
    unfinished: list[str]
    not_scored: list[str]
    signal: SignalSummary | UnsetType = UNSET
    protocols: ProtocolSummaries
    agreement: AgreementSummary
    confidence: ConfidenceSummary
    rhythm: RhythmSummary
    verdicts: VerdictsSummary | UnsetType = UNSET
    episodes: EpisodesSummary | UnsetType = UNSET
    adaptation: AdaptationSummary | None
    resources: Resources
    link: LinkSummary
    latency_ms: Latency
    command: str
    created: str
    versions: dict[str, str]
    arithmetics: Arithmetics | UnsetType = UNSET
