"""Models as other people build them: Keras's defaults, pipelines like Edge Impulse's, tfmot.

Seeded weights, not trained: whether a file is accepted and computed right does not depend on that.
Nothing of this project's training is used. Needs TensorFlow (the `train` extra).
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

CALIBRATION_STEPS = 16
BEAT = 187
"""Samples of a beat in the MIT-BIH files that most tutorials take from Kaggle."""


@dataclass(frozen=True)
class Recipe:
    """`how` says what converts it: open or fixed (batch), per tensor, uint8, qat."""

    name: str
    how: str
    build: Callable[[], Any]


def convert(recipe: Recipe) -> bytes:
    """The `.tflite`. The same recipe gives the same file with the same TensorFlow."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(7)
    model = recipe.build()
    rng = np.random.default_rng(7)
    if recipe.how != "qat":
        _as_if_trained(model, rng)
    shape = tuple(model.inputs[0].shape[1:])
    converter = _converter(tf, model, shape, recipe.how)

    def calibration() -> Iterator[list[Any]]:
        for _ in range(CALIBRATION_STEPS):
            yield [rng.normal(0, 1, (1, *shape)).astype(np.float32)]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    byte = tf.uint8 if recipe.how == "uint8" else tf.int8
    converter.inference_input_type = converter.inference_output_type = byte
    converter.representative_dataset = calibration
    if recipe.how == "per tensor":
        converter._experimental_disable_per_channel = True
    content: bytes = converter.convert()
    return content


def _converter(tf: Any, model: Any, shape: tuple[int, ...], how: str) -> Any:
    if how in ("open", "uint8", "qat"):
        return tf.lite.TFLiteConverter.from_keras_model(model)

    @tf.function(input_signature=[tf.TensorSpec((1, *shape), tf.float32)])  # type: ignore[untyped-decorator]
    def infer(x: Any) -> Any:
        return model(x, training=False)

    return tf.lite.TFLiteConverter.from_concrete_functions([infer.get_concrete_function()])


def _as_if_trained(model: Any, rng: np.random.Generator) -> None:
    """Statistics and slopes that are not those of a network that was just made."""
    for variable in model.weights:
        name, shape = getattr(variable, "path", variable.name), tuple(variable.shape)
        if "variance" in name or "gamma" in name:
            variable.assign(rng.uniform(0.4, 1.8, shape).astype(np.float32))
        elif "moving_mean" in name or "beta" in name or "bias" in name:
            variable.assign(rng.normal(0, 0.2, shape).astype(np.float32))
        elif "alpha" in name:
            variable.assign(rng.uniform(0.05, 0.4, shape).astype(np.float32))


def _sequential(shape: tuple[int, ...], *names: Callable[[Any], Any]) -> Any:
    import keras

    x = inputs = keras.Input(shape)
    for layer in names:
        x = layer(x)
    return keras.Model(inputs, x)


def _plain() -> Any:
    """The tutorial: two convolutions, max-pooling, dense, softmax."""
    from keras import layers as k

    return _sequential(
        (BEAT, 1), k.Conv1D(16, 5, activation="relu"), k.MaxPooling1D(2),
        k.Conv1D(32, 5, activation="relu"), k.MaxPooling1D(2), k.Flatten(),
        k.Dense(32, activation="relu"), k.Dropout(0.3), k.Dense(5, activation="softmax"),
    )  # fmt: skip


def _normalized_late() -> Any:
    """Batch normalization behind ReLU, which no convolution can take up."""
    from keras import layers as k

    return _sequential(
        (BEAT, 1), k.Conv1D(8, 7, strides=2, activation="relu"), k.BatchNormalization(),
        k.Conv1D(16, 5, activation="relu"), k.BatchNormalization(), k.GlobalAveragePooling1D(),
        k.Dense(5),
    )  # fmt: skip


def _residual() -> Any:
    """A 1-D residual network with a projection."""
    import keras
    from keras import layers as k

    x = inputs = keras.Input((256, 2))
    for filters, stride in ((8, 1), (16, 2), (32, 2)):
        y = k.ReLU()(k.BatchNormalization()(k.Conv1D(filters, 5, stride, "same")(x)))
        y = k.BatchNormalization()(k.Conv1D(filters, 5, 1, "same")(y))
        x = k.ReLU()(k.Add()([k.Conv1D(filters, 1, stride, "same")(x), y]))
    return keras.Model(inputs, k.Dense(4)(k.GlobalAveragePooling1D()(x)))


