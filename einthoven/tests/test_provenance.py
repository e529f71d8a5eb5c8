"""Patients that a model has seen are recognised under every name of their records."""

import json

from einthoven.aami import DS1, DS2
from einthoven.paths import SHIPPED_MODEL
from einthoven.provenance import seen_in_training

TRAINED = [*(f"mitdb/{name}" for name in DS1), "svdb_train/800"]


def test_training_records_and_their_patients_are_seen() -> None:
    assert seen_in_training(TRAINED, ["mitdb"], ["100", "119", "202"]) == ["119", "202"]


def test_a_part_of_a_database_is_seen_in_the_whole() -> None:
    assert seen_in_training(TRAINED, ["svdb"], ["800", "801"]) == ["800"]


def test_a_folder_of_another_name_does_not_hide_them() -> None:
    assert seen_in_training(TRAINED, ["mitdb", "svdb"], ["800", "119"]) == ["800", "119"]
    assert seen_in_training(TRAINED, ["incartdb"], ["119"]) == []


def test_the_shipped_model_has_seen_ds1_and_of_ds2_only_the_patient_of_201() -> None:
    trained = json.loads((SHIPPED_MODEL / "model.json").read_text())["training_records"]
    assert seen_in_training(trained, ["mitdb"], DS1) == list(DS1)
    assert seen_in_training(trained, ["mitdb"], DS2) == ["202"]
