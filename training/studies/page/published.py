"""What the studies state, by the recipe that stands beside it. The texts are the source.

1 Kachuee, Fazeli, Sarrafzadeh, "ECG Heartbeat Classification: A Deep Transferable Representation",
  2018, doi:10.1109/ICHI.2018.00092, in a later retelling that repeats its figures.
2 Vavekanand et al., "CardiacNet", 2024, doi:10.48185/smhs.v1i2.1188.
3 Naidu, Devi, "An Optimized Solution: Deep Residual Learning for ECG Signal Classification", 2020.
4 Lê, Lê, Vũ, "Classification of ECG images by Deep Learning to support the diagnosis of
  cardiovascular diseases", 2021.
"""

from dataclasses import dataclass

import numpy as np

from einthoven.training.studies.shared.scores import class_rates, rates


@dataclass(frozen=True)
class Infarction:
    """What study 3 prints of one network on PTB."""

    name: str
    accuracy: float
    f1: float
    """Printed as "f1 score"; of which kind it does not say."""
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """Row = reference, column = found; healthy, MI. Its accuracy is the printed one."""

    def rates(self) -> dict[str, float]:
        """By the confusion: "mi_f1" and "macro_f1"."""
        table = np.array(self.confusion)
        return {
            "mi_f1": float(class_rates(table, 1)["f1"]),
            "macro_f1": float(rates(table)["macro_f1"]),
        }


INFARCTION = {
    "baseline_mi": Infarction("Baseline CNN", 0.985915, 0.990282, ((781, 28), (13, 2089))),
    "residual_mi": Infarction("Residual CNN", 0.986603, 0.983226, ((783, 26), (13, 2089))),
    "deep_mi": Infarction("Deep Residual CNN", 0.991412, 0.989264, ((792, 17), (8, 2094))),
}
"""By the beginning of the recipes' names."""

BEATS = {
    "baseline": (0.9850, 0.917),
    "residual": (0.9871, 0.923),
    "deep": (0.9877, 0.922),
}
"""Accuracy and macro-F1 that study 3 states on MIT-BIH."""

TRANSFERABLE = 0.934
"""Accuracy on its balanced test set that study 1 states."""
TRANSFER = (0.959, 0.952, 0.951)
"""Accuracy, precision and recall of its transfer to PTB."""

PATIENTS = {"individual": (0.946, 18), "tuned_all": (0.935, 16)}
"""Study 2: mean balanced accuracy over 29 patients, and how many have more than 0.95."""

IMAGES = (0.9757, 0.9913)
"""Study 4: accuracy on test and on training images."""