def _squeeze_excite() -> Any:
    """Squeeze-and-excite and swish."""
    import keras
    from keras import layers as k

    x = inputs = keras.Input((200, 1))
    for filters in (8, 16):
        x = k.Activation("swish")(k.Conv1D(filters, 5, 2, "same")(x))
        gate = k.Dense(filters // 4, activation="relu")(k.GlobalAveragePooling1D()(x))
        gate = k.Dense(filters, activation="sigmoid")(gate)
        x = k.Multiply()([x, k.Reshape((1, filters))(gate)])
    return keras.Model(inputs, k.Dense(5, activation="softmax")(k.Flatten()(x)))


def _temporal() -> Any:
    """A temporal convolutional network: causal, dilated, residual."""
    import keras
    from keras import layers as k

    x = inputs = keras.Input((128, 2))
    x = k.Conv1D(8, 1)(x)
    for rate in (1, 2, 4, 8):
        y = k.Conv1D(8, 3, padding="causal", dilation_rate=rate, activation="relu")(x)
        x = k.Add()([x, y])
    return keras.Model(inputs, k.Dense(3)(k.GlobalMaxPooling1D()(x)))


def _separable() -> Any:
    """Depthwise separable convolutions with hard swish, as in MobileNetV3."""
    from keras import layers as k

    return _sequential(
        (BEAT, 1), k.Conv1D(8, 5, 2, "same"), k.Activation("hard_swish"),
        k.SeparableConv1D(16, 5, 2, "same"), k.Activation("hard_swish"),
        k.SeparableConv1D(16, 3, 1, "same"), k.ReLU(6.0), k.GlobalAveragePooling1D(), k.Dense(5),
    )  # fmt: skip


def _inception() -> Any:
    """Branches of several kernels and a pool side by side, as InceptionTime has them."""
    import keras
    from keras import layers as k

    x = inputs = keras.Input((160, 2))
    for _ in range(2):
        narrow = k.Conv1D(8, 1, padding="same")(x)
        branches = [k.Conv1D(6, n, padding="same")(narrow) for n in (5, 11, 21)]
        branches.append(k.Conv1D(6, 1)(k.MaxPooling1D(3, 1, "same")(x)))
        x = k.ReLU()(k.BatchNormalization()(k.Concatenate()(branches)))
    return keras.Model(inputs, k.Dense(5)(k.GlobalAveragePooling1D()(x)))


def _grouped_leaky() -> Any:
    """Grouped convolutions, LeakyReLU and PReLU, a crop, tanh at the end."""
    from keras import layers as k

    return _sequential(
        (BEAT, 4), k.Conv1D(8, 5, padding="same", groups=2), k.LeakyReLU(negative_slope=0.1),
        k.Conv1D(8, 3, groups=4), k.PReLU(shared_axes=[1]), k.Cropping1D((2, 3)),
        k.AveragePooling1D(4), k.Flatten(), k.Dense(3, activation="tanh"),
    )  # fmt: skip


def _autoencoder(transposed: bool) -> Any:
    """Down and up again: by transposed convolutions, or by UpSampling1D."""
    from keras import layers as k

    def up(filters: int) -> list[Any]:
        if transposed:
            return [k.Conv1DTranspose(filters, 4, 2, "same"), k.ReLU()]
        return [k.UpSampling1D(2), k.Conv1D(filters, 3, padding="same", activation="relu")]

    return _sequential(
        (128, 1), k.Conv1D(8, 5, 2, "same", activation="relu"),
        k.Conv1D(12, 5, 2, "same", activation="relu"), *up(8), *up(6),
        k.Conv1D(1, 3, padding="same"),
    )  # fmt: skip


def _two_leads() -> Any:
    """Two leads as an image of two rows."""
    from keras import layers as k

    return _sequential(
        (2, BEAT, 1), k.Conv2D(6, (1, 7), padding="same", activation="relu"),
        k.MaxPooling2D((1, 2)), k.Conv2D(8, (2, 5), activation="relu"), k.MaxPooling2D((1, 2)),
        k.Flatten(), k.Dense(5),
    )  # fmt: skip


def _spectrogram() -> Any:
    """A small image network on a spectrogram, as keyword spotting has it."""
    from keras import layers as k

    return _sequential(
        (33, 24, 1), k.Conv2D(8, (5, 4), (2, 2), "same", activation="relu"),
        k.DepthwiseConv2D(3, padding="same"), k.BatchNormalization(), k.ReLU(6.0),
        k.Conv2D(12, 1, activation="relu"), k.AveragePooling2D(2), k.Flatten(),
        k.Dense(4, activation="softmax"),
    )  # fmt: skip


def _features() -> Any:
    """Dense layers over features that a block before it computes."""
    from keras import layers as k

    return _sequential(
        (33,), k.Dense(20, activation="relu"), k.Dense(10, activation="relu"),
        k.Dense(3, activation="softmax"),
    )  # fmt: skip


def _reshaped() -> Any:
    """A flat input that is reshaped, convolutions, dropout, flatten."""
    from keras import layers as k

    return _sequential(
        (375,), k.Reshape((125, 3)), k.Conv1D(8, 3, padding="same", activation="relu"),
        k.MaxPooling1D(2, 2, "same"), k.Dropout(0.25),
        k.Conv1D(16, 3, padding="same", activation="relu"), k.MaxPooling1D(2, 2, "same"),
        k.Dropout(0.25), k.Flatten(), k.Dense(4, activation="softmax"),
    )  # fmt: skip


def _recurrent() -> Any:
    """A convolution and an LSTM."""
    from keras import layers as k

    return _sequential((60, 2), k.Conv1D(8, 5, 5), k.LSTM(8, unroll=True), k.Dense(3))


def _attention() -> Any:
    """Convolutions and a layer of attention."""
    import keras
    from keras import layers as k

    x = inputs = keras.Input((64, 2))
    x = k.Conv1D(8, 5, 4, "same", activation="relu")(x)
    x = k.Add()([x, k.MultiHeadAttention(2, 4)(x, x)])
    return keras.Model(inputs, k.Dense(3)(k.GlobalAveragePooling1D()(x)))


def _quantization_aware() -> Any:
    """tfmot's quantize_model over a plain network of tf_keras."""
    import tensorflow_model_optimization as tfmot
    from tf_keras import Sequential
    from tf_keras import layers as k

    model = Sequential([
        k.Input((1, BEAT, 1)), k.Conv2D(8, (1, 5), activation="relu"), k.MaxPooling2D((1, 2)),
        k.Conv2D(16, (1, 5)), k.BatchNormalization(), k.ReLU(), k.GlobalAveragePooling2D(),
        k.Dense(5),
    ])  # fmt: skip
    aware = tfmot.quantization.keras.quantize_model(model)
    aware.compile("sgd", "mse")
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (64, 1, BEAT, 1)).astype(np.float32)
    aware.fit(x, rng.normal(0, 1, (64, 5)).astype(np.float32), epochs=1, verbose=0, shuffle=False)
    return aware


