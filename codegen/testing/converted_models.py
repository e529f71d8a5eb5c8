"""Random residual networks as TensorFlow's converter writes them: Keras, post-training int8.

    python -m einthoven.codegen.testing.converted_models --first 1000 --graphs 50

Where `random_models` chooses scales by itself, these come from the converter: its fused
activations, folded batch normalizations, padding, and scales by calibration. Generated C on the
host, the emulated Cortex-M4 and rv32 against TFLite Micro, layer by layer. Needs TensorFlow (the
`train` extra).
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing.many_models import PLACES, Job, differences, programs, run
from einthoven.codegen.testing.random_models import noise
from einthoven.native.tflm import tflm_layers

CALIBRATION_STEPS = 4
LENGTHS, CHANNELS = (8, 72), (1, 4)


def converted_model(seed: int) -> bytes:
    """The `.tflite` of a random network: a signal and perhaps features in, a few values out."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    rng = np.random.default_rng([seed, 0x7F1])
    model = _network(rng)
    _randomize(model, rng)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[
            tf.TensorSpec((1, *i.shape[1:]), tf.float32, name=i.name) for i in model.inputs
        ]
    )
    def infer(*inputs: Any) -> Any:
        return model(list(inputs), training=False)

    def calibration() -> Iterator[list[Any]]:
        for _ in range(CALIBRATION_STEPS):
            yield [rng.normal(0, 1, (1, *i.shape[1:])).astype(np.float32) for i in model.inputs]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([infer.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter.representative_dataset = calibration
    content: bytes = converter.convert()
    return content


def check(
    seeds: Iterable[int], places: Sequence[str], kernels: Path, folder: Path, n: int = 8
) -> list[str]:
    """A line per network and place that does not agree with TFLite Micro on `n` inputs."""
    jobs, expected = [], {}
    for seed in seeds:
        data = converted_model(seed)
        graph = lower(reader.parse(data))
        inputs = [noise((t.length, t.channels), n, seed + i) for i, t in enumerate(graph.inputs)]
        jobs.append(Job(f"graph {seed}", graph, inputs))
        tensors = [op.output.index for op in graph.ops]
        expected[jobs[-1].label] = tflm_layers(data, inputs, tensors)
    wrong = []
    for number, portion in enumerate(programs(jobs)):
        for place in places:
            found = run(portion, place, kernels, folder / f"{place}_{number}")
            theirs = [expected[job.label] for job in portion]
            wrong += [f"{place}: {line}" for line in differences(portion, found, theirs)]
    return wrong


def _network(rng: Generator) -> Any:
    from tf_keras import Model, layers

    signal = layers.Input(
        (1, int(rng.integers(*LENGTHS)), int(rng.integers(*CHANNELS))), name="signal"
    )
    x = signal
    for _ in range(int(rng.integers(1, 4))):
        x = _block(rng, x)
    heads = [
        layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D(), layers.Flatten()
    ]  # fmt: skip
    x = heads[int(rng.integers(3))](x)
    inputs = [signal]
    if rng.random() < 0.6:
        features = layers.Input((int(rng.integers(1, 20)),), name="features")
        inputs.append(features)
        side = layers.Dense(int(rng.integers(2, 9)), activation="relu")(features)
        if rng.random() < 0.5:
            x = layers.Concatenate()([x, side])
        else:
            x = layers.Add()([layers.Dense(side.shape[-1])(x), side])
    x = layers.Dense(int(rng.integers(3, 33)), activation="relu")(x)
    last = [None, None, "softmax", "sigmoid"][int(rng.integers(4))]
    return Model(inputs, layers.Dense(int(rng.integers(1, 8)), activation=last)(x))


def _block(rng: Generator, x: Any) -> Any:
    """Stem, two convolutions, a shortcut, an activation, pooling: each in one of its kinds."""
    from tf_keras import layers

    filters = int(rng.choice([3, 4, 8, 16]))
    if rng.random() < 0.3:
        x = layers.ZeroPadding2D(((0, 0), (int(rng.integers(4)), int(rng.integers(1, 4)))))(x)
    x = _conv(rng, x, filters, "same", stride=int(rng.integers(1, 4)))
    y = _conv(rng, x, filters, "same")
    y = layers.Activation(str(rng.choice(["relu", "relu6"])))(_normalized(rng, y))
    if rng.random() < 0.3:
        y = layers.DepthwiseConv2D((1, 3), padding="same")(y)
    y = _normalized(rng, _conv(rng, y, filters, "same"))
    x = layers.Add()([x, y])
    if rng.random() < 0.7:
        x = layers.ReLU()(x)
    if x.shape[2] >= 8 and rng.random() < 0.3:
        x = _conv(rng, x, filters, "valid")
    if x.shape[2] >= 4:
        pool = layers.AveragePooling2D if rng.random() < 0.3 else layers.MaxPooling2D
        padding = str(rng.choice(["same", "valid"]))
        x = pool((1, int(rng.integers(2, 4))), (1, 2), padding)(x)
    return x


def _conv(rng: Generator, x: Any, filters: int, padding: str, stride: int = 1) -> Any:
    from tf_keras import layers

    kernel = int(rng.choice([1, 3, 5, 7]))
    dilation = int(rng.choice([1, 1, 2, 4])) if stride == 1 and padding == "same" else 1
    return layers.Conv2D(
        filters, (1, kernel), (1, stride), padding, dilation_rate=(1, dilation),
        use_bias=bool(rng.random() < 0.8),
    )(x)  # fmt: skip


def _normalized(rng: Generator, x: Any) -> Any:
    from tf_keras import layers

    return layers.BatchNormalization()(x) if rng.random() < 0.5 else x


def _randomize(model: Any, rng: Generator) -> None:
    """Weights, biases and batch statistics as a training might leave them."""
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "variance" in variable.name or "gamma" in variable.name:
            values = rng.uniform(0.3, 2.0, shape)
        elif len(shape) == 1:
            values = rng.normal(0, 0.2, shape)
        else:
            values = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        variable.assign(values.astype(np.float32))


def main(argv: list[str] | None = None) -> int:
    """Print what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(
        prog="python -m einthoven.codegen.testing.converted_models", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--first", type=int, default=0, help="seed of the first graph [0]")
    parser.add_argument("--graphs", type=int, default=50, help="how many [50]")
    parser.add_argument("--place", action="append", choices=PLACES, help="[all of them]")
    args = parser.parse_args(argv)
    seeds = range(args.first, args.first + args.graphs)
    with tempfile.TemporaryDirectory() as scratch:
        wrong = check(seeds, args.place or PLACES, Path(scratch, "kernels"), Path(scratch))
    print("\n".join([*wrong, f"{args.graphs} graphs, {len(wrong)} wrong"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
