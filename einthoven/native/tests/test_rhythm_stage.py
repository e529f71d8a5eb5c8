"""The rhythm stage: its C tests with sanitizers, and that host and binding agree on a record."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from einthoven.errors import UsageError
from einthoven.native import core, rhythm
from einthoven.paths import FIRMWARE, GENERATED

RHYTHM, CORE = FIRMWARE / "rhythm", FIRMWARE / "core"
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def test_c_module(tmp_path: Path) -> None:
    program = tmp_path / "rhythm"
    sources = [*sorted(RHYTHM.glob("ein_*.c")), CORE / "ein_fixed.c", RHYTHM / "test_ein_rhythm.c"]
    includes = [f"-I{folder}" for folder in (RHYTHM, CORE, GENERATED)]
    command = ["cc", *FLAGS, *SANITIZERS, *includes, *map(str, sources)]
    subprocess.run([*command, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kinds_are_those_of_the_header() -> None:
    text = (GENERATED / "ein_rhythm_spec.h").read_text()
    assert len(rhythm.kinds()) == len(set(rhythm.kinds()))
    for code, name in enumerate(rhythm.kinds()):
        assert f" = {code}, /* {name} */" in text


def _beats(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(60, 300, n))
    labels = rng.choice(5, n, p=[0.6, 0.1, 0.2, 0.05, 0.05])
    flags = np.where(rng.random(n) < 0.05, core.FLAG_BREAK, 0)
    return times, labels, flags


def test_times_may_wrap_anywhere() -> None:
    times, labels, flags = _beats(1)
    plain = rhythm.episodes(times, labels, flags, int(times[-1]) + 100)
    origin = 2**32 - 30_000
    moved = rhythm.episodes(
        (times + origin) % 2**32, labels, flags, (int(times[-1]) + 100 + origin) % 2**32
    )
    assert len(plain) > 30
    assert moved.kind.tolist() == plain.kind.tolist()
    assert ((moved.begin_samples - origin) % 2**32).tolist() == plain.begin_samples.tolist()
    over = plain.phase == rhythm.END
    assert ((moved.end_samples - origin) % 2**32)[over].tolist() == plain.end_samples[over].tolist()


def test_no_rhythm_without_beats_and_arrays_must_fit() -> None:
    none = np.zeros(0, np.int64)
    assert len(rhythm.episodes(none, none, none, 0)) == 0
    with pytest.raises(UsageError, match="as many"):
        rhythm.episodes(np.zeros(2, np.int64), none, none, 0)
    with pytest.raises(UsageError, match="int16"):
        rhythm.record(np.zeros(10, np.int32), none, none)


def test_a_begin_has_its_end() -> None:
    times, labels, flags = _beats(2, 2000)
    told = rhythm.episodes(times, labels, flags, int(times[-1]))
    for kind in np.unique(told.kind[told.phase == rhythm.BEGIN]):
        mine = told.kind == kind
        phases = told.phase[mine].tolist()
        assert phases == [rhythm.BEGIN, rhythm.END] * (len(phases) // 2)
        begins = told.begin_samples[mine]
        assert begins[0::2].tolist() == begins[1::2].tolist()


def test_a_gap_is_no_asystole_and_moves_what_follows() -> None:
    rate = core.rate_hz()
    samples = np.random.default_rng(0).integers(-3, 4, 60 * rate).astype(np.int16)
    for at in range(100, len(samples) - 10, 140):
        samples[at : at + 6] = (60, 140, 200, 140, 60, 0)
    quiet = np.random.default_rng(1).integers(-3, 4, 30 * rate)
    gaps = [(20 * rate, 15 * rate)]
    beats = core.analyze(samples, gaps=gaps)
    told = rhythm.record(
        samples, np.zeros(len(beats), np.int64), np.full(len(beats), 255), gaps=gaps
    )
    names = [rhythm.kinds()[k] for k in told.kind]
    assert len(beats) > 50 and "asystole" not in names and "pause" not in names
    silent = samples.copy()
    silent[30 * rate :] = quiet
    beats = core.analyze(silent)
    told = rhythm.record(silent, np.zeros(len(beats), np.int64), np.full(len(beats), 255))
    begun = [(rhythm.kinds()[k], t) for k, t in zip(told.kind, told.t_emitted, strict=True)]
    assert any(name == "asystole" and t < 37 * rate for name, t in begun)
