"""A 1-D residual network of PyTorch as an int8 `.tflite`: how PyTorch users come here.

    python -m venv torch && torch/bin/pip install torch litert-torch        gigabytes
    torch/bin/python codegen/testing/torch_recipe.py OUT

litert-torch converts it in float; ai-edge-quantizer, which comes with it, makes int8 of that.
Stands alone: nothing of this project is imported; not part of the tests, for the converter's size.
Writes OUT/torch_residual.tflite. Then:

    einthoven export OUT/torch_residual.tflite --out DIR
    python -m einthoven.codegen.testing.other_recipes --also OUT/torch_residual.tflite
"""

import sys
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import quantizer, recipe
from torch import nn

LENGTH, LEADS, CLASSES = 216, 2, 5


class Block(nn.Module):  # type: ignore[misc]
    """Two convolutions and a shortcut."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, filters, 5, stride, 2)
        self.second = nn.Conv1d(filters, filters, 5, 1, 2)
        self.norms = nn.ModuleList([nn.BatchNorm1d(filters), nn.BatchNorm1d(filters)])
        self.shortcut = nn.Conv1d(channels, filters, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[1, channels, length] to [1, filters, length / stride]."""
        y = torch.relu(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        return torch.relu(y + self.shortcut(x))


class Network(nn.Module):  # type: ignore[misc]
    """A small residual network over beats, [1, leads, length], as PyTorch has them."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(LEADS, 8, 1), Block(8, 16, 2), Block(16, 32, 2))
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits [1, classes]."""
        return self.head(self.blocks(x).mean(dim=2))


def main() -> int:
    """Write the file; prints where it is."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    model = Network().eval()
    beats = [torch.randn(1, LEADS, LENGTH) for _ in range(16)]  # of training data, in earnest
    litert_torch.convert(model, (beats[0],)).export(str(out / "torch_float.tflite"))
    quantize = quantizer.Quantizer(str(out / "torch_float.tflite"), recipe.static_wi8_ai8())
    samples = [{"args_0": beat.numpy().astype(np.float32)} for beat in beats]
    ranges = quantize.calibrate({"serving_default": samples})
    path = out / "torch_residual.tflite"
    quantize.quantize(ranges).export_model(str(path), overwrite=True)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
