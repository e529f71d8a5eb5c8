"""What a study's recipe may name: data sets and networks. A new study adds its lines here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from einthoven.errors import UsageError
from einthoven.training.studies.beats import beats187, kaggle, networks
from einthoven.training.studies.cardiacnet import net, windows
from einthoven.training.studies.images import examples as images
from einthoven.training.studies.images import vgg
from einthoven.training.studies.shared.examples import Labelled
from einthoven.training.studies.shared.recipe import StudyRecipe

DATASETS: dict[str, Callable[[dict[str, Any], Path | None], Labelled]] = {
    "beats187": beats187.arrhythmia,
    "beats187_mi": beats187.infarction,
    "windows128": windows.labelled,
}
"""Name to a function of the recipe's `[data]` and the folder of `--data`."""

SETTINGS = {
    "beats187": beats187.SETTINGS,
    "beats187_mi": beats187.INFARCTION_SETTINGS,
    "windows128": {"records"},
}
"""What such a function knows in `[data]`."""
ANY_SETTINGS = {"per_class", "folds", "view"}
"""What `[data]` may say of any data set; a view has settings of its own."""

KAGGLE: dict[str, Callable[[Path], Labelled]] = {
    "beats187": kaggle.arrhythmia,
    "beats187_mi": kaggle.infarction,
}
"""The same data sets from Kaggle's files, the folder of `--kaggle`."""

NETWORKS: dict[str, Callable[[dict[str, Any], int, int, int], Any]] = {
    "transferable": networks.transferable,
    "baseline": networks.baseline,
    "residual": networks.residual,
    "cardiacnet": net.build,
    "vgg16_head": vgg.head,
}
"""Name to a function of the recipe's `[arch]`, input length, channels, number of outputs."""

VIEWS: dict[str, Callable[[Labelled, dict[str, Any]], Labelled]] = {
    "vgg16": images.vgg16_features,
}
"""`[data] view`: what a frozen network before the trained one makes of the examples."""

FROZEN = {"vgg16": (vgg.FROZEN_PARAMETERS, vgg.FROZEN_MULTIPLY_ADDS)}
"""Parameters and multiply-adds of a view's network."""

ACTIVATIONS = {"vgg16": vgg.ACTIVATIONS}
"""Values that a view's network has to keep at once."""


def float_only(recipe: StudyRecipe) -> str | None:
    """Why a recipe's network is not quantized, and what to do; None if it is."""
    if recipe.data.get("view") in FROZEN:
        return "it has 65 million weights, which no board holds; evaluate it as it is"
    return None


def check_names(recipe: StudyRecipe) -> None:
    """Raise UsageError if the recipe names what does not exist."""
    for what, name, known in (
        ("data set", recipe.dataset, DATASETS),
        ("network", recipe.network, NETWORKS),
        ("[data] view", recipe.data.get("view"), {None, *VIEWS}),
    ):
        if name not in known:
            raise UsageError(f"{what} '{name}' is none of {', '.join(filter(None, known))}")
    unknown = sorted(recipe.data.keys() - SETTINGS[recipe.dataset] - ANY_SETTINGS)
    if unknown and "view" not in recipe.data:
        raise UsageError(f"[data] {unknown[0]} does not exist; remove it")


def load_examples(recipe: StudyRecipe, data: Path | None, kaggle_folder: Path | None) -> Labelled:
    """The recipe's examples. Raises UsageError, RecordError, DownloadError."""
    check_names(recipe)
    if kaggle_folder is None:
        examples = DATASETS[recipe.dataset](recipe.data, data)
    elif recipe.dataset in KAGGLE:
        examples = KAGGLE[recipe.dataset](kaggle_folder)
    else:
        raise UsageError(f"Kaggle's files do not hold the data set '{recipe.dataset}'")
    limit = recipe.data.get("per_class")
    if limit is not None:
        examples = examples.thin(limit, recipe.seed)
    view = recipe.data.get("view")
    return examples if view is None else VIEWS[view](examples, recipe.data)


def build_network(recipe: StudyRecipe, examples: Labelled) -> Any:
    """A fresh network for `examples`, seeded. Two classes get one output. Raises UsageError."""
    from einthoven.training.model.network import keras, tf

    check_names(recipe)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    outputs = 1 if len(examples.classes) == 2 else len(examples.classes)
    length, channels = examples.x.shape[1:]
    return NETWORKS[recipe.network](recipe.arch, length, channels, outputs)
