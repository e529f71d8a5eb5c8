"""From a trained network to a full-int8 `.tflite`: post-training or quantization-aware.

The converter is TensorFlow's. What comes out is checked before it is kept: int8 throughout, the
ops that the engine has, batch 1, and inputs in exactly the core's scales.
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from einthoven.aami import CLASSES
from einthoven.errors import ModelError, UsageError
from einthoven.tool_output import quiet
from einthoven.training.data import dataset
from einthoven.training.data.dataset import FEATURE_SCALE, FEATURES, SIGNAL_SCALE, WINDOW, Examples
from einthoven.training.data.sampling import draw_weights, epoch_arrays, to_real
from einthoven.training.model.train import FLOAT_MODEL, LOG, probabilities
from einthoven.training.recipe import Recipe
from einthoven.training.recipe import load as load_recipe

__all__ = [
    "FEATURE_SCALE",
    "SIGNAL_SCALE",
    "check",
    "convert",
    "fine_tune",
    "load_float",
    "quantize",
]

OPS = frozenset(
    {
        "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN",
        "FULLY_CONNECTED", "CONCATENATION", "RESHAPE",
    }
)  # fmt: skip
"""What `firmware/engine` computes."""


def quantize(run: Path, method: str | None = None, data: Path | None = None) -> Path:
    """Make `run`/`method`/ a model folder (SPEC section 3) from a finished training; returns it.

    `method`: "ptq" (post-training) or "qat" (fine-tuned with simulated quantization); None: the
    recipe's. Raises UsageError if the training is not finished, ModelError if the result breaks
    a promise.
    """
    if method not in ("ptq", "qat", None):
        raise UsageError(f"unknown method '{method}': choose ptq or qat")
    if not (run / FLOAT_MODEL).exists():
        raise UsageError(f"{run} holds no finished training: einthoven train RECIPE --out {run}")
    facts = json.loads((run / "training.json").read_text())
    if facts["pipeline_sha256"] != dataset.PIPELINE_SHA256:
        raise ModelError(f"{run} was trained for another pipeline: train it anew")
    recipe = load_recipe(run / "recipe.toml")
    method = method or recipe.quantization.method
    examples = dataset.load(recipe.data, data, recipe.views)
    model = load_float(run, recipe)
    if method == "qat":
        model = fine_tune(model, examples, recipe)
    content = convert(model, examples, recipe, quantized=method == "qat")
    check(content)
    folder = run / method
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(content)
    for name in ("recipe.toml", LOG):
        shutil.copyfile(run / name, folder / name)
    _write_facts(folder, content, model, recipe, method, facts)
    return folder


def load_float(run: Path, recipe: Recipe) -> Any:
    """The float network of a finished training, without dropout."""
    from einthoven.training.model.network import build

    arch = dataclasses.replace(recipe.model, dropout=0.0)
    model = build(arch, WINDOW, dataset.CHANNELS, FEATURES, len(CLASSES))
    model.load_weights(run / FLOAT_MODEL, skip_mismatch=False, by_name=True)
    return model


def fine_tune(model: Any, examples: Examples, recipe: Recipe) -> Any:
    """A quantization-aware copy of a float model, trained on for the recipe's `qat_epochs`.

    It learns what the float model says and not the labels: what is wanted is the same network in
    int8, and not another one.
    """
    import tensorflow_model_optimization as tfmot

    from einthoven.training.model.network import keras, tf

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    aware = tfmot.quantization.keras.quantize_model(model)
    _fix_input_scales(aware)
    settings = recipe.quantization
    aware.compile(
        keras.optimizers.Adam(settings.qat_learning_rate),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    weights = draw_weights(examples, recipe.sampling)
    for epoch in range(settings.qat_epochs):
        signal, features, _ = epoch_arrays(
            examples,
            weights,
            recipe.sampling,
            recipe.augmentation,
            recipe.seed,
            recipe.fit.epochs + 1 + epoch,
        )
        aware.fit(
            [signal, features],
            probabilities(model, signal, features),
            batch_size=recipe.fit.batch,
            shuffle=False,
            verbose=0,
        )
    _fix_input_scales(aware)
    return aware


def _fix_input_scales(aware: Any) -> None:
    """Make tfmot quantize the inputs as the core does, and not by what it has seen."""
    scales = {"signal": SIGNAL_SCALE, "features": FEATURE_SCALE}
    for layer in aware.layers:
        if "quantize_layer" not in layer.name:
            continue
        scale = scales[layer.input.name]
        for variable in layer.weights:
            if variable.name.endswith("_min:0"):
                variable.assign(-128 * scale)
            elif variable.name.endswith("_max:0"):
                variable.assign(127 * scale)


def convert(model: Any, examples: Examples, recipe: Recipe, quantized: bool) -> bytes:
    """The full-int8 `.tflite` of a float (calibrated here) or quantization-aware model."""
    from einthoven.training.model.network import tf

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[
            tf.TensorSpec((1, 1, WINDOW, dataset.CHANNELS), tf.float32, name="signal"),
            tf.TensorSpec((1, FEATURES), tf.float32, name="features"),
        ]
    )
    def infer(signal: Any, features: Any) -> Any:
        return {"logits": model([signal, features], training=False)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [infer.get_concrete_function()], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    if not quantized:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: _calibration(examples, recipe)
    with quiet():
        content: bytes = converter.convert()
    return content


def _calibration(examples: Examples, recipe: Recipe) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([recipe.seed, 0xCA1])
    n = recipe.quantization.calibration_beats
    rows = rng.choice(len(examples), n, p=draw_weights(examples, recipe.sampling))
    signal, features = to_real(examples.where(rows))
    # Both ends of int8 in either input: so the converter finds exactly the core's scales.
    signal[0, 0, :2, 0] = -128 * SIGNAL_SCALE, 127 * SIGNAL_SCALE
    features[0, :2] = -128 * FEATURE_SCALE, 127 * FEATURE_SCALE
    for i in range(n):
        yield {"signal": signal[i : i + 1], "features": features[i : i + 1]}


def check(content: bytes) -> None:
    """Raise ModelError unless the model keeps what SPEC section 3 promises."""
    from einthoven.training.model.network import tf

    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    expected = {
        (1, 1, WINDOW, dataset.CHANNELS): SIGNAL_SCALE,
        (1, FEATURES): FEATURE_SCALE,
    }
    for detail in interpreter.get_input_details():
        shape = tuple(int(n) for n in detail["shape"])
        scale, zero = detail["quantization"]
        if detail["dtype"] is not np.int8 or expected.pop(shape, None) != scale or zero != 0:
            raise ModelError(
                f"input {detail['name']} {shape} came out with scale {scale} and zero point "
                f"{zero}, not in the core's: widen what it is calibrated with"
            )
    (output,) = interpreter.get_output_details()
    if tuple(output["shape"]) != (1, len(CLASSES)) or output["dtype"] is not np.int8:
        raise ModelError(f"the output is {output['shape']} {output['dtype']}, not int8 [1, 5]")
    found = {op["op_name"] for op in interpreter._get_ops_details()}
    if not found <= OPS:
        raise ModelError(f"the converter made ops that the engine lacks: {sorted(found - OPS)}")


def _write_facts(
    folder: Path,
    content: bytes,
    model: Any,
    recipe: Recipe,
    method: str,
    facts: dict[str, Any],
) -> None:
    from einthoven.training.model.network import multiply_adds, parameters

    training_data = [
        {"db": s["db"], "records": s.get("records", "all"), "leads": s.get("leads", "main")}
        for s in recipe.data
    ]
    if "strips" in facts:
        training_data.append(facts["strips"])
    table = {
        "name": f"{recipe.name}-{method}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "pipeline_sha256": dataset.PIPELINE_SHA256,
        "classes": list(CLASSES),
        "params": parameters(model),
        "macs": multiply_adds(model),
        "recipe": recipe.name,
        "features": FEATURES,
        "seed": recipe.seed,
        "method": method,
        "training_data": training_data,
        "training_records": facts["records"],
        "training_beats": facts["beats"],
        "data_sha256": facts["data_sha256"],
    }
    (folder / "model.json").write_text(json.dumps(table, indent=1) + "\n")
