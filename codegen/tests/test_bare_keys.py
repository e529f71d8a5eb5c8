"""Keys and signatures on the emulated chips: known answers, and no time that tells a secret."""

from pathlib import Path

import pytest

from einthoven.codegen.testing import bare_keys


@pytest.mark.parametrize("target", bare_keys.TARGETS)
def test_on_an_emulated_chip(target: str, tmp_path: Path) -> None:
    figures = bare_keys.measure(target, tmp_path)
    assert figures.wrong_answers == 0  # by hashlib and cryptography
    assert len(figures.compare) == 1  # a right proof, and one wrong at any byte
    assert len(figures.prove_wrong) == 1
    assert figures.prove_stack <= 900  # 2 KB, less what stands above it in the device
    assert figures.signature_stack <= 3072  # of the boot stage's 4 KB
