"""Whatever the signal path computes is tied to the pipeline's hash, and so to the model."""

import hashlib

import numpy as np

from einthoven.native import core
from einthoven.records.synth import Episode, make_record

# Of `digest()`; its first part is the pipeline's hash, so that one cannot change without the other.
EXPECTED = "49bf7b15851ae8ce:acf34d5cad8fa523356dab65c2d54ef3"

EPISODES = (
    Episode("bigeminy", 30, 45),
    Episode("af", 60, 80),
    Episode("noisy", 100, 110),
    Episode("saturated", 120, 121),
    Episode("lead_off", 140, 146),
    Episode("paced", 160, 180),
)


def digest() -> str:
    samples = make_record(23, 240.0, float(core.rate_hz()), episodes=EPISODES).samples
    beats = core.analyze(samples)
    assert len(beats) > 200
    sha = hashlib.sha256(samples.astype("<i2").tobytes())
    columns = (beats.t_samples, beats.t_emitted, beats.rr_prev_samples, beats.rr_next_samples)
    for column in columns:
        sha.update(column.astype("<i8").tobytes())
    sha.update(beats.flags.astype("<u2").tobytes())
    sha.update(beats.signal_events.astype("<i8").tobytes())
    sha.update(np.ascontiguousarray(beats.signal).tobytes())
    sha.update(np.ascontiguousarray(beats.features).tobytes())
    return f"{core.pipeline_sha256()[:16]}:{sha.hexdigest()[:32]}"


def test_the_signal_path_computes_what_it_did() -> None:
    now = digest()
    assert now == EXPECTED, (
        "the signal path gives other events or tensors than those that models were trained on: "
        "raise `version` in codegen/spec/pipeline.toml (if nothing else in it changed), run "
        f"`python -m einthoven.codegen`, train anew, and set EXPECTED to {now}"
    )
