"""The page's TypeScript, tested by vitest: the wire's case table, any bytes, the log's vectors."""

import subprocess

from einthoven.paths import WEB


def test_the_typescript_end() -> None:
    words = ["npm", "--prefix", str(WEB), "run", "--silent", "test"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
