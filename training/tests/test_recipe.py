"""Recipes: the project's own load, mistakes are named."""

from pathlib import Path

import pytest

from einthoven.errors import UsageError
from einthoven.paths import ROOT
from einthoven.training import recipe

MINIMAL = 'name = "x"\n[[data]]\ndb = "mitdb"\n'


@pytest.mark.parametrize("path", sorted((ROOT / "training" / "recipes").glob("*.toml")))
def test_own_recipes_load_and_are_named_as_their_file(path: Path) -> None:
    assert recipe.load(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (MINIMAL + "[fit]\nepoch = 3\n", "epoch"),
        (MINIMAL + '[fit]\nepochs = "many"\n', "epochs"),
        (MINIMAL + "[sampling]\nclass_share = [1.0]\n", "class_share"),
        (MINIMAL + '[quantization]\nmethod = "int4"\n', "method"),
        ("colour = 1\n" + MINIMAL, "colour"),
        ('name = "x"\n', "data"),
        ('[[data]]\ndb = "mitdb"\n', "name"),
        ("fit = 3\n" + MINIMAL, "fit"),
        ("name = ", "read"),
        (MINIMAL + "[fit]\nepoch = 3\n", "did you mean 'epochs'"),
        (MINIMAL + "[fit]\nbatch = 0\n", r"\[fit\] batch = 0 is out of range: at least 1"),
        (MINIMAL + "[fit]\nepochs = -1\n", "epochs = -1 is out of range"),
        (MINIMAL + "[fit]\nlearning_rate = nan\n", "learning_rate = nan is no number"),
        (MINIMAL + "[fit]\nlearning_rate = 0.0\n", "learning_rate = 0 is out of range: above 0"),
        (MINIMAL + "[fit]\nlearning_rate = -1e-3\n", "learning_rate = -0.001 is out of range"),
        (MINIMAL + "[fit]\nbatch = true\n", "batch = True has the wrong type"),
        (MINIMAL + "[model]\ndropout = 1.5\n", r"\[model\] dropout = 1.5 is out of range"),
        (MINIMAL + "[model]\nblocks = [16, 0]\n", "blocks = 0 is out of range"),
        (MINIMAL + '[model]\nblocks = ["16"]\n', "blocks = .* has the wrong type"),
        (MINIMAL + '[model]\nskip = "some"\n', "skip must be one of projected, identity, none"),
        (MINIMAL + '[teacher]\nskip = "some"\n', r"\[teacher\] skip must be one of projected"),
        (MINIMAL + "[distillation]\nepochs = -1\n", "epochs = -1 is out of range"),
        (MINIMAL + "[model]\nconvolutions = 0\n", "convolutions = 0 is out of range"),
        (MINIMAL + "[strips]\nshare = 1.0\n", r"\[strips\] share = 1 is out of range"),
        (MINIMAL + "[strips]\nsymbol_share = [0.0, 0.0, 0.0, 0.0]\n", "a number above 0"),
        (MINIMAL + "[strips]\nsymbol_share = [1.0]\n", "symbol_share needs 4 numbers"),
        (MINIMAL + "[augmentation]\nfeature_drop = 2.0\n", "feature_drop = 2 is out of range"),
        (MINIMAL + "[views]\nsnr_db = [inf]\n", "snr_db = inf is no number"),
        ('[[data]]\ndb = "mitdb"\n', "key 'name' is missing"),
        ('name = 7\n[[data]]\ndb = "mitdb"\n', "name = 7 has the wrong type"),
        (MINIMAL + "records = 100\n", r'records = 100 must be a text, such as records = "100"'),
        (MINIMAL + 'leads = "all"\n', "leads must be 'main' or 'both'"),
        ('name = "x"\n[[data]]\nrecords = "100"\n', "key 'db' is missing"),
        ('name = "x"\n[[data]]\ndb = "mitdb"\nrecord = "1"\n', "did you mean 'records'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=named):
        recipe.load(path)


def test_missing_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe"):
        recipe.load(tmp_path / "none.toml")


def test_a_seed_is_put_into_a_recipe_whether_it_states_one_or_not(tmp_path: Path) -> None:
    for begin in ('name = "x"\nseed = 1 # set beforehand\n', 'name = "x"\n'):
        path = tmp_path / "recipe.toml"
        path.write_text(recipe.with_seed(begin + '[[data]]\ndb = "mitdb"\n', 12))
        found = recipe.load(path)
        assert found.seed == 12
        assert found.name == "x"


def test_teachers_have_the_models_shape_unless_a_recipe_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(MINIMAL + "[model]\nblocks = [8]\n")
    assert recipe.load(path).teacher is None
    path.write_text(MINIMAL + "[model]\nblocks = [8]\n[teacher]\ndropout = 0.5\n")
    assert recipe.load(path).teacher == recipe.Architecture(dropout=0.5)
