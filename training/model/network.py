"""The residual CNN: two inputs (a beat's signal and its features), five logits.

Built from Conv2D of height 1, because tfmot cannot quantize Conv1D and because the converter
hides EXPAND_DIMS and RESHAPE ops around it. The features' branch joins by ADD and not by
CONCATENATION: an int8 concatenation forces one scale on both branches.
"""

import math
import os
from contextlib import suppress
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # tfmot knows Keras 2 only
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from einthoven.tool_output import quiet, verbose
from einthoven.training.recipe import Architecture

with quiet():
    import tensorflow as tf
    import tf_keras as keras

if not verbose():
    tf.get_logger().setLevel("ERROR")

__all__ = [
    "SeededDropout",
    "build",
    "keras",
    "multiply_adds",
    "one_thread",
    "parameters",
    "tf",
    "with_rhythm",
]

Model = Any  # tf_keras has no type information
SIGNAL_INPUT = "signal"
FEATURE_INPUT = "features"


def one_thread() -> None:
    """Let TensorFlow compute in one thread from now on, if it has not begun yet.

    With several, sums are split by the number of cores, so that the weights depend on the machine;
    and networks as small as these only lose time by it.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


@keras.utils.register_keras_serializable("einthoven")
class SeededDropout(keras.layers.Layer):  # type: ignore[misc]
    """Dropout whose mask is a function of (seed, step), kept in the weights.

    Keras's own keeps its random state outside of the checkpoint: a resumed training would
    differ from an uninterrupted one.
    """

    def __init__(self, rate: float, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Make the step counter."""
        self.step = self.add_weight("step", (), "int32", "zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """[n, features] in, the same out; at inference nothing happens."""
        if not training or self.rate == 0:
            return inputs
        step = self.step.assign_add(1)
        keep = tf.random.stateless_uniform(tf.shape(inputs), [self.seed, step]) >= self.rate
        return inputs * tf.cast(keep, inputs.dtype) / (1 - self.rate)

    def get_config(self) -> dict[str, Any]:
        """For saving the model."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def build(arch: Architecture, window: int, channels: int, features: int, classes: int) -> Model:
    """The float network for inputs `[n,1,window,channels]` and `[n,features]` in real units.

    Its output is `[n,classes]` logits. Batch normalization is folded into the convolutions
    at conversion.
    """

    def conv(x: Any, n: int, width: int, name: str, stride: int = 1, relu: bool = True) -> Any:
        x = keras.layers.Conv2D(
            n, (1, width), strides=(1, stride), padding="same", use_bias=False,
            name=name,
        )(x)  # fmt: skip
        x = keras.layers.BatchNormalization(name=f"{name}_bn", momentum=0.98)(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x

    def pool(x: Any, i: int) -> Any:
        return keras.layers.MaxPooling2D((1, 2), name=f"block{i}_pool")(x)

    def block(x: Any, i: int, n: int) -> Any:
        same = x.shape[-1] == n
        skipped = arch.skip == "projected" or (arch.skip == "identity" and same)
        y = x
        for j in range(arch.convolutions):
            # In front of a sum no ReLU, unless it is the block's only one.
            bends = j + 1 < arch.convolutions or not skipped or arch.convolutions == 1
            y = conv(y, n, arch.kernel, f"block{i}_{chr(ord('a') + j)}", relu=bends)
        if not skipped:
            return y
        if not same:
            x = conv(x, n, 1, f"block{i}_skip", relu=False)
        return keras.layers.Add(name=f"block{i}_add")([x, y])

    signal = keras.layers.Input((1, window, channels), name=SIGNAL_INPUT)
    feature = keras.layers.Input((features,), name=FEATURE_INPUT)
    x = conv(signal, arch.stem_channels, arch.stem_kernel, "stem", arch.stem_stride)
    for i, n in enumerate(arch.blocks):
        if arch.pool_first:
            x = pool(x, i)
        x = block(x, i, n)
        if not arch.pool_first:
            x = pool(x, i)
    # The positions stay apart: where a P wave is tells more than whether there is one.
    x = keras.layers.Flatten(name="flatten")(x)
    if arch.dropout > 0:
        x = SeededDropout(arch.dropout, 1, name="dropout_signal")(x)
    x = keras.layers.Dense(arch.dense, name="dense_signal")(x)
    f = keras.layers.Dense(arch.feature_dense, activation="relu", name="dense_features_a")(feature)
    f = keras.layers.Dense(arch.dense, name="dense_features_b")(f)
    x = keras.layers.Add(name="join")([x, f])
    x = keras.layers.Dense(arch.dense, activation="relu", name="dense_join")(x)
    if arch.dropout > 0:
        x = SeededDropout(arch.dropout, 2, name="dropout_join")(x)
    logits = keras.layers.Dense(classes, name="logits")(x)
    return keras.Model([signal, feature], logits, name="einthoven")


def with_rhythm(model: Model, rhythms: int) -> Model:
    """`model` with a second output, `[n,rhythms]` logits of what its last layer knows of a beat.

    For training only; the weights that both have are the same variables.
    """
    known = model.get_layer("logits").input
    rhythm = keras.layers.Dense(rhythms, name="rhythm")(known)
    return keras.Model(model.inputs, [model.output, rhythm], name="with_rhythm")


def _kernels(model: Model) -> list[tuple[Any, tuple[int, ...]]]:
    """Convolutions and dense layers with their kernels' shapes; a QAT model wraps its layers."""
    found = []
    for layer in model.layers:
        inner = getattr(layer, "layer", layer)
        if isinstance(inner, keras.layers.Conv2D | keras.layers.Dense):
            found.append((layer, tuple(int(n) for n in inner.kernel.shape)))
    return found


def multiply_adds(model: Model) -> int:
    """Multiply-adds of one inference, of a float or QAT model."""
    return sum(
        math.prod(shape) * (int(layer.output_shape[2]) if len(shape) == 4 else 1)
        for layer, shape in _kernels(model)
    )


def parameters(model: Model) -> int:
    """Weights and biases of the network as it is deployed, batch normalization folded in."""
    return sum(math.prod(shape) + shape[-1] for _, shape in _kernels(model))
