"""The generated table of the strip's verdict."""

from pathlib import Path

import pytest

from einthoven.codegen import strip as strip_spec
from einthoven.errors import ModelError, UsageError
from einthoven.native.engine import HostModel


def test_trees_belong_to_the_model_in_the_firmware() -> None:
    """When this fails, fit them anew: `python -m einthoven.training.verdict fit`."""
    fitted = strip_spec.read_trees()
    assert fitted["model_sha256"] == HostModel().macros["EIN_MODEL_SHA256"].strip('"')


def test_damaged_or_foreign_trees_are_refused(tmp_path: Path) -> None:
    fitted = strip_spec.read_trees()
    spec = strip_spec.load()
    with pytest.raises(ModelError, match="as many trees"):
        strip_spec.header(spec, {**fitted, "trees": fitted["trees"][:-1]})
    feature, above, leaf = fitted["trees"][0]
    with pytest.raises(ModelError, match="byte"):
        strip_spec.header(spec, {**fitted, "trees": [[feature, above, [200, *leaf[1:]]]] * 4})
    with pytest.raises(ModelError, match="damaged"):
        strip_spec.header(spec, {**fitted, "trees": [[[250, *feature[1:]], above, leaf]] * 4})
    broken = tmp_path / "strip.json"
    broken.write_text("{}")
    with pytest.raises(ModelError, match="verdict fit"):
        strip_spec.read_trees(broken)
    wrong = {**spec, "inputs": {**spec["inputs"], "mean": ["voltage"]}}
    with pytest.raises(UsageError, match="voltage"):
        strip_spec.layout(wrong)
