"""A model of the user's own in the firmware, in the place of the shipped one."""

import os
from pathlib import Path

from einthoven.codegen.model import export, int8_folder
from einthoven.native.engine import header_macros
from einthoven.paths import MODEL_C, cache_dir, model_c
from einthoven.records.checksums import sha256_file


def use_model(folder: Path) -> Path:
    """Let firmware and host be built with the int8 model in `folder`, from now on.

    Its engine is generated into the user's cache, unless builds take this very model already.
    Returns the model's own folder (`codegen.model.int8_folder`). Raises ModelError.
    """
    folder = int8_folder(folder)
    model = folder / "model.tflite"
    if not model.is_file():
        return folder  # whoever reads it says what is missing
    sha256 = sha256_file(model)
    if header_macros(model_c() / "ein_model.h")["EIN_MODEL_SHA256"].strip('"') != sha256:
        generated = cache_dir() / "models" / sha256[:16]
        export(folder, generated)
        os.environ[MODEL_C] = str(generated)
    return folder
