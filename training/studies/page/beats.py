"""The page's sections on studies 1 and 3, the 187-sample beats."""

from einthoven.training.studies.page import published
from einthoven.training.studies.page.tables import (
    DASH,
    between,
    class_span,
    of_beats,
    percent,
    prose,
    span,
    table,
    three,
)
from einthoven.training.studies.shared.results import FOLDER, Result
from einthoven.training.studies.shared.scores import wilson_span

BEATS = """\
The beats are cut as the study writes: lead II (MLII) at 125 Hz, 10-s windows scaled to [0, 1], T
the median RR of the window, 1.2 T from each R peak, zeros up to 187 samples. Four readings
were needed.

- *R peaks.* The study takes the maxima above 0.9 of the scaled window. On MIT-BIH that finds 61,430
  of 109,494 beats (`python -m einthoven.training.studies.beats.beats187`), since one tall beat
  hides its neighbours; its published files hold 109,446. So they must come from the reference
  annotations, and so do ours: 109,440 beats, the same but for those whose 1.2 T reach beyond the
  record. `r_peaks = "maxima"` in a recipe's `[data]` takes the study's words. PTB has no
  annotations: there the maxima are used.
- *Maxima within 0.2 s* of each other, which a notched or noisy R gives, count once: the highest.
- *A record without MLII* (102 and 104) is read in its first lead.
- *A beat that outlasts its window* goes on in the next samples, scaled as its window is and cut to
  [0, 1].

`--kaggle DIR` reads the published CSV files instead, with their own split; they do not say whose a
beat is, so only the random split can be scored on them."""

PTB = """\
**The full PTB database was not at hand**: of its 549 records 68 were, most of them their first 10
seconds only, of which 14 are of infarction and 27 of healthy controls. By the study's threshold two
of the healthy ones give no beat. Figures on them say how the recipes run, not how well infarction
is found; the intervals are as wide as they should be. `einthoven data fetch ptbdb` and
`transferable_ptb.toml` (ten folds of patients) or `transferable_ptb_random.toml` (the study's
random split) do the same on all of it, and refuse less."""


def transferable_section(found: dict[str, Result]) -> str:
    """Study 1."""
    mine = {n: r for n, r in found.items() if r.study == "transferable"}
    if not mine:
        return ""
    text = """\
## Study 1: deep transferable representation

M. Kachuee, S. Fazeli, M. Sarrafzadeh, 2018 (doi:10.1109/ICHI.2018.00092), and its retelling.

"""
    text += BEATS
    text += """

The network: a convolution, five residual blocks (convolution, ReLU, convolution, skip, ReLU,
max-pool of 5 by 2), all convolutions 32 of 5, two dense layers of 32: 13 weight layers and the
logits, 55,013 parameters. Adam 0.9/0.999, learning rate 0.001 times 0.75 every 10,000 batches of
128. The study balances the classes by augmentation and tests on 4,079 beats, about 800 of a class,
of which F has 803 in all: a test set so balanced cannot be free of training beats, or of copies.
The figure to compare with its 93.4 % is therefore the mean recall of `transferable_balanced`, which
is the accuracy on balanced classes; it draws the classes alike, with ±10 % gain and noise of 0.01.

"""
    text += by_class(mine)
    text += "\n\n### Infarction, by transfer\n\n" + PTB
    text += """

The convolutions of `transferable_random` are frozen, two dense layers of 32 and the logit are
trained anew on lead II. The study's figures: accuracy 95.9 %, precision 95.2 %, recall 95.1 %, on a
random 80/20 split.

"""
    return text + infarction(mine) + figures(mine)


def residual_section(found: dict[str, Result]) -> str:
    """Study 3."""
    mine = {n: r for n, r in found.items() if r.study == "residual"}
    if not mine:
        return ""
    text = """\
## Study 3: Baseline, Residual and Deep Residual CNN

P. R. S. Naidu, G. L. Devi, 2020. The same beats. The study does not say how it trained: ours is
Adam, 0.001 falling to a tenth over 10,000 batches of 128, 15 epochs, dropout 0.1 and 0.2 where its
table has layers for it. Its text and its tables disagree: by the text a residual block has batch
normalization and kernels of 3, in the table of the Residual CNN the kernels are 5 by their
parameters and no layer is a normalization. We follow the tables.

- *Baseline CNN*: as tabulated, 254,901 parameters for five classes and 254,641 for one unit, both
  exact.
- *Residual CNN*: the table's rows, not its total. By their shapes the rows of MIT-BIH's network
  have 277,701 parameters; as printed they add up to 277,855 (the stem's 192 is printed as 102,
  the dense 8,224, 1,056 and 165 as 8,324, 1,040 and 325), and the total below them is 262,463,
  which no whole number of such convolutions gives (six instead of nine: 262,245). For PTB the rows
  give 40,513, as printed 40,391, and the total says 86,663.
- *Deep Residual CNN*: the table repeats convolutions of 32 filters beyond a hundred and halves a
  number until it is 10⁻²⁷, which is no shape. Our reading: the Residual CNN's five stages with 2,
  4, 8, 16 and 21 blocks of two convolutions, 105 convolutions in all, 756,837 parameters; twice the
  blocks where the length is half, so that the stages cost alike. Without batch normalization, which
  the study's text, too, leaves out of this network, that does not train from a random start, so
  each block begins as the identity (its last convolution at zero).

"""
    text += by_class(mine)
    infarcts = infarction(mine)
    if infarcts:
        text += (
            "\n\n### Infarction\n\nThe same records of PTB as above, trained from scratch.\n\n"
            f"{infarcts}\n\n{stated_infarction()}"
        )
    return text + figures(mine)


