"""Make `vectors.h` for a test on the board: inputs, and what they must become.

`python firmware/tools/vectors.py core|engine|strip|rhythm FILE`. A seeded synthetic record; for
`core` a digest of the events and tensors of the host's build, for `strip` its verdict, for `rhythm`
its episodes and alarms, for `engine` the logits of TensorFlow Lite Micro (the package
`tflite-micro`), which shares no code with the engine.
PlatformIO calls it through `firmware/tools/pio_vectors.py` before it compiles a suite of that name.
"""

import sys
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import EinthovenError, ModelError
from einthoven.native import core, rhythm
from einthoven.native.confidence import Confidence
from einthoven.native.engine import HostModel, TflmModel
from einthoven.native.strip import Strip
from einthoven.native.vote import Vote
from einthoven.records.synth import Episode, make_record

SEED = 20
SECONDS = 60.0
TENSORS = 16
GAIN_LSB_PER_MV = 200
RAILS = (-2048, 2047)


def _samples() -> NDArray[np.int16]:
    episodes = (
        Episode("bigeminy", 10, 20),
        Episode("noisy", 24, 28),
        Episode("saturated", 30, 31),
        Episode("lead_off", 34, 38),
    )
    return make_record(SEED, SECONDS, float(core.rate_hz()), episodes=episodes).samples


def _digest(beats: core.Beats) -> int:
    digest = 0
    for i in range(len(beats)):
        words = (
            beats.t_samples[i],
            beats.t_emitted[i],
            beats.flags[i],
            beats.rr_prev_samples[i],
            beats.rr_next_samples[i],
        )
        digest = zlib.crc32(np.array(words, dtype="<u4").tobytes(), digest)
        digest = zlib.crc32(beats.signal[i].tobytes(), digest)
        digest = zlib.crc32(beats.features[i].tobytes(), digest)
    return digest


def _array(name: str, values: NDArray[np.integer]) -> list[str]:
    """A constant C array of the values' type and shape."""
    size = "".join(f"[{n}]" for n in values.shape)
    lines = [f"static const {values.dtype}_t {name}{size} = {{"]
    rows = values.reshape(values.shape[0], -1) if values.ndim > 1 else [values]
    for row in rows:
        # Inner braces of more dimensions may be left out, a row's may not.
        text = [", ".join(map(str, row[i : i + 20])) + "," for i in range(0, len(row), 20)]
        lines += ["{", *text, "},"] if values.ndim > 1 else text
    return [*lines, "};"]


def make_core() -> list[str]:
    """A record and what the host's core makes of it."""
    samples = _samples()
    beats = core.analyze(samples, GAIN_LSB_PER_MV, RAILS)
    return [
        f"#define VECTOR_GAIN {GAIN_LSB_PER_MV}",
        f"#define VECTOR_RAIL_LO ({RAILS[0]})",
        f"#define VECTOR_RAIL_HI {RAILS[1]}",
        f"#define VECTOR_SAMPLES {len(samples)}u",
        f"#define VECTOR_BEATS {len(beats)}u",
        f"#define VECTOR_SIGNALS {len(beats.signal_events)}u",
        f"#define VECTOR_DIGEST 0x{_digest(beats):08x}u",
        *_array("vector_samples", samples),
    ]


