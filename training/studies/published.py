"""What the studies state, by the recipe that stands beside it. The texts are the source.

1 Kachuee, Fazeli, Sarrafzadeh, "ECG Heartbeat Classification: A Deep Transferable Representation",
  2018, doi:10.1109/ICHI.2018.00092, in a later retelling that repeats its figures.
2 Vavekanand et al., "CardiacNet", 2024, doi:10.48185/smhs.v1i2.1188: see page_cardiacnet.py.
3 Naidu, Devi, "An Optimized Solution: Deep Residual Learning for ECG Signal Classification", 2020.
4 Lê, Lê, Vũ, "Classification of ECG images by Deep Learning to support the diagnosis of
  cardiovascular diseases", 2021.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Figures of a study for one network and task; None where it states none."""

    accuracy: float | None = None
    macro_f1: float | None = None
    """Mean over the classes; of PTB, the F1 of the infarction."""
    params: int | None = None
    note: str = ""


_TRANSFER = Published(0.959, None, None, "precision 95.2 %, recall 95.1 %")

PUBLISHED: dict[str, Published] = {
    "transferable_balanced": Published(0.934, None, None, "mean over balanced classes"),
    "transferable_mi_random": _TRANSFER,
    "transferable_ptb_random": _TRANSFER,
    "baseline_random": Published(0.9850, 0.917, 254_901),
    "residual_random": Published(0.9871, 0.923, 262_463),
    "deep_random": Published(0.9877, 0.922),
    "baseline_mi_random": Published(0.9859, 0.990, 254_641),
    "residual_mi_random": Published(0.9866, 0.983, 86_663),
    "vgg16_imagenet": Published(0.9757, None, 65_075_013),
    "vgg16_random": Published(0.9757, None, 65_075_013, "with ImageNet's convolutions"),
    "deep_mi_random": Published(0.9914, 0.989),
}
"""Under the study's own protocol, by recipe."""
