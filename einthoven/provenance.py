"""Which records show a model patients that it was trained on.

Figures of such records say how well a model remembers, not how well it generalises: every table
marks them, and gives the gross of the others apart.
"""

from collections.abc import Iterable, Sequence

SAME_PATIENT = {"mitdb/202": "mitdb/201"}
"""Records of one patient, which lie on either side of de Chazal's split (MIT-BIH's directory)."""

HALF_OF = {"svdb_train": "svdb"}
"""Folders that hold a part of a database under a name of their own."""


def patient(record: str) -> str:
    """The patient of `database/record`, named by the first record of theirs."""
    database, _, name = record.partition("/")
    whole = f"{HALF_OF.get(database, database)}/{name}"
    return SAME_PATIENT.get(whole, whole)


def seen_in_training(
    training_records: Iterable[str], databases: Sequence[str], names: Iterable[str]
) -> list[str]:
    """Those of `names` whose patient is in `training_records` (`database/record` each).

    `databases` are the names under which the records' database may be known.
    """
    trained = {patient(record) for record in training_records}
    return [n for n in names if any(patient(f"{db}/{n}") in trained for db in databases)]
