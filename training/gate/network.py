"""The gate's network: the core's features of a beat, one hidden layer, how far it is from normal.

Fitted by scikit-learn on beats drawn by class and patient and with features changed at random, as
the network's own training draws and changes them; converted to int8 as that is, in exactly the
core's scale.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from einthoven.aami import CLASSES
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lower import lower
from einthoven.errors import ModelError
from einthoven.tool_output import quiet
from einthoven.training.data.dataset import FEATURE_SCALE, Examples
from einthoven.training.data.sampling import draw_weights
from einthoven.training.recipe import Augmentation, Sampling

CALIBRATION_BEATS = 2000
_SEED = 0x6A7E


@dataclass(frozen=True)
class Recipe:
    """How the gate is fitted. Chosen by cross-validation (docs/gate.md)."""

    hidden: int = 16
    beats: int = 200_000
    epochs: int = 8
    batch: int = 256
    learning_rate: float = 2e-3
    class_share: tuple[float, ...] = (0.5, 0.22, 0.2, 0.04, 0.04)
    """Of the beats drawn; what the detector invented is drawn as Q."""

    def sampling(self, like: Sampling) -> Sampling:
        """How beats are drawn: patients as the network's training weighs them."""
        return Sampling(
            examples=self.beats,
            patient_power=like.patient_power,
            view_share=like.view_share,
            class_share=self.class_share,
            false_as_q=True,
        )


@dataclass(frozen=True)
class Network:
    """Weights [in, out] and biases [out] of each layer; ReLU between them."""

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    def scores(self, features: NDArray[np.int8]) -> NDArray[np.float32]:
        """[n] logits that a beat with features int8 [n, F] is anything but normal."""
        x = features.astype(np.float32) * np.float32(FEATURE_SCALE)
        last = len(self.weights) - 1
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ w + b if i == last else np.maximum(x @ w + b, 0)
        found: NDArray[np.float32] = x[:, 0]
        return found


def fit(
    examples: Examples, recipe: Recipe, like: Sampling, how: Augmentation, seed: int
) -> Network:
    """A gate for the patients of `examples`; same examples, seed and machine: same weights.

    Of `how` it takes what is said of features: a gate that may not lean on any one of them is sure
    of far fewer ectopic beats that they are normal (docs/gate.md).
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng([seed, _SEED])
    rows = rng.choice(len(examples), recipe.beats, p=draw_weights(examples, recipe.sampling(like)))
    network = MLPClassifier(
        (recipe.hidden,),
        batch_size=recipe.batch,
        learning_rate_init=recipe.learning_rate,
        max_iter=recipe.epochs,
        tol=0.0,
        random_state=seed,
    )
    inputs = examples.features[rows].astype(np.float32) * np.float32(FEATURE_SCALE)
    inputs += np.float32(how.feature_noise) * rng.standard_normal(inputs.shape, dtype=np.float32)
    inputs *= rng.random(inputs.shape) >= how.feature_drop
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # it ends when the epochs do
        network.fit(inputs, examples.label[rows] != CLASSES.index("N"))
    layers = network.coefs_, network.intercepts_
    weights, biases = (tuple(np.asarray(x, dtype=np.float32) for x in part) for part in layers)
    return Network(weights, biases)


def convert(network: Network, examples: Examples, seed: int) -> bytes:
    """The full-int8 `.tflite`. Raises ModelError when the converter chose another input scale."""
    from einthoven.training.model.network import keras, tf

    sizes = [w.shape for w in network.weights]
    layers = [keras.layers.Input((sizes[0][0],), name="features")]
    layers += [keras.layers.Dense(n, activation="relu") for _, n in sizes[:-1]]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    pairs = zip(network.weights, network.biases, strict=True)
    model.set_weights([array for pair in pairs for array in pair])

    def beats() -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng([seed, _SEED, 1])
        rows = rng.choice(len(examples), CALIBRATION_BEATS)
        features = examples.features[rows].astype(np.float32) * np.float32(FEATURE_SCALE)
        # Both ends of int8: so the converter finds exactly the core's scale.
        features[0, :2] = -128 * FEATURE_SCALE, 127 * FEATURE_SCALE
        for row in features:
            yield {"features": row[np.newaxis]}

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((1, sizes[0][0]), tf.float32, name="features")]
    )
    def score(features: Any) -> Any:
        return {"score": model(features, training=False)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [score.get_concrete_function()], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = beats
    with quiet():
        content: bytes = converter.convert()
    given = lower(reader.parse(content)).inputs[0]
    if float(given.scale) != FEATURE_SCALE or given.zero_point != 0:
        raise ModelError(f"the gate's input came out with scale {given.scale}, not in the core's")
    return content
