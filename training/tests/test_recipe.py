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