RECIPES = (
    Recipe("Keras tutorial: Conv1D, MaxPooling1D, Dense", "open", _plain),
    Recipe("Keras tutorial", "fixed", _plain),
    Recipe("Keras tutorial, bytes in and out", "uint8", _plain),
    Recipe("Keras: batch normalization behind ReLU", "open", _normalized_late),
    Recipe("Keras: 1-D residual network", "open", _residual),
    Recipe("Keras: squeeze-and-excite, swish", "open", _squeeze_excite),
    Recipe("Keras: dilated causal convolutions (TCN)", "open", _temporal),
    Recipe("Keras: dilated causal convolutions (TCN)", "fixed", _temporal),
    Recipe("Keras: separable convolutions, hard swish", "open", _separable),
    Recipe("Keras: InceptionTime", "open", _inception),
    Recipe("Keras: groups, LeakyReLU, PReLU, Cropping1D", "fixed", _grouped_leaky),
    Recipe("Keras: autoencoder, Conv1DTranspose", "fixed", lambda: _autoencoder(True)),
    Recipe("Keras: autoencoder, UpSampling1D", "fixed", lambda: _autoencoder(False)),
    Recipe("Keras: two leads as height 2", "open", _two_leads),
    Recipe("Keras: spectrogram, 2-D convolutions", "open", _spectrogram),
    Recipe("Edge-Impulse-like: dense over features", "per tensor", _features),
    Recipe("Edge-Impulse-like: reshape, Conv1D", "per tensor", _reshaped),
    Recipe("tf_keras and tfmot: quantization-aware", "qat", _quantization_aware),
    Recipe("Keras: LSTM", "open", _recurrent),
    Recipe("Keras: attention", "open", _attention),
)
"""Their names, with `how`, are those of the table in docs/engine.md."""
