"""Gate and verdict: the C's own tests, and against the trees as training evaluates them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.native import core, strip
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel
from einthoven.native.strip import NONE, Raw, Strip
from einthoven.native.vote import Vote
from einthoven.paths import FIRMWARE, GENERATED
from einthoven.records.synth import Ectopy, Episode, make_record

FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("name", ["quality", "strip_rr"])
def test_c_module(name: str, tmp_path: Path) -> None:
    rhythm, shared = FIRMWARE / "rhythm", FIRMWARE / "core"
    program = tmp_path / name
    sources = [rhythm / f"test_ein_{name}.c", rhythm / f"ein_{name}.c", shared / "ein_fixed.c"]
    includes = [f"-I{folder}" for folder in (rhythm, shared, GENERATED)]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources)]
    subprocess.run([*command, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _verdict(
    seconds: float,
    *episodes: Episode,
    blocks: tuple[int, ...] = (),
    ectopy: Ectopy | None = None,
) -> tuple[Raw, NDArray[np.int8]]:
    made = make_record(
        5, max(seconds, 10.0), float(core.rate_hz()), ectopy=ectopy, episodes=episodes
    )
    samples = made.samples[: round(seconds * core.rate_hz())]
    running = core.Core()
    cuts = np.cumsum(blocks)[:-1].tolist() if blocks else []
    parts = [running.push(part) for part in np.split(samples, cuts)]
    beats = core.join([*parts, running.finish()])
    model, stage = HostModel(), Strip()
    embedding = model.embed(beats.signal, beats.features)
    logits = Vote().of(model.head(embedding), beats)
    confidence, unsure = Confidence().of(logits, beats.flags)
    told = stage.gate(beats.t_samples, logits.argmax(axis=1), confidence, unsure, len(samples))
    return stage.verdict(beats, logits, embedding, *told, running.templates(), len(samples))


def test_cut_of_the_samples_does_not_matter() -> None:
    whole, features = _verdict(20.0)
    for blocks in ((1,) * 100 + (3500,), (700, 7, 256, 2637)):
        again, same = _verdict(20.0, blocks=blocks)
        assert again == whole and np.array_equal(features, same)


def test_what_is_no_strip() -> None:
    long, _ = _verdict(121.0)
    assert long.verdict == NONE and strip.symbol(long) is None
    short, _ = _verdict(4.0)
    assert strip.symbol(short) == "~" and strip.reasons(short) == ["too short"]
    empty = Strip().verdict(
        core.analyze(np.zeros(0, np.int16)),
        np.zeros((0, 5), np.int8),
        np.zeros((0, 32), np.int8),
        np.zeros(0, np.uint8),
        np.zeros(0, np.bool_),
        core.Core().templates(),
        1800,
    )[0]
    assert strip.symbol(empty) == "~" and strip.reasons(empty) == ["hardly a beat found"]


def test_reasons_in_words() -> None:
    names = [name for name, _ in strip.spec()["reasons"]["words"]]

    def bits(*wanted: str) -> int:
        return sum(1 << names.index(name) for name in wanted)

    raw = Raw(1, 200, bits("irregular", "ventricular", "supraventricular", "pause"), 1, 3, 81, 2460)
    assert strip.reasons(raw) == [
        "irregular",
        "1 ventricular extra beat",
        "3 supraventricular extra beats",
        "pause of 2.5 s",
    ]


def test_regular_rhythm_is_told_with_its_rate() -> None:
    raw, _ = _verdict(30.0, ectopy=Ectopy(0, 0, 0, 0, 0))
    assert strip.symbol(raw) == "N"
    assert strip.reasons(raw) == [f"regular, {raw.rate_bpm} a minute"]
    assert 70 <= raw.rate_bpm <= 74


def test_fits_the_budget_of_ram() -> None:
    assert Strip().ram_bytes <= 800