def make_engine() -> list[str]:
    """Tensors of that record, and random ones, with TFLM's logits."""
    beats = core.analyze(_samples(), GAIN_LSB_PER_MV, RAILS)
    chosen = np.linspace(0, len(beats) - 1, TENSORS // 2).astype(int)
    signal, features = beats.signal[chosen], beats.features[chosen]
    rng = np.random.default_rng(SEED)
    signal = np.concatenate([signal, rng.integers(-128, 128, signal.shape, dtype=np.int8)])
    features = np.concatenate([features, rng.integers(-128, 128, features.shape, dtype=np.int8)])
    logits = TflmModel().infer(signal, features)
    return [
        f"#define VECTOR_TENSORS {len(signal)}u",
        *_array("vector_signals", signal.reshape(len(signal), -1)),
        *_array("vector_features", features),
        *_array("vector_logits", logits),
    ]


def make_strip() -> list[str]:
    """The record, what the model says of its beats, and what the host's gate and verdict are."""
    # Cut off within bigeminy: the record's end takes a part of the last beats from the gate.
    samples = _samples()[: int(19.0 * core.rate_hz())]
    running = core.Core(GAIN_LSB_PER_MV, RAILS)
    beats = core.join([running.push(samples), running.finish()])
    model, gate = HostModel(), Strip()
    embedding = model.embed(beats.signal, beats.features)
    logits = Vote().of(model.head(embedding), beats)
    confidence, unsure = Confidence().of(logits, beats.flags)
    label = logits.argmax(axis=1).astype(np.uint8)
    told = gate.gate(beats.t_samples, label, confidence, unsure, len(samples))
    raw, features = gate.verdict(beats, logits, embedding, *told, running.templates(), len(samples))
    pairs = np.stack(told, axis=1).astype(np.uint8)
    if not (np.any(told[0] != label) and np.any(told[0] == label)):
        raise ModelError("the gate changes no beat of the vectors, or all: choose another record")
    return [
        f"#define VECTOR_GAIN {GAIN_LSB_PER_MV}",
        f"#define VECTOR_RAIL_LO ({RAILS[0]})",
        f"#define VECTOR_RAIL_HI {RAILS[1]}",
        f"#define VECTOR_SAMPLES {len(samples)}u",
        f"#define VECTOR_BEATS {len(beats)}u",
        f"#define VECTOR_TOLD 0x{zlib.crc32(pairs.tobytes()):08x}u",
        f"#define VECTOR_FEATURES 0x{zlib.crc32(features.tobytes()):08x}u",
        *(f"#define VECTOR_{name.upper()} {value}u" for name, value in asdict(raw).items()),
        *_array("vector_samples", samples),
        *_array("vector_label", label),
        *_array("vector_confidence", confidence),
        *_array("vector_unsure", unsure.astype(np.uint8)),
        *_array("vector_logits", logits),
        *_array("vector_embedding", embedding),
    ]


def make_rhythm() -> list[str]:
    """A record with much to tell, the classes of its beats, and what the host's stage tells."""
    rate = core.rate_hz()
    episodes = (Episode("bigeminy", 6, 16), Episode("af", 20, 50))
    heart = make_record(SEED, 56.0, float(rate), episodes=episodes).samples
    t = np.arange(10 * rate) / rate
    flutter = np.round(GAIN_LSB_PER_MV * 0.8 * np.sin(2 * np.pi * 4.0 * t)).astype(np.int16)
    silence = np.random.default_rng(SEED).integers(-3, 4, 7 * rate, dtype=np.int16)
    samples = np.concatenate([heart, flutter, heart[: 8 * rate], silence, heart[: 6 * rate]])
    beats = core.analyze(samples, GAIN_LSB_PER_MV, RAILS)
    logits = Vote().of(HostModel().infer(beats.signal, beats.features), beats)
    label = logits.argmax(axis=1).astype(np.uint8)
    confidence, _ = Confidence().of(logits, beats.flags)
    events = rhythm.record(samples, label, confidence, GAIN_LSB_PER_MV, RAILS)
    wanted = {"bigeminy", "atrial fibrillation", "ventricular flutter or fibrillation", "asystole"}
    told = {rhythm.kinds()[k] for k in events.kind}
    if missing := wanted - told:
        raise ModelError(f"the vectors have no {', '.join(sorted(missing))}: choose another record")
    columns = (events.kind, events.phase, events.begin_samples, events.end_samples)
    words = np.stack([*columns, events.t_emitted], axis=1).astype("<u4")
    return [
        f"#define VECTOR_GAIN {GAIN_LSB_PER_MV}",
        f"#define VECTOR_RAIL_LO ({RAILS[0]})",
        f"#define VECTOR_RAIL_HI {RAILS[1]}",
        f"#define VECTOR_SAMPLES {len(samples)}u",
        f"#define VECTOR_BEATS {len(beats)}u",
        f"#define VECTOR_TOLD {len(events)}u",
        f"#define VECTOR_KINDS 0x{sum(1 << int(k) for k in set(events.kind.tolist())):x}u",
        f"#define VECTOR_DIGEST 0x{zlib.crc32(words.tobytes()):08x}u",
        *_array("vector_samples", samples),
        *_array("vector_label", label),
        *_array("vector_confidence", confidence),
    ]


def main(argv: list[str]) -> int:
    """Write the file; exit code 2 with one line when that is not possible."""
    makers = {
        "core": make_core,
        "engine": make_engine,
        "strip": make_strip,
        "rhythm": make_rhythm,
    }
    if len(argv) != 2 or argv[0] not in makers:
        print(f"usage: vectors.py {'|'.join(makers)} FILE", file=sys.stderr)
        return 2
    try:
        lines = ["#include <stdint.h>", *makers[argv[0]]()]
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    path = Path(argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
