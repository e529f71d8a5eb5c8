"""What a study's recipe may name: data sets and networks. A new study adds its lines here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from training.studies import beats187, kaggle, networks
from training.studies.examples import Labelled
from training.studies.recipe import StudyRecipe

DATASETS: dict[str, Callable[[dict[str, Any], Path | None], Labelled]] = {
    "beats187": beats187.arrhythmia,
    "beats187_mi": beats187.infarction,
}
"""Name to a function of the recipe's `[data]` and the folder of `--data`."""

KAGGLE: dict[str, Callable[[Path], Labelled]] = {
    "beats187": kaggle.arrhythmia,
    "beats187_mi": kaggle.infarction,
}
"""The same data sets from Kaggle's files, the folder of `--kaggle`."""

NETWORKS: dict[str, Callable[[dict[str, Any], int, int, int], Any]] = {
    "transferable": networks.transferable,
    "baseline": networks.baseline,
    "residual": networks.residual,
}
"""Name to a function of the recipe's `[arch]`, input length, channels, number of outputs."""


def load_examples(recipe: StudyRecipe, data: Path | None, kaggle_folder: Path | None) -> Labelled:
    """The recipe's examples. Raises UsageError, RecordError, DownloadError."""
    if recipe.dataset not in DATASETS:
        raise UsageError(f"data set '{recipe.dataset}' is none of {', '.join(DATASETS)}")
    if kaggle_folder is None:
        examples = DATASETS[recipe.dataset](recipe.data, data)
    elif recipe.dataset in KAGGLE:
        examples = KAGGLE[recipe.dataset](kaggle_folder)
    else:
        raise UsageError(f"Kaggle's files do not hold the data set '{recipe.dataset}'")
    limit = recipe.data.get("per_class")
    return examples if limit is None else examples.thin(int(limit), recipe.seed)


def build_network(recipe: StudyRecipe, examples: Labelled) -> Any:
    """A fresh network for `examples`, seeded. Two classes get one output. Raises UsageError."""
    from training.model import keras, tf

    if recipe.network not in NETWORKS:
        raise UsageError(f"network '{recipe.network}' is none of {', '.join(NETWORKS)}")
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    outputs = 1 if len(examples.classes) == 2 else len(examples.classes)
    length, channels = examples.x.shape[1:]
    return NETWORKS[recipe.network](recipe.arch, length, channels, outputs)
