"""Networks of studies 1 and 3, of Conv2D of height 1 as in training/model/network.py.

All end in logits: softmax and sigmoid do not change the class. A global max-pool is a max-pool over
all positions, which the engine has, and not a REDUCE_MAX.
"""

import warnings
from pathlib import Path
from typing import Any

Model = Any
HEAD = "head_"
"""Names of the layers that a transfer trains begin so; they differ from task to task."""


def _conv(x: Any, n: int, width: int, name: str, padding: str = "same", **options: Any) -> Any:
    from einthoven.training.model.network import keras

    return keras.layers.Conv2D(n, (1, width), padding=padding, name=name, **options)(x)


def _pool(x: Any, size: int, stride: int, name: str) -> Any:
    from einthoven.training.model.network import keras

    return keras.layers.MaxPooling2D((1, size), (1, stride), name=name)(x)


def _residual(x: Any, convs: int, kernel: int, name: str, **last: Any) -> Any:
    """ReLU(x + convolutions of x), a ReLU between the convolutions; `last`: options of the last."""
    from einthoven.training.model.network import keras

    y, channels = x, int(x.shape[-1])
    for i in range(convs - 1):
        y = _conv(y, channels, kernel, f"{name}_{i}", activation="relu")
    y = _conv(y, channels, kernel, f"{name}_{convs - 1}", **last)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _head(x: Any, dense: tuple[int, ...], outputs: int, task: str) -> Any:
    from einthoven.training.model.network import keras

    for i, n in enumerate(dense):
        x = keras.layers.Dense(n, activation="relu", name=f"{HEAD}{task}_{i}")(x)
    return keras.layers.Dense(outputs, name=f"{HEAD}{task}_logits")(x)


def transferable(arch: dict[str, Any], length: int, channels: int, outputs: int) -> Model:
    """Study 1: 13 weight layers, all convolutions 32 of 5, five blocks, max-pool of 5 by 2.

    `arch`: `blocks` (5), `filters` (32), and `base`, the recipe whose convolutions are taken over.
    """
    from einthoven.training.model.network import keras

    filters = arch.get("filters", 32)
    inputs = keras.layers.Input((1, length, channels), name="signal")
    x = _conv(inputs, filters, 5, "stem")
    for i in range(arch.get("blocks", 5)):
        x = _residual(x, 2, 5, f"block{i}")
        x = _pool(x, 5, 2, f"block{i}_pool")
    x = keras.layers.Flatten(name="flatten")(x)
    task = "mi" if outputs == 1 else "beats"
    return keras.Model(inputs, _head(x, (32, 32), outputs, task), name="transferable")


def baseline(arch: dict[str, Any], length: int, channels: int, outputs: int) -> Model:
    """Study 3's CNN without residuals: 254,901 parameters with 5 outputs, 254,641 with 1.

    The dropout rates are ours: the study has layers for them and does not say how much.
    """
    from einthoven.training.model.network import SeededDropout, keras

    inputs = keras.layers.Input((1, length, channels), name="signal")
    x = inputs
    for i, (n, width) in enumerate(((16, 5), (32, 3), (32, 3))):
        x = _conv(x, n, width, f"conv{i}_a", "valid", activation="relu")
        x = _conv(x, n, width, f"conv{i}_b", "valid", activation="relu")
        x = _pool(x, 2, 2, f"pool{i}")
        x = SeededDropout(arch.get("dropout", 0.1), i, name=f"dropout{i}")(x)
    x = _conv(x, 256, 3, "conv3_a", "valid", activation="relu")
    x = _conv(x, 256, 3, "conv3_b", "valid", activation="relu")
    x = keras.layers.Flatten(name="flatten")(_pool(x, int(x.shape[2]), 1, "global_pool"))
    x = SeededDropout(arch.get("dropout_dense", 0.2), 9, name="dropout_dense")(x)
    return keras.Model(inputs, _head(x, (64, 64), outputs, "dense"), name="baseline")


def residual(arch: dict[str, Any], length: int, channels: int, outputs: int) -> Model:
    """Study 3's residual CNNs: a stem, stages of residual blocks that end in a max-pool of 2.

    `arch`, by stage: `blocks`, how many, and `convs`, of how many convolutions; `final` (256) and
    `final_kernel` (3) of the two last convolutions; `zero_init`: the blocks begin as identities,
    without which a hundred layers that have no batch normalization do not train.
    """
    from einthoven.training.model.network import SeededDropout, keras

    blocks, convs = arch.get("blocks", [1] * 5), arch.get("convs", [2, 2, 2, 2, 1])
    last = {"kernel_initializer": "zeros"} if arch.get("zero_init") else {}
    inputs = keras.layers.Input((1, length, channels), name="signal")
    x = _conv(inputs, 32, 5, "stem", "valid")
    for stage, (n, depth) in enumerate(zip(blocks, convs, strict=True)):
        for i in range(n):
            x = _residual(x, depth, 5, f"stage{stage}_block{i}", **last)
        x = _pool(x, 2, 2, f"stage{stage}_pool")
    final, width = arch.get("final", 256), arch.get("final_kernel", 3)
    x = _conv(x, final, width, "final_a", activation="relu")
    x = _conv(x, final, width, "final_b", activation="relu")
    x = keras.layers.Flatten(name="flatten")(_pool(x, int(x.shape[2]), 1, "global_pool"))
    x = SeededDropout(arch.get("dropout", 0.2), 9, name="dropout")(x)
    return keras.Model(inputs, _head(x, (32, 32), outputs, "dense"), name="residual")


def start_from(model: Model, base: Path) -> None:
    """Take over and freeze what is not `model`'s head from the weights of a finished training."""
    head = {n.name: n.get_weights() for n in model.layers if n.name.startswith(HEAD)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last layer's shape differs: it is the head's
        model.load_weights(base, skip_mismatch=True)
    for layer in model.layers:
        layer.trainable = layer.name in head
        if layer.trainable:
            layer.set_weights(head[layer.name])
