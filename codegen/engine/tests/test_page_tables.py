"""The measured tables of docs/engine.md are those of docs/results/."""

import json

from einthoven.codegen.testing import desk_runtimes, other_recipes
from einthoven.codegen.testing.regions import region


def test_desk_runtimes() -> None:
    found = json.loads(desk_runtimes.RESULTS.read_text())
    assert region("desk") == desk_runtimes.table(found)
    ours = found["runtimes"][-1]
    assert ours["name"] == "Einthoven's generated C"
    assert (ours["identical"], ours["largest"]) == (found["inputs"], 0)
    assert all(row["identical"] < found["inputs"] for row in found["runtimes"][:-1])


def test_other_recipes() -> None:
    found = json.loads(other_recipes.RESULTS.read_text())
    assert region("recipes") == other_recipes.table(found)
    results = [row["result"] for row in found["models"]]
    assert len(results) >= 20
    assert results.count("bit-exact") >= 15
    assert "differs" not in results
    for row in found["models"]:
        assert row["result"] != "refused" or (row["words"].startswith("op ") and
                                              "tensor" in row["words"])  # fmt: skip
