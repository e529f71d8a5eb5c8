"""Files of an export: all of a kind appear, or none; what was there before stays till then."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """Yield a scratch folder whose files move to `folder` if the block succeeds.

    Files of the same name are replaced, others stay. An OSError (disk full, no permission) leaves
    `folder` as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as name:
        scratch = Path(name)
        yield scratch
        made = sorted(scratch.iterdir())
        for path in made:
            path.chmod(0o644)
            with path.open("rb") as file:
                os.fsync(file.fileno())
        for path in made:
            path.replace(folder / path.name)
