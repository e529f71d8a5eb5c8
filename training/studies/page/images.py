"""The page's section on study 4, VGG16 on images of beats."""

from einthoven.training.studies.page.beats import by_class
from einthoven.training.studies.page.tables import percent
from einthoven.training.studies.shared.results import FOLDER, Result

PICTURES = "vgg16_beats"

TEXT = """\
## Study 4: VGG16 on images of beats

Lê Xuân Vinh, Lê Xuân Việt, Vũ Hoàng Thương, 2021. Its images, a published set of single beats, are
the 187-sample beats above: the classes have the same counts (641 F, 6,413 Q, 2,222 S and 5,780 V
for training, a fifth of each for test), with N cut to 35,783 of 90,589, of which it trains on
22,122 and tests 13,661. We divide N as the others. So a beat is drawn from those samples, as a
line of 2 pixels on 256 × 256, halved to 128 × 128, three equal channels: about two thousand images
a second on one core, by the exact area that a round pen covers (`training/studies/images/draw.py`).

VGG16 with dense 4096, 4096 and 5, dropout 0.4, batch 64, Adam: 65,075,013 parameters, of which the
convolutions' 14,714,688 are frozen and 50,360,325 are trained. What the convolutions give is
computed once and cached, so that an epoch is one of the dense layers only.

The study starts from ImageNet's convolutions and states 97.57 % on test and 99.13 % on training
images, after 100 epochs, with the test images as validation and a random split of beats. It does
not state a learning rate: 0.0001 and the number of epochs are ours.

**ImageNet's weights were not at hand** (no network): `vgg16_imagenet.toml` is the study as it is,
for a machine that has them or can download them. What was run here, `vgg16_random` and
`vgg16_inter`, has convolutions of random weights (He's normal, seeded), frozen as the study's are,
on the share of the study's images that the table's count says, in its proportions. It measures what
dense layers learn from random features of drawings, and stands in for nothing."""


def images_section(found: dict[str, Result]) -> str:
    """Study 4."""
    mine = {n: r for n, r in found.items() if r.study == "vgg16"}
    if not mine:
        return ""
    counts = "\n".join(f"- `{r.name}`: {_told(r)}" for r in mine.values())
    parts = [TEXT, counts, by_class(mine)]
    if (FOLDER / f"{PICTURES}.png").exists():
        parts.append(
            f"![A synthetic beat as the network sees it](results/studies/{PICTURES}.png)\n\n"
            "Made-up beats, drawn by `python -m einthoven.training.studies.images.draw`."
        )
    return "\n\n".join(parts)


def _told(result: Result) -> str:
    """How much it saw, and what its accuracy stands beside."""
    text = (
        f"{sum(result.train_examples.values()):,} images trained on, {result.float32['n']:,} "
        f"tested, {result.epochs} epochs; accuracy {percent(result.float32['accuracy'])}"
    )
    for key, words in (
        ("majority_accuracy", "always answering the most frequent class gives"),
        ("train_accuracy", "on its training images"),
    ):
        if key in result.extra:
            text += f"; {words} {percent(result.extra[key])}"
    if "frozen_arithmetic" in result.extra:
        text += f"; convolutions in {result.extra['frozen_arithmetic']}"
    return text + "."