def stated_infarction() -> str:
    """What the study prints of PTB, and what kind of F1 that is by its own confusion matrices."""
    rows = []
    for printed in published.INFARCTION.values():
        f1 = printed.rates()
        kind = min(f1, key=lambda k: abs(f1[k] - printed.f1))
        rows.append(
            (
                printed.name, percent(printed.accuracy), f"{printed.f1:.4f}",
                f"{f1['mi_f1']:.4f}", f"{f1['macro_f1']:.4f}",
                {"mi_f1": "F1 of MI", "macro_f1": "macro-F1"}[kind],
            )
        )  # fmt: skip
    text = prose(
        'The study prints one "F1 score" a network on its PTB. By the confusion matrices beside '
        "them it is not the same thing each time: the Baseline's is the F1 of the infarction, the "
        "other two are macro-F1, so that its Baseline looks better than both and is the worst of "
        "the three by either. The first table of this page has both F1 from the matrices."
    )
    head = ("the study's", "accuracy", "printed F1", "F1 of MI", "macro-F1", "so it printed")
    return f"{text}\n\n{table(head, rows)}"


def by_class(found: dict[str, Result]) -> str:
    """F1 of each class, of arrhythmia."""
    rows = [
        (
            f"`{r.name}`", r.split, name, percent(scores["accuracy"]), span(scores, "accuracy"),
            *(three(c["f1"]) for c in scores["per_class"].values()),
        )
        for r in of_beats(found)
        if len(r.classes) == 5
        for name, scores in (("float", r.float32), ("int8", r.int8))
        if scores is not None
    ]  # fmt: skip
    head = ("recipe", "split", "", "accuracy", "95 %", "F1 of N", "S", "V", "F", "Q")
    return table(head, rows, left=3) if rows else ""


def infarction(found: dict[str, Result]) -> str:
    """Accuracy, precision and recall of MI."""
    rows = []
    for r in of_beats(found):
        if r.classes != ("healthy", "MI"):
            continue
        for name, scores in (("float", r.float32), ("int8", r.int8)):
            if scores is None:
                continue
            mi = scores["per_class"]["MI"]
            right = r.extra.get("patients_right", {}).get(name)
            rows.append(
                (
                    f"`{r.name}`", r.split, name, str(scores["n"]), percent(scores["accuracy"]),
                    span(scores, "accuracy"), percent(mi["ppv"]), class_span(scores, "MI", "ppv"),
                    percent(mi["se"]), class_span(scores, "MI", "se"), three(mi["f1"]),
                    class_span(scores, "MI", "f1"), three(scores["macro_f1"]),
                    percent(scores["balanced_accuracy"]), _right(right, scores["patients"]),
                )
            )  # fmt: skip
    head = (
        "recipe", "split", "", "beats", "accuracy", "95 %", "precision", "95 %", "recall", "95 %",
        "F1 of MI", "95 %", "macro-F1", "mean recall", "patients right",
    )  # fmt: skip
    return table(head, rows, left=3) if rows else ""


def _right(patients: int | None, of: int) -> str:
    """With Wilson's interval of the share."""
    if patients is None:
        return DASH
    return f"{patients} of {of} ({between(wilson_span(patients, of))})"


def figures(found: dict[str, Result]) -> str:
    """t-SNE, where it was drawn."""
    names = [n for n in found if (FOLDER / f"tsne_{n}.png").exists()]
    pictures = "\n".join(f"![t-SNE, {n}](results/studies/tsne_{n}.png)" for n in names)
    text = prose(
        "t-SNE of the last convolution's output (`python -m einthoven.training.studies.tsne RUN`), "
        "beats that the network was not trained on; under cross-validation by the network that was "
        "trained on all."
    )
    return f"\n\n{text}\n\n{pictures}" if names else ""
