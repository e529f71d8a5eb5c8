"""Made-up runs for tests: the least that the description of a run allows, and one to look at."""

from pathlib import Path

import numpy as np

from einthoven.native.events import BEAT, SIGNAL_STATE, Events
from einthoven.records.annotations import Annotations
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
from einthoven.report.run import RunDir
from einthoven.report.schema import of_builtins, to_builtins
from einthoven.report.summary import stored
from einthoven.scoring.comparison import compare

RATE_HZ = 180
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


def made_up_annotations(seed: int, wrong: float) -> tuple[Annotations, Annotations]:
    """A reference of 1000 beats, and a test that misses, invents and confuses some."""
    rng = np.random.default_rng(seed)
    times = 360 + np.cumsum(rng.integers(220, 340, 1000))
    symbols = rng.choice(list("NNNNNNNNVSFQ"), 1000)
    found = rng.random(1000) >= wrong
    said = np.where(rng.random(1000) < wrong, rng.choice(list("NSVFQ"), 1000), symbols)
    test_times = np.append(times[found] + rng.integers(-9, 10, found.sum()), times[-1] + 200)
    test_symbols = np.append(said[found], "V")
    return (
        Annotations.of(times, symbols.tolist(), 360.0),
        Annotations.of(test_times, test_symbols.tolist(), 360.0),
    )


def made_up_result(name: str, seed: int, wrong: float, differences: int = 0) -> Result:
    """A record that is scored, with a strip; `differences`: beats that differ from the host's."""
    reference, test = made_up_annotations(seed, wrong)
    end = int(reference.samples[-1]) + 720
    differing = [
        {"record": name, "between": "device | host int8", "time_s": 61.5 + i, "t_samples": 11070}
        | {"what": "tensor_crc, logits", "left": "0000abcd [1]", "right": "0000abce <2>"}
        for i in range(differences)
    ]
    made = {
        "record": name,
        "lead": "MLII",
        "record_rate_hz": 360.0,
        "gain_assumed": False,
        "samples": 1000,
        "samples_crc32": "01234567",
        "seconds": end / 360.0,
        "beats": len(test.samples),
        "protocols": {
            "ec57": to_builtins(stored(compare(reference, test, 360.0, end))),
            "whole": to_builtins(stored(compare(reference, test, 360.0, end, 0.0))),
        },
        "confidence": {"unsure": 20, "rows": [[200, 0, 0, 900], [200, 1, 1, 20], [255, 0, 1, 7]]},
        "rhythm": {
            "events": {"couplet": 3, "pause": 1},
            "scored": {
                "couplet": {"tp": 2, "fn": 4, "fp": 1},
                "pause": {"tp": 1, "fn": 0, "fp": 0},
            },
        },
        "agreement": {
            "beats": len(test.samples),
            "device_vs_host_int8": differences,
            "host_int8_vs_tflm": 0,
            "signal_states_differ": 0,
            "differences": differing,
        },
        "link": {"bytes_sent": 9, "bytes_received": 8, "bytes_lost": 2, "retries": 1}
        | {"resets": 0, "seconds": 20.0, "times_real_time": 40.0},
        "counters": {
            "stack_used_bytes": 900 + seed,
            "per_sample": {"n": 1000, "sum": 250_000, "max": 4000 + seed},
            "per_inference": {"n": 10, "sum": 5_000_000, "max": 500_000 + seed},
            "to_event": {"n": 10, "max": 510_000},
        },
        "device": {"build": "abc", "serial": "", "arena_bytes": 2672},
        "strips": [
            {
                "record": name,
                "reason": "ectopic beats found",
                "start_s": 600.0,
                "rate_hz": RATE_HZ,
                "mv": np.sin(np.arange(1800) / 20).round(3).tolist(),
                "events": [[601.0, "V"], [602.0, "N"]],
                "reference": [[601.0, "V"], [602.0, "S"]],
                "differ": [601.0] if differences else [],
            }
        ],
    }
    return of_builtins(made, Result)


def made_up_run(path: Path, wrong: float = 0.03) -> RunDir:
    """A run of three records that are done, the last with differences, and one that is not.

    `wrong`: share of wrong beats of the second record; the third has twice as many.
    """
    names = ["100", "119", "208"]
    plan = {
        "board": "qemu_stm32f405",
        "board_title": "STM32F405 <emulated>",
        "count_unit": "instructions",
        "model": {"name": "m1", "sha256": "ab" * 32, "params": 24_000}
        | {"macs": 372_000, "training_records": []},
        "pipeline_sha256": "cd" * 32,
        "rate_hz": RATE_HZ,
        "data": {
            "db": "mitdb",
            "lead": None,
            "synthetic": False,
            "records": [*names, "232"],
            "in_training": [],
            "files": {n: {f"{n}.dat": "ef" * 32} for n in [*names, "232"]},
        },
        "sizes": {
            **{"flash_bytes": 80_000, "ram_bytes": 20_000},
            **{"stack_bytes": 4096, "stack_bound_bytes": 2048},
        },
        "options": {"board": "qemu_stm32f405", "records": "all", "data": "/data", "db": "mitdb"}
        | {"lead": None, "port": None, "tflm": True, "synthetic": False, "model": "/model"},
        "command": "einthoven replay --records 100,119,208,232",
        "created": "2026-01-02 03:04 +0000",
        "versions": {"einthoven": "0.1.0"},
    }
    run = RunDir.create(path, of_builtins(plan, Plan))
    for seed, name in enumerate(names):
        made = made_up_result(name, seed, wrong * seed, differences=2 if name == "208" else 0)
        beats = np.zeros(made.beats, dtype=BEAT)
        beats["t_samples"] = 150 * np.arange(1, len(beats) + 1)
        beats["t_emitted"] = beats["t_samples"] + 200
        beats["count"] = 500_000
        events = Events(beats, np.zeros(0, SIGNAL_STATE))
        run.write_events(name, events, beats["t_samples"].astype(np.int64) * 2)
        run.write_result(name, made)
    return run
