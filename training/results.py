"""Results as JSON that is kept in `docs/results/`."""

import json
import re
from typing import Any


def dump(value: Any) -> str:
    """JSON with a line per list of numbers, so that a change of a file can be read."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    for _ in range(2):
        text = re.sub(r"\[[^][{}]*\]", lambda m: " ".join(m[0].split()), text)
    return text + "\n"
