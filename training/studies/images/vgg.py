"""VGG16 in two parts: the frozen convolutions, and the dense layers that are trained.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
2015. The network itself is Keras's (`keras.applications.VGG16`).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from einthoven.errors import UsageError
from einthoven.training.studies.images.draw import SIZE, Images

FEATURES = 4 * 4 * 512
"""Values of the last pooling's output."""
FROZEN_PARAMETERS = 14_714_688
FROZEN_MULTIPLY_ADDS = 5_011_144_704
"""Of the thirteen convolutions on 128 × 128 × 3."""
ACTIVATIONS = 2 * 128 * 128 * 64
"""Values that have to be kept at once: input and output of the second convolution."""
DENSE = 4096
BATCH = 32

FLOAT32 = "float32"
ARITHMETIC = {FLOAT32: FLOAT32, "bfloat16": "mixed_bfloat16"}
"""What the convolutions compute in, `[data] arithmetic`, and Keras's name of it. Weights and sums
are float32 either way. With bfloat16, a processor that has AVX512-BF16 takes 0.027 s for an image
and not 0.070, and a feature is off by 0.9 % of the features' spread (r.m.s.), a sixtieth of what
neighbouring beats differ by."""

Infer = Callable[[Images], NDArray[np.float16]]


def convolutions(weights: str, arithmetic: str = FLOAT32) -> tuple[Infer, str]:
    """A function from grey images [n,128,128] to features [n,8192], and what identifies it.

    `weights`: "imagenet", downloaded by Keras unless it has them; a number, the seed of random ones
    (He's normal), which need no network; or the path of a weights file. `arithmetic`: a key of
    ARITHMETIC. Raises UsageError.
    """
    if arithmetic not in ARITHMETIC:
        raise UsageError(f"[data] arithmetic '{arithmetic}' is none of {', '.join(ARITHMETIC)}")
    from einthoven.training.model.network import keras, tf

    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(ARITHMETIC[arithmetic])
    try:
        model, digest = _trunk(weights)
    finally:
        keras.mixed_precision.set_global_policy(before)

    photo = weights == "imagenet" or Path(weights).suffix == ".h5"

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE), tf.float32)])  # type: ignore[untyped-decorator]
    def features(grey: Any) -> Any:
        if photo:  # as the photographs that it was trained on
            x = keras.applications.vgg16.preprocess_input(tf.stack([grey] * 3, axis=-1))
        else:  # ink on nothing
            x = tf.stack([1 - grey / 255] * 3, axis=-1)
        return tf.cast(model(x, training=False), tf.float32)

    def infer(images: Images) -> NDArray[np.float16]:
        parts = [
            features(images[i : i + BATCH].astype(np.float32)).numpy()
            for i in range(0, len(images), BATCH)
        ]
        flat = np.concatenate(parts).reshape(len(images), FEATURES)
        return flat.astype(np.float16)

    return infer, digest if arithmetic == FLOAT32 else f"{digest}-{arithmetic}"


def _trunk(weights: str) -> tuple[Any, str]:
    from einthoven.training.model.network import keras

    def vgg16(source: str | None) -> Any:
        return keras.applications.VGG16(
            include_top=False, weights=source, input_shape=(SIZE, SIZE, 3)
        )

    if weights == "imagenet":
        try:
            model = vgg16("imagenet")
        except Exception as error:  # Keras raises a bare Exception when a download fails
            raise UsageError(
                "VGG16's ImageNet weights are not on this machine and could not be downloaded: "
                "connect it to the network, name a weights file in the recipe's [data] weights, or "
                "take a recipe with random convolutions (vgg16_random.toml)"
            ) from error
        return model, "imagenet"
    if weights.isdigit():
        model = vgg16(None)
        _he_normal(model, int(weights))
        return model, f"he-{weights}"
    try:
        model = vgg16(None)
        model.load_weights(weights)
        return model, hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{weights} holds no weights of VGG16's convolutions (no_top, .h5): {error}"
        ) from error


def _he_normal(model: Any, seed: int) -> None:
    """Random kernels that keep the signal's variance through ReLUs; biases 0."""
    rng = np.random.default_rng([seed, 0x4E])
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            scale = np.sqrt(2 / np.prod(kernel.shape[:3]))
            drawn = rng.standard_normal(kernel.shape) * scale
            layer.set_weights([drawn.astype(np.float32), np.zeros_like(bias)])


def head(arch: dict[str, Any], length: int, channels: int, outputs: int) -> Any:
    """The dense layers: `[n,1,length,channels]` features to logits; 50,360,325 parameters.

    `arch`: `dropout` (0.4), `dense` (4096: smaller for `--quick` only).
    """
    from einthoven.training.model.network import SeededDropout, keras

    inputs = keras.layers.Input((1, length, channels), name="features")
    x = keras.layers.Flatten(name="flatten")(inputs)
    for i in range(2):
        x = keras.layers.Dense(arch.get("dense", DENSE), activation="relu", name=f"fc{i + 1}")(x)
        x = SeededDropout(arch.get("dropout", 0.4), i, name=f"dropout{i}")(x)
    return keras.Model(inputs, keras.layers.Dense(outputs, name="logits")(x), name="vgg16_head")
