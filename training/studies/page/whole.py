"""`docs/reference-studies.md`, made of the results in `docs/results/studies/`.

`python -m einthoven.training.studies.page` writes it. What a study states is in
`published.py`, what we measured is in the results, and nothing else has figures.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from einthoven.errors import EinthovenError
from einthoven.paths import ROOT, require_checkout
from einthoven.training.studies.page.beats import residual_section, transferable_section
from einthoven.training.studies.page.cardiacnet import cardiacnet_section
from einthoven.training.studies.page.cost import chip_table, looks_at_ds2, runs_table
from einthoven.training.studies.page.images import images_section
from einthoven.training.studies.page.side import random_splits_hide, side_by_side
from einthoven.training.studies.shared import results
from einthoven.training.studies.shared.results import Result

PAGE = ROOT / "docs" / "reference-studies.md"

SECTIONS: tuple[Callable[[dict[str, Result]], str], ...] = (
    transferable_section,
    cardiacnet_section,
    residual_section,
    images_section,
)
"""A section per study, of all results by name; a new study adds its own here."""

INTRODUCTION = """\
# The reference studies

Einthoven began from four published studies. Each is a recipe in `training/recipes/studies/`: the
study's preprocessing, network and training, measured under its own protocol and, where that splits
a patient's beats over both sides, on other patients (de Chazal's DS1 → DS2) beside it. This page is
generated from the results in `docs/results/studies/` by
`python -m einthoven.training.studies.page`; do not edit it.

**Not a medical device**, and none of these networks is what the firmware ships: that is
[the model on the accuracy page](accuracy.md), which finds its beats itself. The networks here are
given the reference's R peaks of MIT-BIH, as the studies are, so their figures leave detection out.
They run inside the firmware beside that model, fed over the serial protocol ("On the chip").

- *intra-patient*: a random split of beats. The test set holds the training patients' other beats.
- *inter-patient*: no patient is on both sides (but 202 of DS2, who is 201 of DS1).
- Intervals are 95 %, by resampling patients (2,000 draws): beats of one patient are alike. That of
  "patients right" is Wilson's, that of a mean over records resamples records.
- *epochs* says how far a training went of what its recipe asks for; the same command with
  `--resume` goes on. Every network was scored as it is, after its last epoch: nothing was selected
  on a test set.
"""


def make(found: dict[str, Result]) -> str:
    """The page's text. The same results give the same page."""
    parts = [
        INTRODUCTION,
        "## Side by side\n\n" + side_by_side(found),
        "## On the chip\n\n" + chip_table(found),
        random_splits_hide(found),
        *(section(found) for section in SECTIONS),
        "## Looks at DS2\n\n" + looks_at_ds2(found),
        "## Repeat it\n\n" + runs_table(found),
    ]
    return "\n\n".join(p.strip() for p in parts if p.strip()) + "\n"


def main() -> int:
    """Command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else results.FOLDER
    try:
        require_checkout("docs/")
        found = results.read_all(folder)
    except EinthovenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(make(found), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)} from {len(found)} results")
    return 0
