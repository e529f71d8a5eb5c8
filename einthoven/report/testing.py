"""Made-up runs for tests: the least that the description of a run allows."""

from einthoven.report.description import (
    Agreement,
    Confidence,
    Counter,
    Counters,
    Data,
    Firmware,
    LargestCount,
    Link,
    Model,
    Plan,
    Result,
    Rhythm,
    RunOptions,
)

PLAN = Plan(
    board="host",
    board_title="a process",
    count_unit="nanoseconds",
    model=Model(name="m", sha256="bb" * 32, params=1, macs=2, training_records=[]),
    pipeline_sha256="aa" * 32,
    rate_hz=180,
    data=Data(
        db="mitdb",
        lead=None,
        synthetic=False,
        records=["100", "p1/101"],
        in_training=[],
        files={"100": {"100.dat": "cc" * 32}},
    ),
    options=RunOptions(
        board="host",
        records="100,p1/101",
        data="/data",
        db="mitdb",
        lead=None,
        port=None,
        tflm="all",
        synthetic=False,
        model="/model",
    ),
    command="einthoven replay",
    created="2026-01-02 03:04 +0000",
    versions={},
)


def empty_result(name: str) -> Result:
    """A record without a beat."""
    counter = Counter(n=0, sum=0, max=0)
    return Result(
        record=name,
        lead="MLII",
        record_rate_hz=360.0,
        gain_assumed=False,
        samples=3,
        samples_crc32="01234567",
        seconds=3 / 180,
        beats=0,
        protocols=None,
        confidence=Confidence(unsure=0, rows=None),
        rhythm=Rhythm(events={}, scored=None),
        agreement=Agreement(
            beats=0,
            device_vs_host_int8=0,
            host_int8_vs_tflm=None,
            signal_states_differ=0,
            differences=[],
        ),
        link=Link(
            bytes_sent=0,
            bytes_received=0,
            bytes_lost=0,
            retries=0,
            resets=0,
            seconds=0.0,
            times_real_time=0.0,
        ),
        counters=Counters(
            stack_used_bytes=0,
            per_sample=counter,
            per_inference=counter,
            to_event=LargestCount(n=0, max=0),
        ),
        device=Firmware(build="", serial="", arena_bytes=0),
        strips=[],
    )
