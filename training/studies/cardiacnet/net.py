"""CardiacNet's network: four residual blocks of 32 kernels of 5, two dense layers."""

from typing import Any

BLOCKS = 4
CHANNELS = 32
KERNEL = 5
HIDDEN = 160
PARAMETERS = 67_169
"""By the study; met exactly with the stem of its authors' code: width 1, without bias."""


def build(arch: dict[str, Any], length: int, channels: int, outputs: int) -> Any:
    """`[n,1,length,channels]` to `[n,outputs]` logits; `arch` has no settings.

    Shapes and parameters are those of the authors' first publication of their code
    (github.com/ChryssaNab/ECG-Heartbeat-Classification, src/models/cnn1D.py): a stem of width 1,
    blocks of two convolutions, skip, ReLU and max-pool of 5 with stride 2, and nothing between the
    two dense layers. They convolve without padding and repeat the border values afterwards; here
    the border is padded with zeros, which int8 runtimes have an op for.
    """
    from einthoven.training.model.network import keras

    layers = keras.layers

    def conv(x: Any, name: str, relu: bool) -> Any:
        return layers.Conv2D(
            CHANNELS, (1, KERNEL), padding="same", activation="relu" if relu else None, name=name
        )(x)

    signal = layers.Input((1, length, channels), name="signal")
    x = layers.Conv2D(CHANNELS, 1, use_bias=False, activation="relu", name="stem")(signal)
    for i in range(BLOCKS):
        y = conv(conv(x, f"block{i}_a", relu=True), f"block{i}_b", relu=False)
        x = layers.ReLU(name=f"block{i}_relu")(layers.Add(name=f"block{i}_add")([x, y]))
        x = layers.MaxPooling2D((1, KERNEL), (1, 2), name=f"block{i}_pool")(x)
    x = layers.Dense(HIDDEN, name="hidden")(layers.Flatten(name="flatten")(x))
    return keras.Model(signal, layers.Dense(outputs, name="logits")(x), name="cardiacnet")
